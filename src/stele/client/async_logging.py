"""When a logged value is in the store: before the call returns, or later by way of the journal.

Metrics go through the journal unless a call says ``synchronous=True`` or ``STELE_ASYNC_LOGGING=false``. Params and tags
go straight to the store, and through the journal with ``synchronous=False`` or ``STELE_ASYNC_LOGGING=true``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from stele import limits, settings
from stele.client.stores import journalled_stores
from stele.errors import Unavailable
from stele.schema.metrics import Metric
from stele.schema.runs import LogBatch, Param, RunTag

if TYPE_CHECKING:
    from stele.stores.buffered import BufferedStore

__all__ = ["RunOperations", "flush", "goes_straight", "in_background", "split_batch"]


class RunOperations:
    """What ``synchronous=False`` returns.

    Args:
        store: The store with the journal.
        records: Numbers of the points in the journal.
        operations: Numbers of the requests in the journal.
    """

    def __init__(self, store: BufferedStore, records: Sequence[int] = (), operations: Sequence[int] = ()) -> None:
        self._store = store
        self._records = records
        self._operations = operations

    def wait(self) -> None:
        """Block until everything is stored; under ``STELE_OFFLINE`` it is enough that the journal has it.

        Raises:
            SteleError: The first thing that the store refused.
            Unavailable: The store takes nothing for ``STELE_EXIT_TIMEOUT``; everything stays in the journal.
        """
        self._store.wait(self._records, self._operations)


def in_background(synchronous: bool | None) -> bool:
    """Whether a call about params, tags or pictures with this argument returns before they are stored."""
    return bool(settings.ASYNC_LOGGING.get()) if synchronous is None else not synchronous


def goes_straight(synchronous: bool | None) -> bool:
    """Whether a call about metrics with this argument returns when they are stored."""
    return settings.ASYNC_LOGGING.get() is False if synchronous is None else synchronous


def flush() -> None:
    """Block until everything that was logged in this process is stored.

    Raises:
        SteleError: The first thing that a store refused and that nobody was told yet.
        Unavailable: A store takes nothing for ``STELE_EXIT_TIMEOUT``; everything stays in the journal.
    """
    for store in journalled_stores():
        sent = store.flush()
        store.raise_refused()
        if not sent and not store.offline:
            raise Unavailable(f"What was logged is not stored yet, but kept in {store.directory}: {store.error}")


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
