"""Fixtures for all tests: a clean environment, and a store on every database."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from services import fresh_database
from stele.stores.sql import SqlStore

# Started in the background by a shell, these tests and every program that they start would not hear of Ctrl-C.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long examples take says how fast the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

DATABASES = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of this machine reaches a test, and nothing is written outside of its directory."""
    for name in list(os.environ):
        if name.startswith(("STELE_", "MLFLOW_")) and not name.startswith("STELE_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("STELE_JOURNAL_DIR", str(tmp_path / "journal"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session", params=DATABASES)
def database_uri(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a database that starts empty, on each of the three kinds; shared by the tests of one process."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store')}/stele.db"
        return
    with fresh_database(request.param) as uri:
        yield uri


@pytest.fixture(scope="session")
def sql_store(database_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """A store on each of the three kinds of database."""
    with SqlStore(database_uri, str(tmp_path_factory.mktemp("artifacts"))) as store:
        yield store
