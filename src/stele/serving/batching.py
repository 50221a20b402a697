"""Predicting for many requests at once.

A vectorised model takes nearly as long for one row as for a hundred. While it predicts, requests pile up; they are its
next batch. So one client waits for nobody, many share the work, and there is no timer, unless one is asked for.

Handing a batch to a thread and back takes longer than many a model needs for a row. What is known to compute and to be
done soon is therefore computed on the event loop, together with everything that arrived in the same round of it.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import Struct

from stele.errors import DeadlineExceeded, TooManyRequests, Unavailable

__all__ = ["Batcher", "Job"]

logger = logging.getLogger(__name__)

_QUICK_SECONDS = 0.002
_QUICK_ROWS = 64
_FORGETTING = 0.1
"""Share of what is known about the time of a batch that a shorter one replaces."""


class Job(Struct):
    """One request that waits for its answer.

    Attributes:
        group: Jobs of the same group may be predicted together; None stands alone.
        rows: How many rows it has, for the size of a batch.
        work: What the function that answers needs.
        computes: Whether answering it is nothing but computing, so that it may be done on the event loop.
    """

    group: Any
    rows: int
    work: Any
    future: asyncio.Future[bytes]
    due: float
    computes: bool = False


Answers = list[bytes | BaseException]


class _Done(NamedTuple):
    jobs: list[Job]
    answers: Answers
    seconds: float


class Batcher:
    """Hands jobs over to threads that answer them, as many at once as belong together.

    Args:
        work: Answers jobs of one group, in their order; runs on a thread of its own.
        max_rows: The most rows that are predicted at once.
        delay_seconds: How long a job may wait for others while nothing is being predicted; 0 does not wait.
        max_waiting: Jobs that may wait; more are refused with 429.
        threads: How many groups are answered at the same time.
    """

    def __init__(
        self,
        work: Callable[[list[Job]], Answers],
        *,
        max_rows: int = 1024,
        delay_seconds: float = 0.0,
        max_waiting: int = 10_000,
        threads: int = 1,
    ) -> None:
        self._work = work
        self._max_rows = max_rows
        self._delay = delay_seconds
        self._max_waiting = max_waiting
        self._waiting: deque[Job] = deque()
        self._idle = threads
        self._timer: asyncio.TimerHandle | None = None
        self._round: asyncio.Handle | None = None
        self._seconds: float | None = None  # that a small batch takes: the longest of the last ones
        self._handed: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, list[Job]] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._run, daemon=True, name="stele-predict") for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    async def submit(self, work: Any, *, group: Any, rows: int, timeout: float, computes: bool = False) -> bytes:
        """The answer to a request.

        Args:
            work: Passed on.
            group: See :class:`Job`.
            rows: See :class:`Job`.
            timeout: Seconds.
            computes: See :class:`Job`.

        Raises:
            TooManyRequests: Too many are waiting.
            DeadlineExceeded: It was not answered in time. A prediction that has begun goes on, its result is dropped.
        """
        if len(self._waiting) >= self._max_waiting:
            error = TooManyRequests(f"{len(self._waiting)} requests are waiting for the model. Send it again later.")
            error.retry_after_seconds = 1
            raise error
        loop = asyncio.get_running_loop()
        job = Job(group, rows, work, loop.create_future(), time.monotonic() + timeout, computes)
        self._waiting.append(job)
        if self._idle:
            self._start(loop)
        timer = loop.call_at(loop.time() + timeout, _expire, job.future, timeout)
        try:
            return await job.future
        finally:
            timer.cancel()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._delay and sum(job.rows for job in self._waiting) < self._max_rows:
            if self._timer is None:
                self._timer = loop.call_later(self._delay, self._hand_over, loop)
            return
        self._go_on(loop)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._round is not None:
            return
        if self._idle == len(self._threads) and self._is_quick(self._waiting[0]):
            self._round = loop.call_soon(self._compute, loop)
        else:
            self._hand_over(loop)

    def _is_quick(self, job: Job) -> bool:
        known = self._seconds is not None and self._seconds < _QUICK_SECONDS
        return known and job.computes and job.rows <= _QUICK_ROWS

    def _compute(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer here what came in this round of the event loop, a batch in each round."""
        self._round = None
        if self._waiting:
            done = self._done(self._next_batch(_QUICK_ROWS))
            self._idle -= 1  # as if a thread had done it
            self._deliver(loop, done)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._idle and self._waiting:
            self._idle -= 1
            self._handed.put((loop, self._next_batch()))

    def _next_batch(self, most_rows: int | None = None) -> list[Job]:
        """The oldest job, and those behind it that may be predicted with it."""
        most_rows = min(most_rows or self._max_rows, self._max_rows)
        batch = [self._waiting.popleft()]
        rows = batch[0].rows
        while (
            self._waiting
            and batch[0].group is not None
            and self._waiting[0].group == batch[0].group
            and rows + self._waiting[0].rows <= most_rows
        ):
            batch.append(self._waiting.popleft())
            rows += batch[-1].rows
        return batch

    def _run(self) -> None:
        while (handed := self._handed.get()) is not None:
            loop, batch = handed
            try:
                loop.call_soon_threadsafe(self._deliver, loop, self._done(batch))
            except RuntimeError:  # the loop has ended, and with it everybody who waited
                return

    def _done(self, batch: list[Job]) -> _Done:
        """A batch with the answers for those who still wait."""
        now = time.monotonic()
        wanted = [job for job in batch if job.due > now and not job.future.done()]
        started = time.perf_counter()
        answers = self._answers(wanted) if wanted else []
        return _Done(wanted, answers, time.perf_counter() - started)

    def _answers(self, jobs: list[Job]) -> Answers:
        try:
            return self._work(jobs)
        except Exception as error:  # the top of a thread
            logger.exception("A batch of %d requests failed", len(jobs))
            return [error] * len(jobs)

    def _deliver(self, loop: asyncio.AbstractEventLoop, done: _Done) -> None:
        self._idle += 1
        if done.jobs and sum(job.rows for job in done.jobs) <= _QUICK_ROWS:
            known = done.seconds if self._seconds is None else self._seconds
            self._seconds = max(done.seconds, known + (done.seconds - known) * _FORGETTING)
        for job, answer in zip(done.jobs, done.answers, strict=True):
            if job.future.done():
                continue
            if isinstance(answer, BaseException):
                job.future.set_exception(answer)
            else:
                job.future.set_result(answer)
        if self._waiting:
            self._go_on(loop)

    def close(self) -> None:
        """End the threads when they have answered what was handed to them; refuse what still waits."""
        while self._waiting:
            job = self._waiting.popleft()
            if not job.future.done():
                job.future.set_exception(Unavailable("The server is stopping."))
        for _ in self._threads:
            self._handed.put(None)


def _expire(future: asyncio.Future[bytes], seconds: float) -> None:
    if not future.done():
        future.set_exception(DeadlineExceeded(f"The model did not answer within {seconds:g} seconds."))
