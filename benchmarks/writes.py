"""Writing over HTTP: the same bytes to both servers, one connection, one client."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import median_ms
from benchmarks.results import Row
from benchmarks.servers import Server, mlflow_server, stele_server
from benchmarks.setting import Setting

__all__ = ["write_rows"]


class _Client:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def post(self, operation: str, body: dict[str, Any]) -> Any:
        self._connection.request(
            "POST", f"/api/2.0/mlflow/{operation}", json.dumps(body), {"Content-Type": "application/json"}
        )
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return json.loads(text or b"{}")

    def create_and_log(self) -> None:
        run = self.post("runs/create", {"experiment_id": "0", "start_time": 1, "tags": [{"key": "a", "value": "b"}]})
        now = time.time_ns() // 1_000_000
        self.post(
            "runs/log-batch",
            {
                "run_id": run["run"]["info"]["run_id"],
                "metrics": [{"key": f"m{i}", "value": 0.5 + i, "timestamp": now, "step": 1} for i in range(10)],
                "params": [{"key": f"p{i}", "value": str(i)} for i in range(10)],
                "tags": [{"key": f"t{i}", "value": "x"} for i in range(5)],
            },
        )


def write_rows(setting: Setting) -> Iterator[Row]:
    """``create_run`` and ``log_batch``; and one metric."""
    with stele_server(setting.folder) as server:
        ours_run, ours_metric = _measured(server, 300)
    with mlflow_server(setting.theirs, setting.folder) as server:
        theirs_run, theirs_metric = _measured(server, 60)
    yield Row("create_run + log_batch (10 metrics, 10 params, 5 tags), HTTP", "ms", ours_run, theirs_run, 3)
    yield Row("log-metric, HTTP", "ms", ours_metric, theirs_metric)


def _measured(server: Server, rounds: int) -> tuple[float, float]:
    client = _Client(server.port)
    both = median_ms(client.create_and_log, rounds, warm=10)
    run = client.post("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    metric = {"run_id": run, "key": "m", "value": 1.0, "timestamp": 1, "step": 1}
    return both, median_ms(lambda: client.post("runs/log-metric", metric), rounds, warm=5)
