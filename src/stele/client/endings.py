"""How a run ends when its store does not answer, and how it ends when the process is told to."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from stele.client.calls.base import now
from stele.errors import DeadlineExceeded, TooManyRequests, Unauthenticated, Unavailable
from stele.schema.enums import status_name
from stele.schema.runs import UpdateRun

if TYPE_CHECKING:
    from stele.stores.buffered import BufferedStore
    from stele.stores.journal.sender import Progress

__all__ = ["SHUTDOWN", "finish_run"]

_LOGGER = logging.getLogger(__name__)
_EXIT_BASE = 128  # a shell says so of a process that a signal ended


def finish_run(store: BufferedStore, run_id: str, status: str, progress: Progress, seconds: float) -> None:
    """End a run when everything that was logged to it is stored, also by processes that have ended.

    When the store does not take all of it in time, the end goes to the journal behind the points.

    Args:
        store: The store of the run.
        run_id: The run.
        status: A name of ``RunStatus``.
        progress: Is told now and then how many points and requests wait.
        seconds: How long to wait at most.

    Raises:
        DoesNotExist: There is no such run.
        InvalidParameterValue: The status is not allowed, or the run is deleted.
    """
    request = UpdateRun(run_id=run_id, end_time=now())
    request.status = status_name(status)  # type: ignore[assignment]  # the name was checked
    problem = ""
    deadline = time.monotonic() + min(seconds, store.patience_seconds())
    try:
        if store.flush(deadline - time.monotonic(), leftovers=True, progress=progress) or store.offline:
            _answered(store, lambda: store.update_run(request), deadline)
            return
    except (Unavailable, DeadlineExceeded, TooManyRequests, Unauthenticated) as error:
        problem = str(error)
    except KeyboardInterrupt:
        store.submit("update_run", request, ordered=True)
        raise
    store.submit("update_run", request, ordered=True)
    store.give_up()
    _LOGGER.warning(
        "The store does not take the end of run %s now (%s). It stays in the journal %s; `stele sync` or the next run "
        "sends it.",
        run_id,
        problem or store.error or "the time was too short",
        store.directory,
    )


def _answered(store: BufferedStore, call: Callable[[], object], deadline: float) -> None:
    """Ask the store something that may be asked twice, and wait for the answer until a moment of ``time.monotonic``.

    Raises:
        DeadlineExceeded: There was none; the call goes on in the background.
    """
    if store.offline:
        call()
        return
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            call()
        except BaseException as error:  # who waits raises it
            failed.append(error)

    thread = threading.Thread(target=ask, name="stele-end", daemon=True)
    thread.start()
    thread.join(max(deadline - time.monotonic(), 0.0))
    if failed:
        raise failed[0]
    if thread.is_alive():
        raise DeadlineExceeded("it did not answer in time")


class Shutdown:
    """Answers SIGTERM, as schedulers and containers send it, in a program that does not do so itself.

    The program unwinds, its runs end as KILLED, and what was logged is sent.

    Attributes:
        terminated: Whether the signal came.
    """

    def __init__(self) -> None:
        self.terminated = False
        self._watching = False

    def watch(self) -> None:
        """Begin, unless the program has a handler of its own or this is not its main thread."""
        if self._watching or threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._answer)
            self._watching = True

    def _answer(self, number: int, _frame: FrameType | None) -> None:
        self.terminated = True
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once; the journal has everything
        raise SystemExit(_EXIT_BASE + number)

    def forget(self) -> None:
        """In a forked child: die of the signal at once, as children of such programs did. Its journal is on disk."""
        if self._watching and signal.getsignal(signal.SIGTERM) == self._answer:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._watching = False


SHUTDOWN = Shutdown()
"""The one of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SHUTDOWN.forget)
