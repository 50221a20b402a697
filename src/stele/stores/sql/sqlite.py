"""SQLite: one writer at a time with group commit, any number of readers, and fair turns between processes.

Only the writer connection writes and checkpoints; all others are ``query_only``. Whoever holds the turn commits the
work of everybody who is waiting in one transaction, so that N threads share one fsync. Between processes a file
lock beside the database gives the turns: SQLite's own busy handler starves writers for seconds, and the lock also
keeps two processes from checkpointing the write-ahead log at once.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat, starmap
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from stele import settings
from stele.errors import InvalidParameterValue, SteleError, Unavailable, shown
from stele.stores.sql.database import Database, forget_hooks, run_hooks
from stele.stores.sql.search import register_functions
from stele.stores.sql.turns import open_turn

__all__ = ["Sqlite", "open_sqlite"]

T = TypeVar("T")

_BUSY_MILLISECONDS = 10_000
_GROUP = 256
_READER_CACHE_KIB = 16_384
_WRITER_CACHE_KIB = 65_536

_NETWORK_FILE_SYSTEMS = frozenset(
    "9p afs beegfs ceph cifs fuse.glusterfs fuse.s3fs fuse.sshfs glusterfs gpfs lustre nfs nfs4 smb2 smb3 smbfs".split()
)


class _Task:
    """One piece of work and what became of it."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None


class Sqlite(Database):
    """One SQLite file."""

    family = "sqlite"

    def __init__(self, url: URL, readers: Engine, writer: Engine, path: Path) -> None:
        super().__init__(url, readers)
        self.path = path
        self._processes = open_turn(path.with_name(f"{path.name}.lock"))
        self._compacting = open_turn(path.with_name(f"{path.name}.compaction.lock"))
        self._compaction = threading.Lock()  # a turn is between processes
        self._writer = writer
        self._connection: Connection | None = None
        self._waiting: deque[_Task] = deque()
        self._turn = threading.Lock()

    def write(self, work: Callable[[Connection], T]) -> T:
        """As :meth:`Database.write`; several threads' work may share one commit, each in a savepoint of its own."""
        task = _Task(work)
        self._waiting.append(task)
        with self._turn:
            while not task.done:  # more may wait than one group holds
                self._commit_waiting()
        if task.error is not None:
            raise task.error
        return task.result  # type: ignore[no-any-return]  # what this work returned

    def _commit_waiting(self) -> None:
        tasks: list[_Task] = []
        try:
            # One call, which Ctrl-C cannot part: whoever is taken from the queue gets an answer.
            tasks.extend(starmap(self._waiting.popleft, repeat((), min(len(self._waiting), _GROUP))))
            with self._processes, self._writing() as connection:
                forget_hooks(connection)
                with connection.begin():
                    self._run(connection, tasks)
                run_hooks(connection)
        except DBAPIError as e:
            self._fail(tasks, self.translate(e), e)
        except Exception as e:
            self._fail(tasks, e, None)
        except BaseException as e:  # Ctrl-C in this thread; the others learn that nothing was kept
            self._fail(tasks, Unavailable("The thread that was writing has been interrupted."), e)
            raise
        finally:
            for task in tasks:
                task.done = True

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """The one connection that writes, kept open as long as nothing fails: a pool would look after it each time."""
        connection, self._connection = self._connection or self._writer.connect(), None
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _run(self, connection: Connection, tasks: list[_Task]) -> None:
        if len(tasks) == 1:  # alone, its failure may roll back everything
            tasks[0].result = tasks[0].work(connection)
            return
        for task in tasks:
            hooks = len(connection.info.setdefault("after_commit", []))
            try:
                with connection.begin_nested():
                    task.result = task.work(connection)
            except DBAPIError as e:
                task.error = self.translate(e)
                task.error.__cause__ = e
            except Exception as e:
                task.error = e
            if task.error is not None:
                del connection.info["after_commit"][hooks:]

    @staticmethod
    def _fail(tasks: list[_Task], error: BaseException, cause: BaseException | None) -> None:
        for task in tasks:
            if task.error is None:
                task.error = error
                error.__cause__ = cause or error.__cause__

    @contextmanager
    def claim(self, run: int) -> Iterator[bool]:  # one compaction a file: there is one writer anyway
        """As :meth:`Database.claim`, for all runs of the file at once."""
        if not self._compaction.acquire(blocking=False):
            yield False
            return
        try:
            if not self._compacting.attempt():
                yield False
                return
            try:
                yield True
            finally:
                self._compacting.leave()
        finally:
            self._compaction.release()

    def translate(self, error: DBAPIError) -> SteleError:
        """As :meth:`Database.translate`, with the file's name where the disk is at fault."""
        text = str(error.orig)
        if "full" in text or "disk I/O" in text:
            return Unavailable(f"{self.path} cannot be written: {text}. Nothing of this request was kept.")
        if "readonly" in text:
            return Unavailable(f"{self.path} is read-only for this process: {text}.")
        return super().translate(error)

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        super().close()
        with self._processes:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._writer.dispose()
        self._processes.close()
        self._compacting.close()


