"""Models: logging, serving, predicting for files, importing a flavor."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet

from benchmarks.measure import run_python, run_script
from benchmarks.model_calls import FEATURES, small_model
from benchmarks.results import Row
from benchmarks.servers import Server, mlflow_scoring, mlflow_server, stele_scoring, stele_server
from benchmarks.setting import Setting

__all__ = ["model_rows"]

_CLIENTS = 32
_LOGGED = "sklearn.log_model of a small estimator"

_IMPORT = """
import sklearn.base, time, sys
started = time.perf_counter()
__import__(sys.argv[1])
print((time.perf_counter() - started) * 1000)
"""


def model_rows(setting: Setting) -> Iterator[Row]:
    """Everything about models of scikit-learn."""
    yield from _import_rows(setting)
    yield from _logged_rows(setting)
    yield from _served_rows(setting)
    yield from _file_rows(setting)


def _import_rows(setting: Setting) -> Iterator[Row]:
    def median(python: Path | str, module: str) -> float:
        return statistics.median(float(run_python(python, _IMPORT, module)) for _ in range(5))

    ours, theirs = median(sys.executable, "stele.sklearn"), median(setting.theirs, "mlflow.sklearn")
    yield Row("import of the sklearn flavor beyond scikit-learn's own", "ms", ours, theirs, 30)


def _logged_rows(setting: Setting) -> Iterator[Row]:
    def figures(python: Path | str, module: str, uri: str, calls: int) -> Any:
        return run_script(python, "model_calls.py", module, uri, str(calls), str(_model(setting, module, uri)))

    calls, few = setting.sizes.model_calls, max(1, setting.sizes.model_calls // 10)
    folder = setting.folder
    os.environ["STELE_ARTIFACT_URI"] = str(folder / "stele-files")
    for where, target in (("local store", 100), ("HTTP", 150)):
        if where == "HTTP":
            (folder / "ours").mkdir()
            (folder / "theirs").mkdir()
            with stele_server(folder / "ours") as server:
                ours = figures(sys.executable, "stele", server.url, calls)
            with mlflow_server(setting.theirs, folder / "theirs") as server:
                theirs = figures(setting.theirs, "mlflow", server.url, few)
        else:
            ours = figures(sys.executable, "stele", f"sqlite:///{folder}/stele.db", calls)
            theirs = figures(setting.theirs, "mlflow", f"sqlite:///{folder}/mlflow.db", few)
        yield Row(f"{_LOGGED}, {where}", "ms", ours["plain"], theirs["plain"], target)
        yield Row(f"{_LOGGED}, {where}, the first in a process", "ms", ours["first plain"], theirs["first plain"])
        yield Row(f"{_LOGGED} with input_example and signature, {where}", "ms", ours["example"], theirs["example"], 150)


def _model(setting: Setting, module: str, uri: str) -> Path:
    """Where a program saves its model; those of the local stores are used by the other rows."""
    return setting.folder / (f"{module}-model" if uri.startswith("sqlite") else f"{module}-model-http")


def _served_rows(setting: Setting) -> Iterator[Row]:
    body = setting.folder / "body.json"
    names = [f"f{place}" for place in range(FEATURES)]
    row = {"dataframe_split": {"columns": names, "data": [[0.5] * FEATURES]}}
    body.write_text(json.dumps(row))
    ours = _served(setting, lambda: stele_scoring(setting.folder / "stele-model", setting.folder), body)
    theirs = _served(
        setting, lambda: mlflow_scoring(setting.theirs, setting.folder / "mlflow-model", setting.folder), body
    )
    yield Row("models serve: start to first answer", "s", ours["start"], theirs["start"], 1.5)
    one, many = "one row, one connection", f"one row, {_CLIENTS} connections"
    yield Row(f"{one}: p50", "ms", ours["one"]["p50_ms"], theirs["one"]["p50_ms"], 0.5)
    target = 5 * theirs["many"]["requests_a_second"]
    yield Row(many, "requests/s", ours["many"]["requests_a_second"], theirs["many"]["requests_a_second"], target)
    yield Row(f"{many}: p99", "ms", ours["many"]["p99_ms"], theirs["many"]["p99_ms"], 30)
    yield Row(f"{many}: not answered with 200", "requests", ours["many"]["refused"], theirs["many"]["refused"], 0)


def _served(setting: Setting, start: Callable[[], AbstractContextManager[Server]], body: Path) -> dict[str, Any]:
    began = time.perf_counter()
    with start() as server:
        figures: dict[str, Any] = {"start": time.perf_counter() - began}
        for name, clients in (("one", 1), ("many", _CLIENTS)):
            seconds = str(setting.sizes.request_seconds)
            figures[name] = run_script(
                sys.executable, "score_client.py", str(server.port), str(clients), seconds, str(body)
            )
        return figures


def _file_rows(setting: Setting) -> Iterator[Row]:
    folder, rows, few = setting.folder, setting.sizes.predicted_rows, setting.sizes.their_predicted_rows
    for name, count in (("ours", rows), ("tenth", rows // 10), ("theirs", few)):
        _write_rows(folder / f"{name}.csv", folder / f"{name}.parquet", count)
    theirs_s, _ = _timed(
        *(str(setting.theirs.parent / "mlflow"), "models", "predict", "-m", str(folder / "mlflow-model")),
        *("-i", str(folder / "theirs.csv"), "-t", "csv", "--env-manager", "local"),
        *("-o", str(folder / "theirs-out.json")),
    )
    theirs = few / theirs_s
    for kind, words in (("csv", "a CSV"), ("parquet", "a Parquet file")):
        seconds, megabytes = _predicted(setting, f"ours.{kind}")
        _, of_tenth = _predicted(setting, f"tenth.{kind}")
        what = f"predicting {words} of {rows:,} rows, linear model"
        yield Row(f"{what} (MLflow: a CSV of {few:,})", "rows/s", rows / seconds, theirs, 5 * theirs)
        yield Row(f"{what}: largest memory", "MB", megabytes)
        yield Row(f"{what}: largest memory beside that of a tenth of the rows", "times", megabytes / of_tenth)


def _predicted(setting: Setting, name: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "stele.cli", "models", "predict", "-m", str(setting.folder / "stele-model")]
    return _timed(*command, "-i", str(setting.folder / name), "-o", str(setting.folder / f"out-{name}"))


def _write_rows(csv: Path, parquet: Path, rows: int) -> None:
    """The same random rows in both formats."""
    _, frame = small_model()
    random = np.random.default_rng(1)
    schema = pyarrow.schema([(name, pyarrow.float64()) for name in frame.columns])
    with pyarrow.csv.CSVWriter(csv, schema) as lines, pyarrow.parquet.ParquetWriter(parquet, schema) as groups:
        for start in range(0, rows, 500_000):
            count = min(500_000, rows - start)
            piece = pyarrow.table({name: random.random(count).round(4) for name in frame.columns}, schema=schema)
            lines.write_table(piece)
            groups.write_table(piece)


def _timed(*command: str) -> tuple[float, float]:
    """Seconds, and megabytes of memory at the most."""
    seconds, megabytes = run_script(sys.executable, "timed_command.py", *command)
    return seconds, megabytes
