"""Every pair of client and server, ours and MLflow's, gives the same results and the same error codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.environments import MLFLOW, SKINNY, python_with
from servers import ServerProcess, mlflow_server, stele_server

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

DRIVER = Path(__file__).with_name("driver.py")
SRC = Path(__file__).parents[2] / "src"

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
def mlflow_python() -> Path:
    return python_with(MLFLOW)


@pytest.fixture(scope="module")
def real_server(mlflow_python, tmp_path_factory) -> Iterator[ServerProcess]:
    with mlflow_server(mlflow_python, tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="module")
def our_server(tmp_path_factory) -> Iterator[ServerProcess]:
    with stele_server(tmp_path_factory.mktemp("stele")) as server:
        yield server


def drive(python: Path | str, module: str, uri: str, folder: Path, *steps: str) -> dict[str, object]:
    """What the driver found."""
    output = folder / f"{module}.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STELE_", "MLFLOW_"))}
    environment |= {"PYTHONWARNINGS": "ignore", "STELE_JOURNAL_DIR": str(folder / "journal")}
    done = subprocess.run(
        [str(python), str(DRIVER), module, uri, str(output), *steps],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text())


@pytest.fixture(scope="module")
def reference(mlflow_python, real_server, tmp_path_factory) -> dict[str, object]:
    """What MLflow's client gets from MLflow's server."""
    found = drive(mlflow_python, "mlflow", real_server.url, tmp_path_factory.mktemp("reference"))
    failed = {
        name: result for name, result in found.items() if isinstance(result, list) and result[:1] == ["step failed"]
    }
    assert failed == {}
    return found


def agree(found: dict[str, object], reference: dict[str, object]) -> None:
    """Step by step, so that a failure names the first one that differs."""
    for name, result in found.items():
        assert (name, result) == (name, reference[name])


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
