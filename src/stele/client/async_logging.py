"""Logging in the background: one worker thread per process, a bounded queue, batches per run.

The queue takes :class:`~stele.schema.runs.LogBatch` messages and joins neighbours of the same run before they are
sent, so a loop that logs one value at a time makes few requests. An error belongs to the operations whose batch
failed and shows up when somebody waits for them.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable

from stele import limits
from stele.errors import SteleError
from stele.schema.metrics import Metric
from stele.schema.runs import LogBatch, Param, RunTag

__all__ = ["BACKGROUND", "BackgroundLogger", "Operation", "RunOperations", "split_batch"]

_LOGGER = logging.getLogger(__name__)
_QUEUE_LENGTH = 10_000
_IDLE_SECONDS = 1.0

Send = Callable[[LogBatch], None]


class Operation:
    """One thing that was asked for and is done later, in the order of the queue."""

    __slots__ = ("_done", "batch", "error", "seen", "send", "target")

    def __init__(self, target: str, batch: LogBatch, send: Send) -> None:
        self.target = target
        self.batch = batch
        self.send = send
        self.error: BaseException | None = None
        self.seen = False
        self._done = threading.Event()

    def finish(self, error: BaseException | None = None) -> None:
        """Say that it is done, or why it failed."""
        self.error = error
        self._done.set()

    def wait(self) -> None:
        """Block until it is done.

        Raises:
            SteleError: Why it failed.
        """
        self._done.wait()
        if self.error is not None:
            self.seen = True
            raise self.error


class RunOperations:
    """What ``synchronous=False`` returns."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations = list(operations)

    def wait(self) -> None:
        """Block until everything is stored.

        Raises:
            SteleError: The first thing that failed.
        """
        for operation in self._operations:
            operation.wait()


def split_batch(
    run_id: str, metrics: Iterable[Metric] = (), params: Iterable[Param] = (), tags: Iterable[RunTag] = ()
) -> list[LogBatch]:
    """The messages that carry these entities, each within the limits of one batch."""
    metrics, params, tags = list(metrics), list(params), list(tags)
    batches: list[LogBatch] = []
    while metrics or params or tags or not batches:
        batch = LogBatch(run_id=run_id)
        batch.params, params = params[: limits.MAX_BATCH_PARAMS], params[limits.MAX_BATCH_PARAMS :]
        batch.tags, tags = tags[: limits.MAX_BATCH_TAGS], tags[limits.MAX_BATCH_TAGS :]
        room = min(limits.MAX_BATCH_METRICS, limits.MAX_BATCH_ENTITIES - len(batch.params) - len(batch.tags))
        batch.metrics, metrics = metrics[:room], metrics[room:]
        batches.append(batch)
    return batches


class BackgroundLogger:
    """The queue and its worker, which starts with the first operation and ends when it has nothing to do.

    Args:
        length: Operations that may wait; a caller blocks when there are more.
    """

    def __init__(self, length: int = _QUEUE_LENGTH) -> None:
        self._length = length
        self.reset()

    def reset(self) -> None:
        """Forget everything that waits: for a new process, and for tests."""
        self._changed = threading.Condition()
        self._waiting: deque[Operation] = deque()
        self._unfinished = 0
        self._failed: list[Operation] = []
        self._worker: threading.Thread | None = None

    def submit(self, target: str, batches: Iterable[LogBatch], send: Send) -> RunOperations:
        """Send the batches later.

        Args:
            target: Where they go; neighbours with the same target and run are joined.
            batches: Messages within the limits of one batch.
            send: Stores one message or raises.
        """
        operations = [Operation(target, batch, send) for batch in batches]
        with self._changed:
            for operation in operations:
                self._changed.wait_for(lambda: len(self._waiting) < self._length)
                self._waiting.append(operation)
                self._unfinished += 1
                self._start_worker()
        return RunOperations(operations)

    def _start_worker(self) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="stele-background-logger", daemon=True)
            self._worker.start()

    def flush(self) -> None:
        """Block until everything that was submitted is stored.

        Raises:
            SteleError: The first failure that nobody was told yet.
        """
        for operation in self.take_failed():
            operation.wait()

    def take_failed(self) -> list[Operation]:
        """Block until the queue is empty, then hand over the failed operations that nobody was told."""
        self.drain()
        with self._changed:
            failed, self._failed = self._failed, []
        return [operation for operation in failed if not operation.seen]

    def drain(self) -> None:
        """Block until everything that was submitted is stored or has failed; failures stay for :meth:`flush`."""
        if self._unfinished:
            with self._changed:
                self._changed.wait_for(lambda: self._unfinished == 0)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: bool(self._waiting), timeout=_IDLE_SECONDS):
                    self._worker = None
                    return
                operations = self._take()
                self._changed.notify_all()
            self._send(operations)
            with self._changed:
                self._failed += [operation for operation in operations if operation.error is not None]
                self._unfinished -= len(operations)
                self._changed.notify_all()

    def _take(self) -> list[Operation]:
        """The operations at the head of the queue that fit into one batch of one run."""
        taken = [self._waiting.popleft()]
        first, room = taken[0], _Room(taken[0].batch)
        while self._waiting:
            head = self._waiting[0]
            if head.target != first.target or head.batch.run_id != first.batch.run_id or not room.take(head.batch):
                break
            taken.append(self._waiting.popleft())
        return taken

    def _send(self, operations: list[Operation]) -> None:
        error = _attempt(operations[0].send, _joined(operations))
        if error is None or len(operations) == 1:
            for operation in operations:
                operation.finish(error)
            return
        # A batch is stored as a whole or not at all. Send its parts, so that only the ones at fault fail.
        for operation in operations:
            operation.finish(_attempt(operation.send, operation.batch))


def _attempt(send: Send, batch: LogBatch) -> BaseException | None:
    try:
        send(batch)
    except SteleError as error:
        return error
    except Exception as error:
        _LOGGER.exception("Background logging failed for run %s.", batch.run_id)
        return error
    return None


def _joined(operations: list[Operation]) -> LogBatch:
    if len(operations) == 1:
        return operations[0].batch
    joined = LogBatch(run_id=operations[0].batch.run_id, metrics=[], params=[], tags=[])
    for operation in operations:
        joined.metrics += operation.batch.metrics
        joined.params += operation.batch.params
        joined.tags += operation.batch.tags
    return joined


class _Room:
    """What still fits into one message."""

    def __init__(self, batch: LogBatch) -> None:
        self._metrics = self._params = self._tags = 0
        self._keys: set[str] = set()
        self.take(batch)

    def take(self, batch: LogBatch) -> bool:
        """Whether a batch fits; if so it is counted. A param that is there already does not: it would be refused."""
        metrics = self._metrics + len(batch.metrics)
        params = self._params + len(batch.params)
        tags = self._tags + len(batch.tags)
        keys = {param.key for param in batch.params}
        if (
            metrics > limits.MAX_BATCH_METRICS
            or params > limits.MAX_BATCH_PARAMS
            or tags > limits.MAX_BATCH_TAGS
            or metrics + params + tags > limits.MAX_BATCH_ENTITIES
            or keys & self._keys
        ):
            return False
        self._metrics, self._params, self._tags = metrics, params, tags
        self._keys |= keys
        return True


BACKGROUND = BackgroundLogger()
"""The one of this process."""


def _at_exit() -> None:
    for operation in BACKGROUND.take_failed():
        _LOGGER.warning(
            "What was logged in the background to run %s is lost: %s", operation.batch.run_id, operation.error
        )


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=BACKGROUND.reset)
