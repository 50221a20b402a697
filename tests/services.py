"""The database servers that tests need: where they are, and what is said when one is missing."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

_SERVERS = {
    "postgres": ("STELE_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1:5432/postgres", "postgresql"),
    "mariadb": ("STELE_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/mysql", "mariadb-server"),
}


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URI of an empty database on a server, dropped at the end."""
    variable, default, package = _SERVERS[server]
    url = make_url(os.environ.get(variable, default))
    name = f"stele_test_{uuid.uuid4().hex[:16]}"
    try:
        _administer(url, f"CREATE DATABASE {name}")
    except OperationalError as e:
        missing(f"{server} does not answer at {url} ({variable}). Install and start it: apt-get install {package}", e)
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(url, f"DROP DATABASE {name}" + (" WITH (FORCE)" if server == "postgres" else ""))


def _administer(url: URL, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def missing(what: str, cause: BaseException | None = None) -> None:
    """Skip a test whose service is missing; with CI=true that is a failure."""
    if os.environ.get("CI") == "true":
        raise AssertionError(what) from cause
    pytest.skip(what)