def open_sqlite(url: URL) -> Sqlite:
    """The database in a file, which is made if it does not exist.

    Raises:
        InvalidParameterValue: The URI names no file, or one on a network file system.
    """
    if not url.database or url.database == ":memory:" or url.query.get("mode") == "memory":
        raise InvalidParameterValue(
            "An SQLite store needs a file, as in sqlite:///stele.db; one in memory is lost with its connection."
        )
    path = Path(url.database).absolute()
    if not path.parent.is_dir():
        raise InvalidParameterValue(f"The directory of {shown(str(path))} does not exist.")
    refuse_network_file_system(path.parent)
    url = url.set(database=str(path))
    readers = _engine(url, settings.POOL_SIZE.get(), writes=False)
    return Sqlite(url, readers, _engine(url, 1, writes=True), path)


def _engine(url: URL, size: int, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0 if writes else size,
        connect_args={"check_same_thread": False},
    )

    def prepare(connection: Any, _record: object) -> None:
        # The driver must not open transactions by itself: see ``begin``.
        connection.isolation_level = None
        # auto_vacuum has to be set before the first table and before WAL; later it does nothing.
        pragmas = [
            f"busy_timeout = {_BUSY_MILLISECONDS}",
            "auto_vacuum = INCREMENTAL",
            "journal_mode = WAL",
            "synchronous = FULL",
            "temp_store = MEMORY",
            f"cache_size = -{_WRITER_CACHE_KIB if writes else _READER_CACHE_KIB}",
        ]
        if not writes:
            pragmas.append("query_only = ON")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        register_functions(connection)

    def begin(dbapi_connection: PoolProxiedConnection) -> None:
        dbapi_connection.cursor().execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", prepare)
    # An event would do as well, but an engine with events looks for them five times in every statement.
    engine.dialect.do_begin = begin  # type: ignore[method-assign]
    return engine


def refuse_network_file_system(directory: Path) -> None:
    """Refuse a directory in which SQLite's locks cannot be trusted.

    Raises:
        InvalidParameterValue: It lies on NFS, SMB, Lustre or the like.
    """
    kind = _file_system(directory)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise InvalidParameterValue(
            f"{shown(str(directory))} is on a network file system ({kind}), where SQLite's locks do not hold "
            "and data is lost. Put the file on a local disk, run 'stele server' there, or use PostgreSQL or MySQL."
        )


def _file_system(directory: Path) -> str:
    if sys.platform != "linux":
        return ""
    try:
        mounts = Path("/proc/self/mountinfo").read_text()
    except OSError:
        return ""
    target = os.path.realpath(directory)
    best, kind = "", ""
    for line in mounts.splitlines():
        mounted, _, rest = line.partition(" - ")
        point = mounted.split()[4].replace("\\040", " ")
        if len(point) >= len(best) and (target == point or target.startswith(point.rstrip("/") + "/")):
            best, kind = point, rest.split()[0]
    return kind
