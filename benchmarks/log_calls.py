"""``log_metric`` in a loop of a program whose store is a server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import mapped_records
from benchmarks.measure import run_script
from benchmarks.results import Row
from benchmarks.servers import mlflow_server, stele_server
from benchmarks.setting import Setting

__all__ = ["log_rows"]

_ASYNCHRONOUS = 10
"""MLflow makes so many times more calls where it does not wait for each."""


def log_rows(setting: Setting) -> Iterator[Row]:
    """Ours with its journal, beside MLflow's calls that wait for the server and those that do not."""
    sizes = setting.sizes
    with stele_server(setting.folder) as server:
        ours = _looped(Path(sys.executable), "stele", server.url, sizes.calls)
        ours_waiting = _looped(Path(sys.executable), "stele", server.url, sizes.their_calls, "yes")
    with mlflow_server(setting.theirs, setting.folder) as server:
        waiting = _looped(setting.theirs, "mlflow", server.url, sizes.their_calls, "yes")
        queued = _looped(setting.theirs, "mlflow", server.url, sizes.their_calls * _ASYNCHRONOUS, "no")
    for name, other in (("MLflow synchronous", waiting), ("MLflow asynchronous", queued)):
        what = f"log_metric, journal on, HTTP store ({name})"
        yield Row(f"{what}: p50", "us", ours["p50_us"], other["p50_us"], 1.0)
        yield Row(f"{what}: p99", "us", ours["p99_us"], other["p99_us"], 5.0)
        rate, their_rate = ours["calls_a_second"], other["calls_a_second"]
        yield Row(f"{what}: sustained", "calls/s", rate, their_rate, 800_000, limit=mapped_records())
    yield Row("log_metric(synchronous=True), HTTP store: p50", "us", ours_waiting["p50_us"], waiting["p50_us"])
    yield Row(
        f"end of a run that logged {sizes.calls:,} points (MLflow: {sizes.their_calls * _ASYNCHRONOUS:,})",
        "s",
        ours["stored_seconds"],
        queued["stored_seconds"],
    )


def _looped(python: Path, module: str, uri: str, calls: int, *synchronous: str) -> Any:
    return run_script(python, "log_loop.py", module, uri, str(calls), *synchronous)
