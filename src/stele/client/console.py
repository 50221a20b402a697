"""What the client says to a person at a terminal or in a notebook."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from stele import settings
from stele.schema.runs import Run

__all__ = ["WaitingLine", "run_url", "show_kept", "show_run"]

_PATIENCE_SECONDS = 1.0


def run_url(tracking_uri: str, run: Run) -> str:
    """The web page of a run; empty when the store has no web page."""
    if not tracking_uri.startswith(("http://", "https://")):
        return ""
    return f"{tracking_uri.rstrip('/')}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def show_run(tracking_uri: str, run: Run) -> None:
    """Tell where a run that ended can be looked at, on a terminal only."""
    url = run_url(tracking_uri, run)
    if url and settings.PROGRESS.get() and sys.stderr.isatty():
        print(f"View run {run.info.run_name} at {url}", file=sys.stderr)  # noqa: T201 - for the person there


def show_kept(directory: object) -> None:
    """Tell where a run that ended offline is kept, on a terminal only."""
    if settings.PROGRESS.get() and sys.stderr.isatty():
        print(f"The run is kept in {directory}; `stele sync` sends it.", file=sys.stderr)  # noqa: T201 - as above


class WaitingLine:
    """A line on a terminal that tells what is still being sent, when that takes longer than a second.

    Args:
        uri: The store.
    """

    def __init__(self, uri: str) -> None:
        self._place = uri.rpartition("@")[2].rpartition("/")[2] if not uri.startswith("http") else uri
        self._begun = time.monotonic()
        self._width = 0

    def show(self, waiting: int) -> None:
        """Say how many points and requests wait."""
        passed = time.monotonic() - self._begun
        if passed > _PATIENCE_SECONDS and settings.PROGRESS.get() and sys.stderr.isatty():
            self._write(f"Sending {waiting} points to {self._place} ({passed:.0f} s)")

    def _write(self, text: str) -> None:
        print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)  # noqa: T201 - for the person there
        self._width = len(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            self._write("")
            print("\r", end="", file=sys.stderr, flush=True)  # noqa: T201
