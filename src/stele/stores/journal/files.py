"""Where journals lie, and the small files of one: header, state, names, operations, what was refused.

Appended files hold one JSON value a line and are written with one system call a line, so that a process that is killed
leaves at most one line that has no end; it is not read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from stele import settings
from stele.errors import InvalidParameterValue, shown

__all__ = [
    "DEAD",
    "FILES",
    "FORMAT",
    "HEADER",
    "LOCK",
    "OPERATIONS",
    "REFUSED_FILES",
    "SERIES",
    "AppendedFile",
    "Header",
    "Operation",
    "State",
    "find_journals",
    "journal_root",
    "make_directory",
    "read_header",
    "read_lines",
    "read_state",
    "remove_journal",
    "store_directory",
    "sweep",
    "write_header",
    "write_state",
]

FORMAT = 1
"""Of the files. A reader refuses a higher one; a change that old readers would misread raises it."""

HEADER, STATE, LOCK = "header.json", "state.json", "lock"
SERIES, OPERATIONS, DEAD = "series.jsonl", "operations.jsonl", "dead-letters.jsonl"
FILES, REFUSED_FILES = "files", "refused-files"
_DIGEST_CHARACTERS = 16
_REMOVED = ".removed-"
_ATTEMPTS = 10

T = TypeVar("T")


class Header(Struct, frozen=True):
    """Whose journal it is.

    Attributes:
        format: See :data:`FORMAT`.
        uri: The store, with what is needed to reach it.
        client_id: Names the sender of its batches.
        process: Id of the process that writes it.
        created: Milliseconds since 1970.
        offline: Whether runs were made without asking the store.
    """

    format: int
    uri: str
    client_id: str
    process: int
    created: int
    offline: bool = False


class State(Struct, frozen=True):
    """How far a journal is stored, and the batch that was begun last.

    The batch is the complete records from ``start`` to before ``stop`` and those in ``late``, without those in
    ``missing`` and those of series in ``excluded``. It is written before the batch is sent, so that whoever carries on
    after a crash sends the same batch under the same number.

    Attributes:
        sequence: Number of the batch, 0 before the first.
        start: First record of the batch.
        stop: The record behind its last.
        acknowledged: Whether the store has it.
        late: Records before ``start`` that were not complete when their neighbours were sent.
        missing: Records before ``stop`` that were not complete when the batch was made.
        excluded: Numbers of series that the store refused in this batch.
        strides: For runs that have as many points as the store takes: every how many points of a series one is sent.
        operations: How many operations are done.
    """

    sequence: int = 0
    start: int = 0
    stop: int = 0
    acknowledged: bool = True
    late: list[int] = []
    missing: list[int] = []
    excluded: list[int] = []
    strides: dict[str, int] = {}
    operations: int = 0


class Operation(Struct, frozen=True, omit_defaults=True):
    """A request that is carried out later.

    Attributes:
        name: The operation of the store; empty when the line was damaged, ``request`` is its text then.
        request: Its message.
        after: Records that must be stored before it; None means any moment.
    """

    name: str
    request: msgspec.Raw
    after: int | None = None


class AppendedFile:
    """A file that grows by lines. What could not be written, because the disk is full, is tried again with the next.

    Args:
        path: The file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file = -1
        self._unwritten = b""

    def append(self, value: object) -> bool:
        """Write a value as JSON; False when it is only in memory."""
        if self._path is None:
            return False
        self._unwritten += msgspec.json.encode(value) + b"\n"
        return self.flush()

    def flush(self) -> bool:
        """Write what could not be written before; False when some of it still cannot."""
        try:
            if self._file < 0 and self._path is not None:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)
            while self._unwritten:
                self._unwritten = self._unwritten[os.write(self._file, self._unwritten) :]
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would turn line ends into two characters


def journal_root() -> Path:
    """The directory of all journals: ``STELE_JOURNAL_DIR``, else ``stele/journal`` in the user's state directory."""
    chosen = settings.JOURNAL_DIR.get()
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        state = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    else:
        state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "stele" / "journal"


def store_directory(uri: str) -> Path:
    """The directory of the journals for one store."""
    return journal_root() / hashlib.sha256(uri.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def find_journals(directory: Path) -> list[Path]:
    """The journals below a directory, oldest first; a directory that is a journal is one."""
    if (directory / HEADER).is_file():
        return [directory]
    try:
        parents = (path.parent for depth in ("*", "*/*") for path in directory.glob(f"{depth}/{HEADER}"))
        found = [path for path in parents if not path.name.startswith(_REMOVED)]
        return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))
    except FileNotFoundError:  # somebody else has shipped one meanwhile
        return find_journals(directory)


def read_header(directory: Path) -> Header:
    """The header of a journal.

    Raises:
        InvalidParameterValue: The directory is no journal, or one of a newer version.
    """
    try:
        header = msgspec.json.decode((directory / HEADER).read_bytes(), type=Header)
    except (OSError, msgspec.MsgspecError) as e:
        raise InvalidParameterValue(f"{shown(str(directory))} is no journal: {e}.") from e
    if header.format > FORMAT:
        raise InvalidParameterValue(
            f"The journal {shown(str(directory))} has format {header.format}; this version reads up to {FORMAT}."
        )
    return header


def write_header(directory: Path, header: Header) -> None:
    """Make a directory a journal, at once and as a whole."""
    _replace(directory / HEADER, msgspec.json.encode(header))


def read_state(directory: Path) -> State | None:
    """How far a journal is stored; one that was never sent has the first state. None when a power cut damaged it."""
    try:
        return msgspec.json.decode((directory / STATE).read_bytes(), type=State)
    except FileNotFoundError:
        return State()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_state(directory: Path, state: State) -> None:
    """Keep how far a journal is stored.

    Raises:
        OSError: It cannot be written; what was kept before stays.
    """
    _replace(directory / STATE, msgspec.json.encode(state))


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
    try:
        os.write(file, content)
    finally:
        os.close(file)
    temporary.replace(path)


def read_lines(path: Path, kind: type[T], damaged: Callable[[bytes], T] | None = None) -> Iterator[T]:
    """The values of an appended file; nothing when there is none.

    Args:
        path: The file.
        kind: What a line holds.
        damaged: What stands for a line that a power cut damaged; without it such a line is left out.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    decoder = msgspec.json.Decoder(kind)
    for line in content.split(b"\n")[:-1]:  # what follows the last line end was being written
        try:
            value = decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            if damaged is None:
                continue
            value = damaged(line)
        yield value


def remove_journal(directory: Path) -> None:
    """Delete a journal whose lock the caller holds. It is renamed first, so that nobody finds half a journal."""
    removed = directory.with_name(_REMOVED + directory.name)
    try:
        directory.rename(removed)
    except OSError:  # Windows does not rename what holds an open file, here the lock
        (directory / HEADER).unlink(missing_ok=True)
        removed = directory
    shutil.rmtree(removed, ignore_errors=True)
    with contextlib.suppress(OSError):  # there are journals of other processes
        directory.parent.rmdir()


def make_directory(directory: Path) -> None:
    """Make the private directory of a new journal.

    Raises:
        OSError: It cannot be made.
    """
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(FileNotFoundError):  # somebody has just removed the empty directory above it
            directory.mkdir(parents=True, mode=0o700)
            return
    directory.mkdir(parents=True, mode=0o700)


def sweep(directory: Path) -> None:
    """Delete what somebody began to delete and was killed."""
    for removed in directory.glob(f"{_REMOVED}*"):
        shutil.rmtree(removed, ignore_errors=True)
