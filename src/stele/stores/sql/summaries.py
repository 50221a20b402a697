"""Latest values and summaries of series, which follow the ingest log.

:func:`apply_pending` brings ``latest_metrics`` and the runs' packed documents up to the end of the log, always before a
search or a listing reads them. How far a run's log has been applied is ``runs.applied_id``, moved in the same
transaction. Writers of one run take its row lock, so ids of its log rows appear in order and none can be overlooked;
compaction takes it too, so what has been applied stays readable meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, literal_column, select, update

from stele import limits
from stele.errors import DataLoss
from stele.schema.metrics import Metric
from stele.stores.sql import dialect
from stele.stores.sql.documents import LatestMetric, pack_latest
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.keys import Keys
from stele.stores.sql.points import Points, Steps, count_before
from stele.stores.sql.raw_columns import raw_rows
from stele.stores.sql.series_reader import read_points
from stele.stores.sql.series_summaries import Summaries, columns_of, joined, summaries_from, summarised, values_of
from stele.stores.sql.tables import dirty_runs, ingest_log, latest_metrics, runs

__all__ = [
    "MAX_DOCUMENT_METRICS",
    "any_pending",
    "apply_pending",
    "apply_whole_log",
    "counted_points",
    "is_pending",
    "latest_of",
    "packed_latest",
    "pending_changes",
    "pending_runs",
    "store_changes",
    "summaries_of",
    "unseen_points",
]

logger = logging.getLogger(__name__)

MAX_DOCUMENT_METRICS = 1_000
"""A run with more metrics keeps its latest values in ``latest_metrics`` alone."""

APPLIED_POINTS = 1_048_576
"""About as many points as one transaction applies; a run with more of them stays dirty."""

_ANY_PENDING = dialect.Prepared(select(dirty_runs.c.run).limit(literal_column("1")))
_UPSERT = dialect.Prepared(lambda name: dialect.upsert_of(name, latest_metrics))


class _Pending(NamedTuple):
    """What of a run's log is to be applied."""

    applied: int
    """The last row that has been."""
    until: int
    newest: int
    """The last row of all; more than ``until`` when there is too much for once."""
    records: list[bytes]


class _Change(NamedTuple):
    """What the summaries of a run become when its log is applied."""

    applied: int
    """The last row that had been applied before."""
    until: int
    newest: int
    """The last row of the log when it was read."""
    summaries: Summaries
    """Those that change."""
    latest: bytes | None
    """Of its document."""


def pending_runs(connection: Connection) -> list[int]:
    """Runs whose log has not been applied to its end."""
    return list(connection.scalars(select(dirty_runs.c.run)))


def any_pending(connection: Connection) -> bool:
    """Whether the log of any run has not been applied to its end."""
    return _ANY_PENDING(connection, {}).first() is not None


def is_pending(connection: Connection, run: int) -> bool:
    """Whether the log of a run has not been applied to its end."""
    return connection.scalar(select(dirty_runs.c.run).where(dirty_runs.c.run == run)) is not None


def apply_whole_log(connection: Connection, keys: Keys, run: int) -> None:
    """As :func:`apply_pending`, for all of one run's log, however long it is."""
    left = [run] if is_pending(connection, run) else []
    while left:
        left = apply_pending(connection, keys, left)


def counted_points(connection: Connection, run: int) -> int:
    """How many points the summaries of a run count."""
    c = latest_metrics.c
    return int(connection.scalar(select(func.coalesce(func.sum(c.points), 0)).where(c.run == run)) or 0)


def unseen_points(connection: Connection, run: int, points: KeyedPoints) -> KeyedPoints:
    """Those of some points that are not stored yet, in a run whose log has been applied."""
    return _unseen(connection, run, points, summaries_of(connection, [run])[run], until=limits.INT64_MAX)


