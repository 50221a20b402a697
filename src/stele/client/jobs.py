"""Work on files that need not hold up training: one thread, jobs in order, waited for per run or all together."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable

from stele import settings
from stele.errors import Unavailable

__all__ = ["JOBS", "Jobs"]

_LOGGER = logging.getLogger(__name__)


class Jobs:
    """Runs one job at a time on a thread that ends when there is nothing to do."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything that waits: for a new process, and for tests."""
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, Callable[[], None], bool]] = deque()
        self._unfinished: dict[str, int] = {}
        self._failed: list[Exception] = []
        self._running = False
        self._done = 0
        self._stuck = -1

    def submit(self, run_id: str, job: Callable[[], None], *, optional: bool = False) -> None:
        """Do a job of a run later.

        Args:
            run_id: The run.
            job: What to do; it may raise.
            optional: Nobody needs to hear of its failure.
        """
        with self._changed:
            self._waiting.append((run_id, job, optional))
            self._unfinished[run_id] = self._unfinished.get(run_id, 0) + 1
            if not self._running:
                self._running = True
                threading.Thread(target=self._work, name="stele-background-files", daemon=True).start()

    def wait(self, run_id: str | None = None, seconds: float | None = None) -> bool:
        """Block until the jobs of a run, or all jobs, are done, well or badly.

        Args:
            run_id: The run; None means all.
            seconds: How long to wait for the next one to be done; None means ``STELE_EXIT_TIMEOUT``. Who comes after
                somebody who waited in vain does not wait before one is done again.

        Returns:
            Whether they are.
        """
        if seconds is None:
            seconds = settings.EXIT_TIMEOUT_SECONDS.get()
        with self._changed:
            while self._left(run_id):
                done = self._done
                if self._stuck == done or not self._changed.wait_for(lambda: self._done > done, seconds):  # noqa: B023
                    self._stuck = done
                    return False
            return True

    def _left(self, run_id: str | None) -> int:
        return sum(self._unfinished.values()) if run_id is None else self._unfinished.get(run_id, 0)

    def finish(self, run_id: str | None = None) -> bool:
        """Wait at the end of a run or of the process, and warn of what is not written."""
        if self.wait(run_id):
            return True
        of_run = f" of run {run_id}" if run_id else ""
        _LOGGER.warning("%d files%s are not written, their store does not answer.", self._left(run_id), of_run)
        return False

    def flush(self) -> None:
        """Block until all jobs are done.

        Raises:
            Exception: The first failure since the last flush.
            Unavailable: None was done for ``STELE_EXIT_TIMEOUT``.
        """
        with self._changed:
            self._stuck = -1
        if not self.wait():
            raise Unavailable(f"{self._left(None)} files are not written yet, their store does not answer.")
        failed, self._failed = self._failed, []
        if failed:
            raise failed[0]

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._running = False
                    return
                run_id, job, optional = self._waiting.popleft()
            try:
                job()
                error = None
            except Exception as e:
                error = e
                _LOGGER.log(
                    logging.DEBUG if optional else logging.WARNING, "Writing a file of run %s failed: %s", run_id, e
                )
            with self._changed:
                if error is not None and not optional:
                    self._failed.append(error)
                self._done += 1
                self._unfinished[run_id] -= 1
                if not self._unfinished[run_id]:
                    del self._unfinished[run_id]
                self._changed.notify_all()


JOBS = Jobs()
"""The ones of this process."""


atexit.register(JOBS.finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=JOBS.reset)
