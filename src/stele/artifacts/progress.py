"""How far a transfer is: told to whoever wants to know, shown on a terminal when it takes long."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from stele import settings

if TYPE_CHECKING:
    import rich.progress

__all__ = ["NO_PROGRESS", "Progress", "TerminalProgress", "shown_progress"]

_PATIENCE_SECONDS = 1.0
_MANY_FILES = 10
_MANY_BYTES = 10_000_000


class Progress(Protocol):
    """Learns of a transfer. Threads call it at the same time."""

    def add(self, count: int) -> None:
        """So many bytes more have moved."""
        ...

    def done(self) -> None:
        """The transfer is over, well or not."""
        ...


class _NoProgress:
    def add(self, count: int) -> None: ...
    def done(self) -> None: ...


NO_PROGRESS: Progress = _NoProgress()


class TerminalProgress:
    """A bar on standard error. It appears at once for much data, else when the transfer takes longer than a second.

    Args:
        label: What is going on, as in "Uploading".
        total_bytes: How much there is; None when nobody knows.
        files: How many files; None when nobody knows.
    """

    def __init__(self, label: str, total_bytes: int | None = None, files: int | None = None) -> None:
        self._label = label
        self._total = total_bytes
        self._moved = 0
        self._lock = Lock()
        self._bar: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        much = (total_bytes or 0) > _MANY_BYTES or (files or 0) > _MANY_FILES
        self._show_at = monotonic() + (0.0 if much else _PATIENCE_SECONDS)

    def add(self, count: int) -> None:
        """See :meth:`Progress.add`."""
        with self._lock:
            self._moved += count
            if self._bar is None and monotonic() >= self._show_at:
                self._bar = self._started()
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=self._moved)

    def done(self) -> None:
        """See :meth:`Progress.done`."""
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def _started(self) -> rich.progress.Progress:
        import rich.console
        import rich.progress as parts

        bar = parts.Progress(
            parts.TextColumn("{task.description}"),
            parts.BarColumn(),
            parts.DownloadColumn(),
            parts.TransferSpeedColumn(),
            parts.TimeRemainingColumn(),
            console=rich.console.Console(stderr=True),
            transient=True,
        )
        self._task = bar.add_task(self._label, total=self._total)
        bar.start()
        return bar


@contextmanager
def shown_progress(label: str, total_bytes: int | None = None, files: int | None = None) -> Iterator[Progress]:
    """A progress for one transfer: a bar on a terminal when ``STELE_PROGRESS`` is on, else silence."""
    visible = sys.stderr.isatty() and settings.PROGRESS.get()
    progress = TerminalProgress(label, total_bytes, files) if visible else NO_PROGRESS
    try:
        yield progress
    finally:
        progress.done()