def apply_pending(connection: Connection, keys: Keys, numbers: Sequence[int]) -> list[int]:
    """Bring latest values, summaries and packed documents of dirty runs up to the end of their logs.

    Args:
        connection: In a transaction.
        keys: The store's key numbers.
        numbers: Row numbers of the runs.

    Returns:
        The runs of which more is to be applied, because it was very much.
    """
    _applied(connection, numbers, lock=True)
    return store_changes(connection, numbers, pending_changes(connection, keys, numbers))


def pending_changes(connection: Connection, keys: Keys, numbers: Sequence[int]) -> dict[int, _Change]:
    """What applying the logs of some runs would change; nothing is locked or written."""
    pending = _pending(connection, _applied(connection, numbers, lock=False))
    known = summaries_of(connection, list(pending))
    changes: dict[int, _Change] = {}
    for run, log in pending.items():
        records = KeyedPoints.of_log(log.records)
        fresh = _unseen(connection, run, records, known[run], until=log.applied)
        whole, changed = joined(known[run], summarised(run, fresh))
        changes[run] = _Change(log.applied, log.until, log.newest, changed, packed_latest(connection, keys, whole))
    return changes


def store_changes(connection: Connection, numbers: Sequence[int], changes: Mapping[int, _Change]) -> list[int]:
    """Write what :func:`pending_changes` found of some runs, unless somebody else was faster.

    Everything that writes summaries applies the log first, so that ``runs.applied_id`` tells whether they are still
    those that were read.

    Returns:
        The runs of which something is still to be applied that was in the log when the changes were found. A run to
        which more was logged since stays dirty as well, and whoever wants that applied comes later.
    """
    applied = _applied(connection, numbers, lock=True)
    valid = {run: change for run, change in changes.items() if applied.get(run) == change.applied}
    if valid:
        changed = np.concatenate([change.summaries for change in valid.values()])
        if len(changed):
            _UPSERT.columns(connection, columns_of(changed))
        connection.execute(
            update(runs)
            .where(runs.c.run == bindparam("b_run"))
            .values(latest=bindparam("b_latest"), applied_id=bindparam("b_applied"), record_stamp=runs.c.record_stamp),
            [{"b_run": run, "b_latest": item.latest, "b_applied": item.until} for run, item in valid.items()],
        )
    applied |= {run: change.until for run, change in valid.items()}
    c = ingest_log.c
    newest = select(c.run, func.max(c.id)).where(c.run.in_(applied)).group_by(c.run)
    left = [run for run, last in connection.execute(newest) if last > applied[run]]
    # A run that is no longer there has nothing to apply.
    clean = sorted(set(numbers).difference(left))
    connection.execute(delete(dirty_runs).where(dirty_runs.c.run.in_(clean)))
    return [run for run in left if run not in changes or applied[run] < changes[run].newest]


def _applied(connection: Connection, numbers: Sequence[int], *, lock: bool) -> dict[int, int]:
    """Up to which row the log of each run has been applied."""
    query = select(runs.c.run, runs.c.applied_id).where(runs.c.run.in_(numbers)).order_by(runs.c.run)
    return {row.run: row.applied_id for row in connection.execute(query.with_for_update() if lock else query)}


def _pending(connection: Connection, applied: dict[int, int]) -> dict[int, _Pending]:
    """What of the logs is to be applied, by run."""
    c = ingest_log.c
    behind = (runs.c.run == c.run) & (c.id > runs.c.applied_id)
    query = select(c.run, c.id, c.points).join(runs, behind).where(runs.c.run.in_(applied)).order_by(c.run, c.id)
    until: dict[int, int] = {}
    newest: dict[int, int] = {}
    total = 0
    for run, row_id, points in raw_rows(connection, query):
        newest[run] = row_id
        if total < APPLIED_POINTS:
            until[run] = row_id
            total += points
    last = max(until.values(), default=0)
    records = select(c.run, c.id, c.records).join(runs, behind).where(runs.c.run.in_(until), c.id <= last)
    result = {run: _Pending(applied[run], until[run], newest[run], []) for run in until}
    for run, row_id, packed in raw_rows(connection, records.order_by(c.run, c.id)):
        if row_id <= until[run]:
            result[run].records.append(packed)
    return result


