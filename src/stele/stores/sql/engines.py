"""Which database a URI names, and the two that are servers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from stele import settings
from stele.errors import InvalidParameterValue, MissingDependency
from stele.stores.sql.database import Database
from stele.stores.sql.dialect import AS_THEY_ARE
from stele.stores.sql.sqlite import open_sqlite

__all__ = ["MySql", "PostgreSql", "open_database"]

_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}
_EXTRAS = {"postgresql+psycopg": ("psycopg", "postgres"), "mysql+pymysql": ("pymysql", "mysql")}


_LOCK_WAIT_SECONDS = 10
"""How long a statement waits for a lock before its transaction begins anew: a process may hold it that is frozen."""

_CLAIMS = 0x53746C << 40
"""Advisory locks are numbers: ours begin with "Stl"."""

_TRY_ADVISORY = text("SELECT pg_try_advisory_lock(:number)")
_LEAVE_ADVISORY = text("SELECT pg_advisory_unlock(:number)")
_TRY_NAMED, _LEAVE_NAMED = text("SELECT GET_LOCK(:name, 0)"), text("SELECT RELEASE_LOCK(:name)")


class PostgreSql(Database):
    """PostgreSQL 15 or newer, through psycopg 3."""

    family = "postgresql"

    @contextmanager
    def claim(self, run: int) -> Iterator[bool]:
        """As :meth:`Database.claim`. The right ends with its connection."""
        with self._outside_transactions() as connection:
            number = {"number": _CLAIMS + run}
            if not connection.execute(_TRY_ADVISORY, number).scalar_one():
                yield False
                return
            try:
                yield True
            finally:
                connection.execute(_LEAVE_ADVISORY, number)


class MySql(Database):
    """MySQL 8 or MariaDB 10.11 and newer, through PyMySQL."""

    family = "mysql"

    @contextmanager
    def claim(self, run: int) -> Iterator[bool]:
        """As :meth:`Database.claim`. The right ends with its connection."""
        database = hashlib.sha256(str(self.url.database).encode()).hexdigest()[:16]
        with self._outside_transactions() as connection:
            name = {"name": f"stele-compact-{database}-{run}"}
            if connection.execute(_TRY_NAMED, name).scalar_one() != 1:
                yield False
                return
            try:
                yield True
            finally:
                connection.execute(_LEAVE_NAMED, name)


def open_database(uri: str) -> Database:
    """The database that a URI names.

    Args:
        uri: ``sqlite:///file.db``, ``postgresql://user@host/name``, ``mysql://`` or ``mariadb://``.

    Raises:
        InvalidParameterValue: The URI cannot be used.
        MissingDependency: The driver is not installed.
    """
    try:
        url = make_url(uri)
    except ArgumentError as e:
        raise InvalidParameterValue("The store URI cannot be parsed; it looks like sqlite:///stele.db.") from e
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise InvalidParameterValue(
            f"No store for {url.drivername}://. Known are sqlite://, postgresql://, mysql:// and mariadb://."
        )
    if driver == "sqlite":
        return open_sqlite(url)
    return _open_server(url.set(drivername=driver))


def _open_server(url: URL) -> Database:
    mysql = url.drivername.startswith("mysql")
    if mysql:
        url = url.update_query_dict({"charset": "utf8mb4"})
    try:
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=settings.POOL_SIZE.get(),
            max_overflow=settings.POOL_SIZE.get(),
            pool_recycle=int(settings.POOL_RECYCLE_SECONDS.get()),
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            query_cache_size=1000,
        )
    except ImportError as e:
        package, extra = _EXTRAS[url.drivername]
        raise MissingDependency(package, f"for {url.get_backend_name()}://", extra) from e
    if not mysql:
        engine.dialect.do_execute = _execute_postgresql  # type: ignore[method-assign]
        event.listen(engine, "connect", _prepare_postgresql)
        return PostgreSql(url, engine)
    event.listen(engine, "connect", _prepare_mysql)
    return MySql(url, engine)


def _execute_postgresql(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
    # As text, which is the default, each byte of a block comes as two digits. SQLAlchemy itself asks for types of the
    # system's tables that psycopg does not read in the other form.
    cursor.execute(statement, parameters, binary=context is not None and AS_THEY_ARE in context.execution_options)


def _prepare_postgresql(connection: Any, _record: object) -> None:
    connection.execute(f"SET lock_timeout = '{_LOCK_WAIT_SECONDS}s'")
    connection.commit()


def _prepare_mysql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        # Refuse what does not fit instead of cutting it, and let the Default experiment have the number 0.
        cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'")
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {_LOCK_WAIT_SECONDS}")
