"""Work on files that need not hold up training: one thread, jobs in order, waited for per run or all together."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable

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

    def wait(self, run_id: str | None = None) -> None:
        """Block until the jobs of a run, or all jobs, are done, well or badly."""
        with self._changed:
            self._changed.wait_for(lambda: not self._unfinished if run_id is None else run_id not in self._unfinished)

    def flush(self) -> None:
        """Block until all jobs are done.

        Raises:
            Exception: The first failure since the last flush.
        """
        self.wait()
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
                self._unfinished[run_id] -= 1
                if not self._unfinished[run_id]:
                    del self._unfinished[run_id]
                self._changed.notify_all()


JOBS = Jobs()
"""The ones of this process."""


atexit.register(JOBS.wait)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=JOBS.reset)
