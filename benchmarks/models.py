"""Models: logging, serving, predicting for files, importing a flavor."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

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
    sizes = {"ours": setting.sizes.predicted_rows, "theirs": setting.sizes.their_predicted_rows}
    for name, rows in sizes.items():
        _write_rows(setting.folder / f"{name}.csv", rows)
    ours_s = _timed(
        *(sys.executable, "-m", "stele.cli", "models", "predict", "-m", str(setting.folder / "stele-model")),
        *("-i", str(setting.folder / "ours.csv"), "-o", str(setting.folder / "ours-out.csv")),
    )
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    theirs_s = _timed(
        *(str(setting.theirs.parent / "mlflow"), "models", "predict", "-m", str(setting.folder / "mlflow-model")),
        *("-i", str(setting.folder / "theirs.csv"), "-t", "csv", "--env-manager", "local"),
        *("-o", str(setting.folder / "theirs-out.json")),
    )
    theirs = sizes["theirs"] / theirs_s
    what = f"predicting a CSV of {sizes['ours']:,} rows, linear model (MLflow: {sizes['theirs']:,})"
    yield Row(what, "rows/s", sizes["ours"] / ours_s, theirs, 5 * theirs)
    yield Row(f"{what}: largest memory of a child process", "MB", memory)


def _write_rows(path: Path, rows: int) -> None:
    _, frame = small_model()
    random = np.random.default_rng(1)
    for start in range(0, rows, 500_000):
        count = min(500_000, rows - start)
        piece = pd.DataFrame(random.random((count, FEATURES)).round(4), columns=frame.columns)
        piece.to_csv(path, mode="a", header=start == 0, index=False)


def _timed(*command: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"})
    return time.perf_counter() - started
