"""Every pair of client and server, ours and MLflow's, gives the same results and the same error codes."""

from __future__ import annotations

import sys

import pytest

from compat.driving import agree, drive, failed_steps
from compat.environments import SKINNY, python_with

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

# Steps that mlflow-skinny 2.22 can do: it has neither the table functions of 3.x nor all of its fluent ones.
SKINNY_STEPS = [
    "create_experiment",
    "experiment_errors",
    "rename_delete_restore_experiment",
    "search_experiments",
    "fluent_run",
    "fluent_status",
    "nested_runs",
    "client_run",
    "run_errors",
    "log_batch",
    "metric_values",
    "asynchronous_logging",
    "search_runs",
]


@pytest.fixture(scope="module")
def reference(mlflow_python, real_server, tmp_path_factory) -> dict[str, object]:
    """What MLflow's client gets from MLflow's server."""
    found = drive(mlflow_python, "mlflow", real_server.url, tmp_path_factory.mktemp("reference"))
    assert failed_steps(found) == {}
    return found


def test_mlflow_client_on_our_server(mlflow_python, our_server, reference, tmp_path):
    agree(drive(mlflow_python, "mlflow", our_server.url, tmp_path), reference)


def test_our_client_on_our_server(our_server, reference, tmp_path):
    agree(drive(sys.executable, "stele", our_server.url, tmp_path), reference)


def test_our_client_on_mlflow_server(real_server, reference, tmp_path):
    agree(drive(sys.executable, "stele", real_server.url, tmp_path), reference)


def test_our_client_on_a_local_store(reference, tmp_path):
    agree(drive(sys.executable, "stele", f"sqlite:///{tmp_path}/local.db", tmp_path), reference)


def test_skinny_client_on_our_server(our_server, reference, tmp_path):
    found = drive(python_with(SKINNY), "mlflow", our_server.url, tmp_path, *SKINNY_STEPS)
    agree(found, {name: reference[name] for name in SKINNY_STEPS})
