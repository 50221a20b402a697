"""Connections and transactions on SQLite, PostgreSQL and MySQL/MariaDB, and what differs between them.

Everything above hands a function over a :class:`~sqlalchemy.Connection` to :meth:`Database.read` or
:meth:`Database.write`. A write function may be called again after a deadlock or when another writer was
first, so it must do all its work on the connection it is given.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from stele import settings
from stele.errors import DataLoss, DeadlineExceeded, InvalidParameterValue, SteleError, Unavailable

__all__ = ["Database", "after_commit", "forget_hooks", "run_hooks"]

logger = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

_ATTEMPTS = 5
# PostgreSQL: serialization failure, deadlock, and a lock wait that ran out; MySQL: deadlock, lock wait timeout.
_TRY_AGAIN = {"40001", "40P01", "55P03", 1213, 1205}
# Unique violation: another writer was first, and the work will find what it wrote.
_OVERTAKEN = {"23505", 1062}
# A statement that ran out of its time: PostgreSQL query_canceled, MySQL, MariaDB.
_TIMED_OUT = {"57014", 3024, 1969}


class Database:
    """A pool of connections to one database.

    ``family`` is ``sqlite``, ``postgresql`` or ``mysql`` (MariaDB included).
    """

    family: str

    def __init__(self, url: URL, engine: Engine) -> None:
        self.url = url
        self.engine = engine

    @property
    def name(self) -> str:
        """The address as it may stand in a message: without a password."""
        return self.url.render_as_string(hide_password=True)

    def read(self, work: Work[T]) -> T:
        """What ``work`` returns; its statements see one connection and change nothing.

        Raises:
            Unavailable: The database cannot be reached.
            DeadlineExceeded: A statement ran out of time.
        """
        try:
            with self._connected() as connection:
                return work(connection)
        except DBAPIError as e:
            raise self.translate(e) from e

    def write(self, work: Work[T]) -> T:
        """What ``work`` returns, durable when this returns; nothing of it is kept when it raises.

        Raises:
            Unavailable: The database cannot be reached, is full, or stays busy.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._connected() as connection:
                    forget_hooks(connection)
                    with connection.begin():
                        result = work(connection)
                    run_hooks(connection)
                    return result
            except DBAPIError as e:
                if attempt == _ATTEMPTS or (_TRY_AGAIN | _OVERTAKEN).isdisjoint(_codes(e)):
                    raise self.translate(e) from e
                logger.info("transaction tried again after %s", e.orig)
        raise AssertionError("unreachable")

    def claim(self, run: int) -> AbstractContextManager[bool]:
        """Hold the right to compact a run; gives False, and holds nothing, while somebody else has it.

        It saves work and decides about nothing else: two that compact one run harm nobody.
        """
        raise NotImplementedError

    def _connected(self) -> Connection:
        """A connection of the pool.

        Raises:
            Unavailable: All of them are in use, and none came back in time.
        """
        try:
            return self.engine.connect()
        except PoolTimeout as e:
            raise Unavailable(
                f"All connections of this process to the database {self.name} are in use ({settings.POOL_SIZE.name})."
            ) from e

    @contextmanager
    def _outside_transactions(self) -> Iterator[Connection]:
        """A connection whose statements stand alone.

        Raises:
            Unavailable: The database cannot be reached.
        """
        try:
            with self._connected().execution_options(isolation_level="AUTOCOMMIT") as connection:
                yield connection
        except DBAPIError as e:
            raise self.translate(e) from e

    def translate(self, error: DBAPIError) -> SteleError:
        """The error that a caller may see for one of the driver."""
        codes = _codes(error)
        text = " ".join(str(error.orig).split())
        if codes & _TIMED_OUT or "interrupted" in text:
            return DeadlineExceeded(f"The query took longer than {settings.SEARCH_SECONDS.get():g} seconds.")
        if isinstance(error, OperationalError | InterfaceError) or codes & _TRY_AGAIN:
            return Unavailable(f"The database {self.name} does not answer: {text}")
        if isinstance(error, IntegrityError):
            return InvalidParameterValue("The request contradicts what is stored; another client may have been first.")
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return DataLoss(f"The file of {self.name} is no SQLite database, or is damaged: {text}.")
        logger.error("statement failed", exc_info=error)
        return SteleError("The database refused a statement. The server's log has the details.")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def after_commit(connection: Connection, hook: Callable[[], None]) -> None:
    """Call ``hook`` once the transaction of this connection is durable; never when it is rolled back."""
    connection.info.setdefault("after_commit", []).append(hook)


def forget_hooks(connection: Connection) -> None:
    """Forget what was collected in a transaction that was rolled back on this connection."""
    connection.info.pop("after_commit", None)


def run_hooks(connection: Connection) -> None:
    """Run and forget what :func:`after_commit` collected."""
    for hook in connection.info.pop("after_commit", ()):
        hook()


def _codes(error: DBAPIError) -> set[Any]:
    """What a driver calls an error: the SQLSTATE, and MySQL's number, which says more."""
    original: Any = error.orig
    return {getattr(original, "sqlstate", None), *getattr(original, "args", ())[:1]} - {None}
