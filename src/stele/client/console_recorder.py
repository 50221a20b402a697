"""What a program prints while a run goes on, kept with the run as ``logs/console/000001.log`` and so on.

Printing only adds to a list. A thread per run cuts that into parts, each of which is written once; whatever goes wrong
there is logged as a warning and never reaches the training code.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from stele import settings
from stele.client.client import Client
from stele.client.console_hooks import HOOKS
from stele.client.console_parts import next_part
from stele.client.console_text import Screen, utf8_size
from stele.schema.runs import Run

__all__ = ["ConsoleRecorder"]

_LOGGER = logging.getLogger(__name__)
_PART_BYTES = 1 << 20
_MOST_TEXT = 6 << 20
"""Characters that wait as they were printed, at most."""
_MOST_SHOWN_BYTES = 10 << 20
"""Bytes of lines that wait for the next part, at most."""
_SHORTEST_SECONDS = 5.0
_LONGEST_SECONDS = 600.0
_SHARE_OF_AGE = 1 / 20


class ConsoleRecorder:
    """Keeps what is printed with one run.

    Args:
        client: Where to keep it.
        run: The run. The older it is, the rarer are parts.
        clock: Tells seconds.
    """

    def __init__(self, client: Client, run: Run, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._run_id = run.info.run_id
        self._clock = clock
        self._begun = clock() - max(time.time() - run.info.start_time / 1000, 0.0)
        # Signal handlers and finalizers print, too, in the middle of what their thread does: so an RLock, and a queue
        # that may be entered again.
        self._lock = threading.RLock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._texts: deque[str] = deque()
        self._length = 0
        self._lost = 0
        self._since: float | None = None  # when the oldest text came that no part has
        self._is_called = False
        self._screen = Screen()
        self._part: tuple[str, bytes] | None = None  # what is on its way
        self._warned = False
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="stele-console", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        HOOKS.add(self.hear)

    def finish(self, seconds: float | None = None) -> bool:
        """Stop listening and store what is left.

        Args:
            seconds: How long to wait for that at most; None means ``STELE_EXIT_TIMEOUT``.

        Returns:
            Whether all of it is stored.
        """
        HOOKS.remove(self.hear)
        self._stopping = True
        self._wake.put(None)
        with contextlib.suppress(KeyboardInterrupt):  # somebody does not want to wait; the run ends nevertheless
            self._thread.join(settings.EXIT_TIMEOUT_SECONDS.get() if seconds is None else seconds)
        left = self.waiting_bytes()
        if left:
            _LOGGER.warning("The last %d bytes that were printed are not kept with run %s.", left, self._run_id)
        return not left

    def hear(self, text: str) -> None:
        """Take note of a text that was printed; the oldest ones are dropped when too much waits."""
        with self._lock:
            self._texts.append(text)
            self._length += len(text)
            if self._since is None:
                self._since = self._clock()
                self._wake.put(None)
            if self._length >= _PART_BYTES:
                self._call_for_room()

    def _call_for_room(self) -> None:
        if not self._is_called:
            self._is_called = True
            self._wake.put(None)
        while self._length > _MOST_TEXT:
            self._drop(self._length - _MOST_TEXT)

    def _drop(self, count: int) -> None:
        oldest = self._texts.popleft()
        if len(oldest) > count:
            self._texts.appendleft(oldest[count:])
        self._length -= min(count, len(oldest))
        self._lost += utf8_size([oldest[:count]])

    def hear_failure(self, error: BaseException) -> None:
        """Take note of the traceback of an error that ends the run: Python prints it only when the run has ended."""
        if not isinstance(error, SystemExit):  # of which it prints none
            self.hear("".join(traceback.format_exception(error)))

    def advance(self, *, last: bool = False) -> float | None:
        """Store the parts that are due.

        Args:
            last: Whether nothing is printed any more, so that all is due.

        Returns:
            Seconds until there is something due; None when nothing waits.
        """
        now = self._clock()
        self._collect()
        overdue = self._since is not None and now - self._since >= self._interval(now)
        full = self._screen.size >= _PART_BYTES and self._part is None
        if not (last or overdue or full):
            return self._seconds_left(now)
        if last:
            self._screen.end()
        stored = False
        while self._store_next(unfinished=overdue and not stored):
            stored = True
        with self._lock:
            is_waiting = bool(self._texts) or self._part is not None or self._screen.is_waiting
            self._since = now if is_waiting else None
        return self._seconds_left(now)

    def waiting_bytes(self) -> int:
        """About how much is not stored."""
        waiting = len(self._part[1]) if self._part else 0
        return waiting + self._length + (self._screen.size if self._screen.is_waiting else 0)

    def _work(self) -> None:
        try:
            while not self._stopping:
                with contextlib.suppress(Empty):
                    self._wake.get(timeout=self.advance())
            self.advance(last=True)
        except Exception:
            HOOKS.remove(self.hear)
            _LOGGER.warning("What is printed is not kept with run %s any more.", self._run_id, exc_info=True)

    def _interval(self, now: float) -> float:
        return min(max((now - self._begun) * _SHARE_OF_AGE, _SHORTEST_SECONDS), _LONGEST_SECONDS)

    def _seconds_left(self, now: float) -> float | None:
        since = self._since
        return None if since is None else max(since + self._interval(now) - now, 0.0)

    def _collect(self) -> None:
        """Let the screen show what was printed."""
        with self._lock:
            texts, lost = self._texts, self._lost
            self._texts = deque()
            self._length = self._lost = 0
            self._is_called = False
        if lost:
            self._screen.tell_lost(lost)
        self._screen.write("".join(texts))
        self._screen.drop_beyond(_MOST_SHOWN_BYTES)

    def _store_next(self, *, unfinished: bool) -> bool:
        """Store the next part, or the one that could not be stored before. Whether there was one and it is stored."""
        try:
            if self._part is None:
                text = self._screen.cut(_PART_BYTES, unfinished=unfinished)
                if not text:
                    return False
                self._part = ("", text.encode())
            self._store(*self._part)
        except Exception as error:  # whatever a place of files may raise: the next part is another chance
            if not self._warned:
                self._warned = True
                _LOGGER.warning(
                    "What is printed cannot be stored with run %s now, and is tried again: %s", self._run_id, error
                )
            return False
        self._part = None
        return True

    def _store(self, path: str, content: bytes) -> None:
        """Write a part, unless it arrived when that seemed to fail; meanwhile others may have taken its number."""
        repository = self._client.repository(self._run_id)
        there = repository.stat(path) if path else None
        if there is None or there.sha256 != hashlib.sha256(content).hexdigest():
            path = next_part(repository)
            self._part = (path, content)
            repository.write(path, [content])
