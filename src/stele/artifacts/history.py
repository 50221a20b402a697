"""What is known about the contents that a local file had: kept in ``.stele`` beside the file.

For a file ``model.bin`` that directory holds ``model.bin.json`` (one line per version: number, size, digest, time) and
the old contents as ``model.bin.v1``, ``model.bin.v2``. It lies beside the file so that it is found whichever directory
above is opened as a repository, and moves and vanishes with it. A record describes the file only while size and time of
change agree: a file that was edited by other means has no digest rather than a wrong one.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import msgspec
from msgspec import Struct

from stele.artifacts.base import ArtifactVersion
from stele.artifacts.files import Temporary, make_directories, sync_directory
from stele.artifacts.paths import RESERVED
from stele.errors import Unavailable

__all__ = ["History", "Record"]

_LOCK_SECONDS = 60.0
_MAX_PLAIN_BYTES = 200


class Record(Struct, frozen=True):
    """One version; ``changed_ns`` is the file's time of change in nanoseconds, by which it is recognised."""

    version: int
    size: int
    sha256: str | None
    time: int
    changed_ns: int


_records = msgspec.json.Decoder(list[Record])


_TURNS: list[threading.Lock] = []


def _new_turns() -> None:
    _TURNS[:] = [threading.Lock() for _ in range(64)]


_new_turns()
if hasattr(os, "register_at_fork"):  # a thread that held one does not exist in the child
    os.register_at_fork(after_in_child=_new_turns)


class History:
    """The versions of one file.

    Args:
        file: Where the current version is, or will be.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.directory = file.parent / RESERVED
        self._stem = self.directory / _stem(file.name)

    def prepare(self) -> None:
        """Make the hidden directory, and those above it."""
        make_directories(self.directory)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, of all processes. Held for names and records only, never while content streams.

        Raises:
            Unavailable: Somebody holds it for a minute.
        """
        lock = filelock.FileLock(self.directory / "lock", timeout=_LOCK_SECONDS, mode=0o600)
        # Threads of one process take turns here first: who waits for a file lock sleeps between his tries.
        with _TURNS[hash(self.directory) % len(_TURNS)]:
            try:
                lock.acquire()
            except filelock.Timeout as e:
                raise Unavailable(f"Another process has been changing the artifacts for {_LOCK_SECONDS:.0f} s.") from e
            try:
                yield
            finally:
                lock.release()

    def records(self) -> list[Record]:
        """Every version that was begun, oldest first; empty when nothing readable is there."""
        try:
            return _records.decode(self._named("json").read_bytes())
        except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
            return []

    def describe(self, status: os.stat_result, records: list[Record] | None = None) -> Record:
        """The version that an open or existing file is; one without digest for content that somebody else put there."""
        records = self.records() if records is None else records
        for record in reversed(records):
            if (record.size, record.changed_ns) == (status.st_size, status.st_mtime_ns):
                return record
        number = max((record.version for record in records), default=0) + 1
        return Record(number, status.st_size, None, status.st_mtime_ns // 1_000_000, status.st_mtime_ns)

    def old(self, version: int) -> Path:
        """Where the content of an overwritten version is kept."""
        return self._named(f"v{version}")

    def replace(self, new: Temporary) -> Record:
        """Make a complete file the current version; the lock is held. The same content again changes nothing.

        A crash at any point leaves the old or the new file, with records that describe it or are seen not to.
        """
        records = self.records()
        try:
            before = self.describe(self.file.stat(), records)
        except FileNotFoundError:
            before = None
        if before is not None:
            if before.sha256 == new.sha256:
                return before
            if before not in records:
                records.append(before)
            self._keep(before.version)
        number = max((record.version for record in records), default=0) + 1
        now = time.time_ns()
        os.utime(new.path, ns=(now, now))  # finer than the system's own clock for files: versions differ
        after = Record(number, new.size, new.sha256, now // 1_000_000, new.path.stat().st_mtime_ns)
        self._write([*records, after])
        os.replace(new.path, self.file)  # noqa: PTH105 - the same call, named after what it does
        sync_directory(self.file.parent)
        return after

    def versions(self) -> list[ArtifactVersion]:
        """Every version whose content is there, oldest first."""
        records = self.records()
        current = None
        with suppress(FileNotFoundError, NotADirectoryError):
            current = self.describe(self.file.stat(), records)
        if current is not None and current not in records:
            records.append(current)
        return [
            ArtifactVersion(record.version, record.size, record.time, record is current, record.sha256)
            for record in records
            if record is current or self.old(record.version).is_file()
        ]

    def overwritten(self, before: int) -> list[Path]:
        """The contents that are kept of versions which another one replaced before a time, in milliseconds since 1970.

        None are named while the file is not there: what it had may be all that is left of it.
        """
        versions = self.versions()
        if not versions or not versions[-1].current:
            return []
        # A version was replaced when the next one was written that came to be.
        return [
            self.old(version.version)
            for version, successor in itertools.pairwise(versions)
            if not version.current and successor.time < before
        ]

    def forget(self, before: int) -> list[int]:
        """Remove what :meth:`overwritten` names; the lock is held. Returns the bytes of each."""
        sizes = []
        for path in self.overwritten(before):
            sizes.append(path.lstat().st_size)
            path.unlink()
        return sizes

    def remove(self) -> None:
        """Forget everything about the file; the lock is held."""
        for record in self.records():
            self.old(record.version).unlink(missing_ok=True)
        self._named("json").unlink(missing_ok=True)

    def _keep(self, version: int) -> None:
        """A second name for the current content, which survives when the first one goes to the next content."""
        try:
            os.link(self.file, self.old(version))
        except FileExistsError:
            pass  # a crash came before the first name went
        except OSError:  # a file system without links
            shutil.copy2(self.file, self.old(version))

    def _write(self, records: list[Record]) -> None:
        target = self._named("json")
        text = msgspec.json.encode(records).replace(b"},{", b"},\n{")
        with Temporary.written(self.directory, [text], self.file.name) as new:
            os.replace(new.path, target)  # noqa: PTH105 - as above
        sync_directory(self.directory)

    def _named(self, ending: str) -> Path:
        return self._stem.with_name(f"{self._stem.name}.{ending}")


def _stem(name: str) -> str:
    """The name, as long as an ending fits behind it; else a digest of it. No two names share one."""
    escaped = name.replace("%", "%25")
    if len(os.fsencode(escaped)) <= _MAX_PLAIN_BYTES:
        return escaped
    return f"%~{hashlib.sha256(os.fsencode(name)).hexdigest()}"
