"""Turns between processes that write one file.

On POSIX a turn is an ``flock`` on a file that stays open: one system call to take it and one to give it back, where
filelock opens, locks and closes the file each time (60 us, a tenth of a small write) and looks for a free lock every
50 ms. On Windows filelock does it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from stele.errors import Unavailable

__all__ = ["Turn", "open_turn"]

_SECONDS = 60.0
_POLL_SECONDS = 0.0005


class Turn(Protocol):
    """A lock between processes, held inside a ``with`` block by one thread of one of them."""

    def __enter__(self) -> object:
        """Wait for the turn.

        Raises:
            Unavailable: Another process has held it for a minute.
        """
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def attempt(self) -> bool:
        """Take the turn when it is free; whoever got it gives it back by leaving."""
        ...

    def leave(self) -> None:
        """Give the turn back."""
        ...

    def close(self) -> None:
        """Give back the file."""
        ...


def open_turn(path: Path) -> Turn:
    """The turn of the processes that name the same file; it is made when it does not exist, and never removed."""
    if sys.platform == "win32":
        return _FileLockTurn(path)
    else:  # noqa: RET505  # the type checker reads only one of the two
        return _FlockTurn(path)


def _too_long(path: Path) -> Unavailable:
    return Unavailable(f"Another process has held {path} for {_SECONDS:g} seconds, and with it the right to write.")


if sys.platform == "win32":
    from filelock import FileLock, Timeout

    class _FileLockTurn:
        def __init__(self, path: Path) -> None:
            self._path = path
            self._lock = FileLock(path, timeout=_SECONDS, poll_interval=0.005)

        def __enter__(self) -> Self:
            try:
                self._lock.acquire()
            except Timeout as e:
                raise _too_long(self._path) from e
            return self

        def __exit__(self, *_: object) -> None:
            self.leave()

        def attempt(self) -> bool:
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                return False
            return True

        def leave(self) -> None:
            self._lock.release()

        def close(self) -> None:
            """Nothing stays open."""

else:
    import fcntl

    class _FlockTurn:
        def __init__(self, path: Path) -> None:
            self._path = path
            self._file = -1

        def __enter__(self) -> Self:
            deadline = time.monotonic() + _SECONDS
            while not self.attempt():  # waiting in the kernel could not be given up
                if time.monotonic() > deadline:
                    raise _too_long(self._path)
                time.sleep(_POLL_SECONDS)
            return self

        def __exit__(self, *_: object) -> None:
            self.leave()

        def attempt(self) -> bool:
            if self._file < 0:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        def leave(self) -> None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

        def close(self) -> None:
            """Give back the file; the next turn opens it again."""
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
