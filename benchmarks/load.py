"""Many clients that log to one server as MLflow's clients do: the same bytes to both servers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.machine import synced_writes
from benchmarks.measure import run_script
from benchmarks.results import Row
from benchmarks.servers import Server, mlflow_server, stele_server
from benchmarks.setting import Setting
from benchmarks.targets import JSON_POINTS, SMALL_P99_MS, SMALL_REQUESTS

__all__ = ["LARGE", "SMALL", "THEIR_SMALL", "load_rows", "loaded"]

LARGE = (8, 1000)
SMALL = (32, 5)
# With 32 clients MLflow's pool of connections gives out, and it answers one request in two seconds.
THEIR_SMALL = (8, 5)


def load_rows(setting: Setting) -> Iterator[Row]:
    """Clients and points of a request: a few that send much, and many that send little."""
    with stele_server(setting.folder) as server:
        ours = [loaded(server, *kind, setting.sizes.request_seconds) for kind in (LARGE, SMALL)]
    with mlflow_server(setting.theirs, setting.folder) as server:
        theirs = [loaded(server, *kind, setting.sizes.request_seconds) for kind in (LARGE, THEIR_SMALL)]
    what = "log-batch JSON of 1000 points, 8 clients, HTTP"
    yield Row(what, "points/s", ours[0]["points_a_second"], theirs[0]["points_a_second"], JSON_POINTS)
    yield Row(f"{what}: p99", "ms", ours[0]["p99_ms"], theirs[0]["p99_ms"])
    what = "log-batch JSON of 5 points, 32 clients (MLflow: 8), HTTP, FULL"
    rate, their_rate = ours[1]["requests_a_second"], theirs[1]["requests_a_second"]
    yield Row(what, "requests/s", rate, their_rate, SMALL_REQUESTS, limit=synced_writes())
    yield Row(f"{what}: p50", "ms", ours[1]["p50_ms"], theirs[1]["p50_ms"])
    yield Row(f"{what}: p99", "ms", ours[1]["p99_ms"], theirs[1]["p99_ms"], SMALL_P99_MS)
    refused, their_refused = (sum(kind["refused"] for kind in side) for side in (ours, theirs))
    yield Row("log-batch of many clients: not answered with 200", "requests", refused, their_refused, 0)


def loaded(server: Server, clients: int, points: int, seconds: float) -> Any:
    """The figures of ``load_client.py``: so many clients that send so many points a request to a server."""
    arguments = [str(item) for item in (server.port, clients, points, seconds)]
    return run_script(sys.executable, "load_client.py", *arguments)
