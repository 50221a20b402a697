"""One journal: what a process appends to it, or what a process left behind."""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from stele.schema.codec import encode
from stele.stores.journal import files
from stele.stores.journal.files import AppendedFile, Header, Operation, State
from stele.stores.journal.locks import Lock
from stele.stores.journal.segments import (
    INDEX_MASK,
    INDEX_SHIFT,
    MARK_OFFSET,
    MARKS,
    RECORD_SHIFT,
    SEGMENT_BYTES,
    Segments,
    pack_mark,
    pack_payload,
)

__all__ = ["Append", "Journal"]

_LOGGER = logging.getLogger(__name__)
_LEAST_SEGMENTS = 4
_MEMORY_SEGMENTS = 16  # 64 MiB, when the disk takes nothing

Append = Callable[..., int]
"""``append(value, step=0, timestamp=None)`` writes a point and returns the number of its record.

``timestamp`` is in milliseconds since 1970, None means now. TypeError, OverflowError and struct.error tell that one of
them is no number of its kind; then nothing was written.
"""


class Journal:
    """The records, names and operations of one process for one store.

    Any thread may append. Reading, and everything that is about what is stored, is the work of one thread.

    Attributes:
        header: Whose it is.
        directory: Where it lies; None when no directory could be made, then it lives in memory.
        segments: The points.
        operations: The requests that wait for their turn, by number from 1; done ones are gone.
        barriers: Of those that wait for points, number and the record behind the last point.
        state: How far it is stored.
    """

    def __init__(self, header: Header, directory: Path | None, lock: Lock | None, segments: Segments) -> None:
        self.header = header
        self.directory = directory
        self.segments = segments
        self.operations: dict[int, Operation] = {}
        self.barriers: deque[tuple[int, int]] = deque()
        self.state = State()
        self._lock = lock
        self._names: list[tuple[str, str]] = [("", "")]  # number 0 says nothing
        self._numbers: dict[tuple[str, str], Append] = {}
        self._registering = threading.RLock()
        self._take = itertools.count().__next__
        self._last_operation = 0
        self._warned: set[str] = set()
        self._series_file = AppendedFile(directory and directory / files.SERIES)
        self._operations_file = AppendedFile(directory and directory / files.OPERATIONS)
        self._dead_file = AppendedFile(directory and directory / files.DEAD)

    @classmethod
    def create(cls, uri: str, *, offline: bool = False) -> Journal:
        """A new journal of this process for a store; in memory, with a warning, when the disk refuses it."""
        client_id = uuid.uuid4().hex
        header = Header(files.FORMAT, uri, client_id, os.getpid(), time.time_ns() // 1_000_000, offline)
        directory = files.store_directory(uri) / client_id
        try:
            files.make_directory(directory)
            lock = Lock.take(str(directory / files.LOCK))
            files.write_header(directory, header)
        except OSError as e:
            _LOGGER.warning("No journal can be kept in %s. A crash loses what is not sent yet: %s", directory, e)
            return cls(header, None, None, Segments(None))
        return cls(header, directory, lock, Segments(directory))

    @classmethod
    def adopt(cls, directory: Path) -> Journal | None:
        """The journal that a process left behind; None when its process lives or somebody else adopted it.

        Raises:
            InvalidParameterValue: The directory is no journal, or one of a newer version.
            OSError: It cannot be read.
        """
        header = files.read_header(directory)
        lock = Lock.take(str(directory / files.LOCK))
        if lock is None:
            return None
        if not (directory / files.HEADER).is_file():  # it was shipped and removed while we waited
            lock.release()
            return None
        try:
            journal = cls(header, directory, lock, Segments.load(directory))
            if not journal._restore(directory):
                journal._begin_again(directory)
        except BaseException:
            lock.release()
            raise
        return journal

    @classmethod
    def peek(cls, directory: Path) -> Journal:
        """The journal as it is now, to look at; its process may be writing to it.

        Raises:
            InvalidParameterValue: The directory is no journal, or one of a newer version.
            OSError: It cannot be read.
        """
        journal = cls(files.read_header(directory), directory, None, Segments.load(directory))
        journal._restore(directory)
        return journal

    def _restore(self, directory: Path) -> bool:
        """Read the small files; False when it is not known how far the journal is stored."""
        self._names += files.read_lines(directory / files.SERIES, tuple[str, str], lambda _: ("", ""))
        state = files.read_state(directory)
        self.state = state or State()
        end = max(self.segments.end(), self.state.stop)
        for number, operation in enumerate(files.read_lines(directory / files.OPERATIONS, Operation, _unreadable), 1):
            if number > self.state.operations:
                after = operation.after
                # What it waited for may be gone with the state that said so.
                self._queue(number, operation if after is None or after <= end else replace(operation, after=end))
        self._last_operation = max(self.operations, default=self.state.operations)
        return state is not None

    def _begin_again(self, directory: Path) -> None:
        """Send everything once more as somebody else: the store would take the old numbers for batches that it has.

        Points and params that it has change nothing.
        """
        self.header = replace(self.header, client_id=uuid.uuid4().hex)
        files.write_header(directory, self.header)
        files.write_state(directory, self.state)

    def appender(self, run_id: str, key: str) -> Append:
        """What writes points of a metric of a run. The key was checked."""
        found = self._numbers.get((run_id, key))
        if found is not None:
            return found
        with self._registering:
            if (run_id, key) not in self._numbers:
                number = len(self._names)
                # On disk before the first record that needs it.
                self._series_file.append((run_id, key))
                self._names.append((run_id, key))
                self._numbers[run_id, key] = self._new_appender(number)
            return self._numbers[run_id, key]

    def _new_appender(self, series: int) -> Append:
        """A function whose every name is a local or a constant: it is called a million times a second."""
        take, existing, create, clock = self._take, self.segments.buffers.get, self.segments.create, time.time_ns
        payload, mark = pack_payload, pack_mark
        shift, mask, record_shift, mark_offset, marks = INDEX_SHIFT, INDEX_MASK, RECORD_SHIFT, MARK_OFFSET, MARKS

        def append(value: float, step: int = 0, timestamp: int | None = None) -> int:
            if not isinstance(value, (float, int)):
                raise TypeError
            if timestamp is None:
                timestamp = clock() // 1_000_000
            number = take()
            segment = existing(number >> shift) or create(number >> shift)
            offset = (number & mask) << record_shift
            try:
                payload(segment, offset, series, step, timestamp, value)
            except BaseException:
                payload(segment, offset, 0, 0, 0, 0.0)
                mark(segment, offset + mark_offset, number % marks + 1)
                raise
            mark(segment, offset + mark_offset, number % marks + 1)
            return number

        return append

    def name(self, series: int) -> tuple[str, str]:
        """Run and key of a series; empty texts when the name was lost with a full disk."""
        return self._names[series] if series < len(self._names) else ("", "")

    def series_count(self) -> int:
        """How many series have a name."""
        return len(self._names) - 1

    def submit(self, name: str, request: Any, *, ordered: bool) -> int:
        """Keep a request for later.

        Args:
            name: The operation of the store.
            request: Its message.
            ordered: Whether the points that are in the journal now must be stored before it.

        Returns:
            The number of the operation.
        """
        with self._registering:
            after = self.segments.end() if ordered else None
            operation = Operation(name, msgspec.Raw(encode(request)), after)
            self._operations_file.append(operation)
            self._queue(self._last_operation + 1, operation)
            self._last_operation += 1
            return self._last_operation

    def _queue(self, number: int, operation: Operation) -> None:
        self.operations[number] = operation
        if operation.after is not None:
            self.barriers.append((number, operation.after))

    def finish_operations(self, number: int) -> None:
        """Note that the operations up to this one are done."""
        before = self.state.operations
        self.keep_state(replace(self.state, operations=number))
        while self.barriers and self.barriers[0][0] <= number:
            self.barriers.popleft()
        for done in range(before + 1, number + 1):
            self.operations.pop(done, None)

    def end(self) -> tuple[int, int]:
        """The record behind the last complete one, and the number of the last operation."""
        return max(self.segments.end(), self.state.stop), self._last_operation

    def keep_state(self, state: State) -> None:
        """Note how far the journal is stored, and forget pieces whose records all are."""
        self.state = state
        self._series_file.flush()
        self._operations_file.flush()
        if self.directory is not None:
            try:
                files.write_state(self.directory, state)
            except OSError as e:
                self.warn_once("state", "What is stored of the journal %s cannot be noted: %s", self.directory, e)

    def forget_stored(self) -> None:
        """Remove the pieces whose records are all stored."""
        held = {number >> INDEX_SHIFT for number in self.state.missing}
        for index in [index for index in self.segments.buffers if (index + 1) << INDEX_SHIFT <= self.state.stop]:
            if index not in held:
                self.segments.remove(index)

    def set_aside(self, letters: list[dict[str, Any]]) -> None:
        """Keep what the store refused, with the reason, in the file of dead letters."""
        for letter in letters:
            self._dead_file.append(msgspec.Raw(encode(letter)))

    def is_full(self, max_bytes: int) -> bool:
        """Whether pieces have to be joined: the journal is larger than this, or too much of it is in memory."""
        if self.directory is None or self.segments.memory:
            self.warn_memory()
        most = max(max_bytes // SEGMENT_BYTES, _LEAST_SEGMENTS)
        in_memory = len(self.segments.buffers) if self.directory is None else self.segments.memory
        return len(self.segments.buffers) > most or in_memory > _MEMORY_SEGMENTS

    def warn_memory(self) -> None:
        """Tell once that points are in memory only."""
        if self.directory is not None:
            self.warn_once(
                "memory",
                "The disk of the journal %s is full; points are in memory until they are sent.",
                self.directory,
            )

    def warn_once(self, what: str, message: str, *arguments: object) -> None:
        """Log a warning, the first time that it is about this."""
        if what not in self._warned:
            self._warned.add(what)
            _LOGGER.warning(message, *arguments)

    def has_dead_letters(self) -> bool:
        """Whether something was refused and is kept here."""
        return self.directory is not None and (self.directory / files.DEAD).exists()

    def close(self, *, remove: bool) -> None:
        """Give the journal back; removed when nothing of it has to be kept."""
        self.segments.close()
        for file in (self._series_file, self._operations_file, self._dead_file):
            file.close()
        if remove and self.directory is not None:
            files.remove_journal(self.directory)
        if self._lock is not None:
            self._lock.release()

    def leave_to_parent(self) -> None:
        """In a forked child: touch nothing, and do not keep the parent's lock beyond its life."""
        if self._lock is not None:
            self._lock.release()


def _unreadable(line: bytes) -> Operation:
    return Operation("", msgspec.Raw(encode(line.decode(errors="replace"))))
