"""Locks that tell whether the owner of a journal lives: the system frees them when a process ends, however it ends."""

from __future__ import annotations

import os
import sys

__all__ = ["Lock"]

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """A lock on a file, held until :meth:`release` or until the process ends.

    A forked child inherits the open file, and with it the lock: it calls :meth:`release`, which closes its own
    descriptor and leaves the lock to the parent.
    """

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def take(cls, path: str) -> Lock | None:
        """The lock on a file, which is made when it does not exist; None when somebody else holds it.

        Raises:
            OSError: The file cannot be made.
        """
        file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            _take(file)
        except OSError:
            os.close(file)
            return None
        return cls(file)

    def release(self) -> None:
        """Close the file; doing it again changes nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
