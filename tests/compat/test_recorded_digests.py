"""Models that MLflow logs through our server pass the gate of those who load them with Stele."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import stele
import stele.pyfunc
from servers import stele_server
from stele.artifacts.digests import manifest_digest
from stele.errors import UntrustedModel

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

LOG = """
import sys, mlflow
from sklearn.linear_model import LinearRegression
mlflow.set_tracking_uri(sys.argv[1])
line = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
with mlflow.start_run():
    info = mlflow.sklearn.log_model(line, name="line", serialization_format="cloudpickle")
print(info.model_id)
"""


def _log(python: Path, url: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([str(python), "-c", LOG, url], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture
def addressed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A server of its own, whose files are in the directory of the test."""
    monkeypatch.setenv("STELE_MODEL_CACHE_DIR", str(tmp_path / "cache"))
    with stele_server(tmp_path) as server:
        stele.set_tracking_uri(server.url)
        yield server
        stele.set_tracking_uri("")


def test_a_pickled_model_of_mlflow_loads_without_trust(mlflow_python: Path, addressed, tmp_path: Path) -> None:
    model_id = _log(mlflow_python, addressed.url)
    (files,) = (tmp_path / "stele-artifacts").rglob(f"{model_id}/artifacts")
    assert stele.get_logged_model(model_id).digest == manifest_digest(files)
    model = stele.pyfunc.load_model(f"models:/{model_id}")
    assert model.predict([[2.0]]) == pytest.approx([2.0])


def test_one_that_was_changed_on_disk_is_refused(mlflow_python: Path, addressed, tmp_path: Path) -> None:
    model_id = _log(mlflow_python, addressed.url)
    (pickled,) = (tmp_path / "stele-artifacts").rglob(f"{model_id}/artifacts/model.pkl")
    pickled.write_bytes(pickled.read_bytes() + b" ")
    with pytest.raises(UntrustedModel, match="changed"):
        stele.pyfunc.load_model(f"models:/{model_id}")
