"""The servers that clients are driven against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.environments import MLFLOW, python_with
from servers import ServerProcess, mlflow_server, stele_server


@pytest.fixture(scope="session")
def mlflow_python() -> Path:
    return python_with(MLFLOW)


@pytest.fixture(scope="session")
def real_server(mlflow_python, tmp_path_factory) -> Iterator[ServerProcess]:
    with mlflow_server(mlflow_python, tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="session")
def our_server(tmp_path_factory) -> Iterator[ServerProcess]:
    with stele_server(tmp_path_factory.mktemp("stele")) as server:
        yield server
