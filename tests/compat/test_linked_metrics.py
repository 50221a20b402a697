"""Which metrics of a run become metrics of a model: at least those that MLflow links."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

LOG = """
import sys, json
from sklearn.linear_model import LinearRegression
if sys.argv[1] == "stele":
    import stele as library, stele.sklearn
else:
    import mlflow as library
library.set_tracking_uri(sys.argv[2])
line = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
with library.start_run():
    other = library.initialize_logged_model("other")
    for step in range(4):
        library.log_metric("loss", 1.0 - step / 10, step=step)
    library.log_metric("auc", 0.5, step=2, timestamp=1)
    library.log_metric("auc", 0.6, step=2, timestamp=2)
    library.log_metric("of other", 7.0, step=2, model_id=other.model_id)
    info = library.sklearn.log_model(line, name="line", step=2)
points = library.get_logged_model(info.model_id).metrics
print(json.dumps(sorted([point.key, point.value, point.step] for point in points)))
"""


def _linked(python: str | Path, library: str, url: str) -> list[list[object]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}
    command = [str(python), "-c", LOG, library, url]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    found: list[list[object]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_points_of_the_step_are_linked_by_every_client_to_every_server(mlflow_python, our_server, real_server):
    reference = _linked(mlflow_python, "mlflow", real_server.url)
    assert [key for key, _, _ in reference] == ["auc", "auc", "loss", "of other"]
    assert _linked(mlflow_python, "mlflow", our_server.url) == reference
    for server in (our_server, real_server):
        assert _linked(sys.executable, "stele", server.url) == reference