def summaries_of(connection: Connection, numbers: Sequence[int]) -> dict[int, Summaries]:
    """What is known of the series of some runs."""
    if not numbers:
        return {}
    c = latest_metrics.c
    query = select(latest_metrics).where(c.run.in_(numbers)).order_by(c.run, c.key_id)
    found = summaries_from(raw_rows(connection, query))
    starts = np.searchsorted(found["run"], numbers, "left").tolist()
    ends = np.searchsorted(found["run"], numbers, "right").tolist()
    return {run: found[start:end] for run, start, end in zip(numbers, starts, ends, strict=True)}


def _unseen(connection: Connection, run: int, fresh: KeyedPoints, known: Summaries, *, until: int) -> KeyedPoints:
    """Those of some points that the summaries of a run do not count yet.

    Points behind everything known are new. Of the others, those that are stored are found by reading the steps in
    which they lie.

    Args:
        connection: Where to read.
        run: Row number of the run.
        fresh: The points in question.
        known: The summaries of the run.
        until: The last row of the log that the summaries have seen.
    """
    keys, points = fresh.keys.tolist(), fresh.points
    first = fresh.bounds[:-1]
    places = np.searchsorted(known["key_id"], fresh.keys)
    there = places < len(known)
    there[there] = known["key_id"][places[there]] == fresh.keys[there]
    ends = np.zeros((len(keys), 2), np.int64)
    ends[there] = np.stack([known["step"][places[there]], known["timestamp"][places[there]]], axis=1)
    steps, timestamps = points.steps[first], points.timestamps[first]
    late = there & ((steps < ends[:, 0]) | ((steps == ends[:, 0]) & (timestamps <= ends[:, 1])))
    if not late.any():
        return fresh
    keep = np.ones(len(points), bool)
    for place in np.flatnonzero(late).tolist():
        start, own = int(first[place]), fresh.of(keys[place])
        own = own[: count_before(own, *ends[place].tolist(), inclusive=True)]
        span = Steps(int(own.steps[0]), int(own.steps[-1]))
        try:
            stored = read_points(connection, run, [keys[place]], span, until=until)[keys[place]]
        except DataLoss as e:  # searches of all other runs must go on
            logger.warning("points that came late are counted as new ones: %s", e)
        else:
            keep[start : start + len(own)] = ~_contained(own, stored)
    return fresh.filtered(keep)


def _contained(points: Points, others: Points) -> np.typing.NDArray[np.bool_]:
    """Which of the points are among others."""
    rows, other_rows = (
        np.ascontiguousarray(np.stack([each.steps, each.timestamps, each.values.view(np.int64)], axis=1))
        .view("V24")
        .reshape(-1)
        for each in (points, others)
    )
    return np.isin(rows, other_rows)


def packed_latest(connection: Connection, keys: Keys, known: Summaries) -> bytes | None:
    """The latest values of a run as ``runs.latest`` holds them; None when they are too many for it."""
    if len(known) > MAX_DOCUMENT_METRICS:
        return None
    return pack_latest([LatestMetric(*row) for row in _latest_rows(connection, keys, known)])


def latest_of(connection: Connection, keys: Keys, numbers: Sequence[int]) -> dict[int, list[Metric]]:
    """The latest metrics of runs that have too many for their document."""
    found = summaries_of(connection, list(numbers))
    return {run: [Metric(*row) for row in _latest_rows(connection, keys, known)] for run, known in found.items()}


def _latest_rows(connection: Connection, keys: Keys, known: Summaries) -> Iterator[tuple[str, float, int, int]]:
    """Name, value, timestamp and step of each series."""
    numbers = known["key_id"].tolist()
    names = keys.names(connection, numbers)
    columns = values_of(known), known["timestamp"].tolist(), known["step"].tolist()
    return zip([names[number] for number in numbers], *columns, strict=True)
