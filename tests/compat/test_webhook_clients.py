"""Webhooks: every pair of client and server, ours and MLflow's, agrees on what is kept and on what is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from compat.driving import agree, drive, failed_steps
from servers import ServerProcess, mlflow_server, stele_server

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

SCRIPT = "driver_webhooks.py"
# The receiver is a server of this machine.
SETTINGS = {"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https", "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true"}


@pytest.fixture(scope="module")
def theirs(mlflow_python, tmp_path_factory) -> Iterator[ServerProcess]:
    with mlflow_server(mlflow_python, tmp_path_factory.mktemp("theirs"), settings=SETTINGS) as server:
        yield server


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Iterator[ServerProcess]:
    with stele_server(tmp_path_factory.mktemp("ours"), settings=SETTINGS) as server:
        yield server


@pytest.fixture(scope="module")
def reference(mlflow_python, theirs, tmp_path_factory) -> dict[str, object]:
    """What MLflow's client gets from MLflow's server."""
    found = drive(mlflow_python, "mlflow", theirs.url, tmp_path_factory.mktemp("webhooks"), script=SCRIPT)
    assert failed_steps(found) == {}
    return found


def test_mlflow_client_on_our_server(mlflow_python, ours, reference, tmp_path):
    agree(drive(mlflow_python, "mlflow", ours.url, tmp_path, script=SCRIPT), reference)


def test_our_client_on_our_server(ours, reference, tmp_path):
    agree(drive(sys.executable, "stele", ours.url, tmp_path, script=SCRIPT), reference)


def test_our_client_on_mlflow_server(theirs, reference, tmp_path):
    # MLflow's server remembers for a minute whom to tell, so the second client would wait for deliveries in vain.
    steps = ("webhooks_are_kept", "webhook_errors")
    agree(drive(sys.executable, "stele", theirs.url, tmp_path, *steps, script=SCRIPT), reference)
