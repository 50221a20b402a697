"""Latest values and summaries of series, which follow the ingest log.

:func:`apply_pending` brings ``latest_metrics`` and the runs' packed documents up to the end of the log, always before a
search or a listing reads them. How far a run's log has been applied is ``runs.applied_id``, moved in the same
transaction. Writers of one run take its row lock, so ids of its log rows appear in order and none can be overlooked;
compaction takes it too, so what has been applied stays readable meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, delete, func, literal_column, select, update

from stele import limits
from stele.errors import DataLoss
from stele.schema.metrics import Metric
from stele.stores.sql import dialect
from stele.stores.sql.documents import LatestMetric, pack_latest
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.keys import Keys
from stele.stores.sql.points import Points, count_before
from stele.stores.sql.records import unpack
from stele.stores.sql.series_reader import read_points
from stele.stores.sql.series_summaries import Summaries, joined, rows_of, summaries_from, summarised, values_of
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
    "pending_runs",
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
    records: list[bytes]


def pending_runs(connection: Connection, limit: int = 1_000) -> list[int]:
    """Runs whose log has not been applied to its end."""
    return list(connection.scalars(select(dirty_runs.c.run).limit(limit)))


def any_pending(connection: Connection) -> bool:
    """Whether the log of any run has not been applied to its end."""
    return _ANY_PENDING(connection, {}).first() is not None


def is_pending(connection: Connection, run: int) -> bool:
    """Whether the log of a run has not been applied to its end."""
    return connection.scalar(select(dirty_runs.c.run).where(dirty_runs.c.run == run)) is not None


def apply_whole_log(connection: Connection, keys: Keys, run: int) -> None:
    """As :func:`apply_pending`, for all of one run's log, however long it is."""
    while is_pending(connection, run):
        apply_pending(connection, keys, [run])


def counted_points(connection: Connection, run: int) -> int:
    """How many points the summaries of a run count."""
    c = latest_metrics.c
    return int(connection.scalar(select(func.coalesce(func.sum(c.points), 0)).where(c.run == run)) or 0)


def unseen_points(connection: Connection, run: int, points: KeyedPoints) -> KeyedPoints:
    """Those of some points that are not stored yet, in a run whose log has been applied."""
    return _unseen(connection, run, points, summaries_of(connection, [run])[run], until=limits.INT64_MAX)


def apply_pending(connection: Connection, keys: Keys, numbers: Sequence[int]) -> None:
    """Bring latest values, summaries and packed documents of dirty runs up to the end of their logs.

    When there is very much to apply, the last of the runs stay dirty.
    """
    locked = connection.execute(
        select(runs.c.run, runs.c.applied_id).where(runs.c.run.in_(numbers)).order_by(runs.c.run).with_for_update()
    ).all()
    pending, complete = _pending(connection, {row.run: row.applied_id for row in locked})
    known = summaries_of(connection, list(pending))
    changed: list[dict[str, Any]] = []
    for run, log in pending.items():
        records = KeyedPoints.of_records(unpack(log.records))
        fresh = _unseen(connection, run, records, known[run], until=log.applied)
        known[run], changed_here = joined(known[run], summarised(run, fresh))
        changed += rows_of(changed_here)
    if changed:
        _UPSERT.many(connection, changed)
    documents = [
        {"b_run": run, "b_latest": packed_latest(connection, keys, known[run]), "b_applied": log.until}
        for run, log in pending.items()
    ]
    if documents:
        connection.execute(
            update(runs)
            .where(runs.c.run == bindparam("b_run"))
            .values(latest=bindparam("b_latest"), applied_id=bindparam("b_applied")),
            documents,
        )
    # A run that is no longer there is not locked, and has nothing to apply.
    clean = complete.union(numbers).difference(row.run for row in locked if row.run not in complete)
    connection.execute(delete(dirty_runs).where(dirty_runs.c.run.in_(sorted(clean))))


def _pending(connection: Connection, applied: dict[int, int]) -> tuple[dict[int, _Pending], set[int]]:
    """What of the logs is to be applied, by run, and the runs of which that is all."""
    c = ingest_log.c
    behind = (runs.c.run == c.run) & (c.id > runs.c.applied_id)
    query = select(c.run, c.id, c.points).join(runs, behind).where(runs.c.run.in_(applied)).order_by(c.run, c.id)
    until: dict[int, int] = {}
    complete = set(applied)
    total = 0
    for run, row_id, points in connection.execute(query):
        if total >= APPLIED_POINTS:
            complete.discard(run)
            continue
        until[run] = row_id
        total += points
    last = max(until.values(), default=0)
    records = select(c.run, c.id, c.records).join(runs, behind).where(runs.c.run.in_(until), c.id <= last)
    result = {run: _Pending(applied[run], until[run], []) for run in until}
    for run, row_id, packed in connection.execute(records.order_by(c.run, c.id)):
        if row_id <= until[run]:
            result[run].records.append(packed)
    return result, complete


def summaries_of(connection: Connection, numbers: Sequence[int]) -> dict[int, Summaries]:
    """What is known of the series of some runs."""
    if not numbers:
        return {}
    c = latest_metrics.c
    rows = connection.execute(select(latest_metrics).where(c.run.in_(numbers)).order_by(c.run, c.key_id)).all()
    found = summaries_from(rows)
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
        bounds = int(own.steps[0]), int(own.steps[-1])
        try:
            stored = read_points(connection, run, [keys[place]], *bounds, until=until)[keys[place]]
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
