"""Logged models and the registry: every pair of client and server, ours and MLflow's, agrees."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import stele
from compat.driving import agree, drive, failed_steps

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

SCRIPT = "driver_models.py"


@pytest.fixture(scope="module")
def reference(mlflow_python, real_server, tmp_path_factory) -> dict[str, object]:
    """What MLflow's client gets from MLflow's server."""
    found = drive(mlflow_python, "mlflow", real_server.url, tmp_path_factory.mktemp("models"), script=SCRIPT)
    assert failed_steps(found) == {}
    return found


def test_mlflow_client_on_our_server(mlflow_python, our_server, reference, tmp_path):
    agree(drive(mlflow_python, "mlflow", our_server.url, tmp_path, script=SCRIPT), reference)


def test_our_client_on_our_server(our_server, reference, tmp_path):
    agree(drive(sys.executable, "stele", our_server.url, tmp_path, script=SCRIPT), reference)


def test_our_client_on_mlflow_server(real_server, reference, tmp_path):
    agree(drive(sys.executable, "stele", real_server.url, tmp_path, script=SCRIPT), reference)


def test_our_client_on_a_local_store(reference, tmp_path):
    agree(drive(sys.executable, "stele", f"sqlite:///{tmp_path}/local.db", tmp_path, script=SCRIPT), reference)


READ = """
import json, sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
model = client.get_logged_model(sys.argv[2])
(found,) = client.search_logged_models([model.experiment_id], f"model_id = '{model.model_id}'")
done = client.finalize_logged_model(model.model_id, "READY")
print(json.dumps([model.name, found.name, str(done.status)]))
"""


def test_what_is_ours_in_a_message_is_ignored_by_mlflow(mlflow_python, our_server, real_server):
    digest = "sha256:" + "0" * 64
    ours, theirs = stele.Client(our_server.url), stele.Client(real_server.url)
    made = ours.create_logged_model("0", "with-digest")
    assert ours.finalize_logged_model(made.model_id, "READY", digest).digest == digest
    command = [str(mlflow_python), "-c", READ, our_server.url, made.model_id]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert json.loads(done.stdout.splitlines()[-1]) == ["with-digest", "with-digest", "READY"], done.stderr
    assert ours.get_logged_model(made.model_id).digest == digest
    made = theirs.create_logged_model("0", "with-digest")
    assert theirs.finalize_logged_model(made.model_id, "READY", digest).digest is None
