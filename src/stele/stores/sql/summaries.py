"""Latest values and summaries of series, which follow the ingest log.

:func:`apply_pending` brings ``latest_metrics`` and the runs' packed documents up to the end of the log, always before a
search or a listing reads them. How far a run's log has been applied is ``runs.applied_id``, moved in the same
transaction. Writers of one run take its row lock, so ids of its log rows appear in order and none can be overlooked;
compaction takes it too, so what has been applied stays readable meanwhile.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
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
from stele.stores.sql.tables import (
    FINITE,
    MAX_DOUBLE,
    NAN,
    NEGATIVE_INFINITY,
    POSITIVE_INFINITY,
    dirty_runs,
    ingest_log,
    latest_metrics,
    runs,
)

__all__ = [
    "MAX_DOCUMENT_METRICS",
    "Summary",
    "any_pending",
    "apply_pending",
    "apply_whole_log",
    "counted_points",
    "is_pending",
    "latest_of",
    "packed_latest",
    "pending_runs",
    "stored_summary",
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

Summary = dict[str, Any]
"""One row of ``latest_metrics`` by column name."""


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
    summaries = summaries_of(connection, list(pending))
    changed: list[Summary] = []
    for run, log in pending.items():
        changed += _advance(connection, run, log, summaries[run])
    if changed:
        _UPSERT.many(connection, changed)
    names = keys.names(connection, {key for summary in summaries.values() for key in summary})
    documents = [
        {"b_run": run, "b_latest": packed_latest(summaries[run], names), "b_applied": log.until}
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


def summaries_of(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[int, Summary]]:
    """What is known of the series of some runs, by run and key number."""
    result: dict[int, dict[int, Summary]] = {run: {} for run in numbers}
    if numbers:
        for row in connection.execute(select(latest_metrics).where(latest_metrics.c.run.in_(numbers))).mappings():
            result[row["run"]][row["key_id"]] = dict(row)
    return result


def _advance(connection: Connection, run: int, log: _Pending, known: dict[int, Summary]) -> list[Summary]:
    """Fold new points into the summaries of a run; returns the rows that changed."""
    fresh = _unseen(connection, run, KeyedPoints.of_records(unpack(log.records)), known, until=log.applied)
    changed = [_joined(known.get(summary["key_id"]), summary) for summary in _summarised(run, fresh)]
    known.update((summary["key_id"], summary) for summary in changed)
    return changed


def _unseen(
    connection: Connection, run: int, fresh: KeyedPoints, known: dict[int, Summary], *, until: int
) -> KeyedPoints:
    """Those of some points that the summaries of a run do not count yet.

    Points behind everything known are new. Of the others, those that are stored are found by reading the steps in
    which they lie.

    Args:
        connection: Where to read.
        run: Row number of the run.
        fresh: The points in question.
        known: The summaries by key number.
        until: The last row of the log that the summaries have seen.
    """
    keys, points = fresh.keys.tolist(), fresh.points
    ends = np.array([_end(known.get(key)) for key in keys], np.int64).reshape(-1, 2)
    first = fresh.bounds[:-1]
    steps, timestamps = points.steps[first], points.timestamps[first]
    late = (steps < ends[:, 0]) | ((steps == ends[:, 0]) & (timestamps <= ends[:, 1]))
    late &= np.array([key in known for key in keys], bool)
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


def _end(summary: Summary | None) -> tuple[int, int]:
    return (0, 0) if summary is None else (summary["step"], summary["timestamp"])


def _contained(points: Points, others: Points) -> np.typing.NDArray[np.bool_]:
    """Which of the points are among others."""
    rows, other_rows = (
        np.ascontiguousarray(np.stack([each.steps, each.timestamps, each.values.view(np.int64)], axis=1))
        .view("V24")
        .reshape(-1)
        for each in (points, others)
    )
    return np.isin(rows, other_rows)


def _summarised(run: int, fresh: KeyedPoints) -> list[Summary]:
    """A summary of the points of each key, as if there were no others."""
    if not len(fresh):
        return []
    points, starts, ends = fresh.points, fresh.bounds[:-1], fresh.bounds[1:] - 1
    nans = np.isnan(points.values)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = {
            "key_id": fresh.keys,
            "step": points.steps[ends],
            "timestamp": points.timestamps[ends],
            "points": fresh.counts,
            "nan_points": np.add.reduceat(nans, starts, dtype=np.int64),
            "first_step": points.steps[starts],
            "first_timestamp": points.timestamps[starts],
            "first_value": points.values[starts],
            "value": points.values[ends],
            "min_value": np.fmin.reduceat(points.values, starts),
            "max_value": np.fmax.reduceat(points.values, starts),
            "sum_value": np.add.reduceat(np.where(nans, 0.0, points.values), starts),
        }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [stored_summary(run, dict(zip(columns, row, strict=True))) for row in rows]


def stored_summary(run: int, summary: Summary) -> Summary:
    """A summary as its columns hold it."""
    summary["run"] = run
    summary["value"], summary["special"] = ordered(summary["value"])
    if summary["nan_points"] == summary["points"]:
        summary["sum_value"] = math.nan
    for name in ("first_value", "min_value", "max_value", "sum_value"):
        summary[name] = clamp(summary[name])
    return summary


def _joined(known: Summary | None, fresh: Summary) -> Summary:
    """The summary of the points of two, which have none in common."""
    if known is None:
        return fresh
    first = min(known, fresh, key=_first)
    last = max(known, fresh, key=_last)
    least = _chosen(min, known["min_value"], fresh["min_value"])
    greatest = _chosen(max, known["max_value"], fresh["max_value"])
    return {
        **fresh,
        **{name: last[name] for name in ("value", "special", "step", "timestamp")},
        **{name: first[name] for name in ("first_value", "first_step", "first_timestamp")},
        "points": known["points"] + fresh["points"],
        "nan_points": known["nan_points"] + fresh["nan_points"],
        "min_value": least,
        "max_value": greatest,
        "sum_value": _sum(known["sum_value"], fresh["sum_value"], least, greatest),
    }


def _first(summary: Summary) -> tuple[int, int, float, bool]:
    value = summary["first_value"]
    return summary["first_step"], summary["first_timestamp"], value or 0.0, value is None


def _last(summary: Summary) -> tuple[int, int, float, bool]:
    value = summary["value"]
    return summary["step"], summary["timestamp"], value or 0.0, value is None


def _chosen(choose: Any, *values: float | None) -> float | None:
    numbers = [value for value in values if value is not None]
    return choose(numbers) if numbers else None


def _sum(known: float | None, fresh: float | None, least: float | None, greatest: float | None) -> float | None:
    """The sum of two parts. Whether there are infinities is told by the extremes; opposite ones have no sum."""
    if least is None or greatest is None:
        return None
    infinities = [bound for bound in (least, greatest) if abs(bound) == MAX_DOUBLE]
    if infinities:
        return None if least < 0 < greatest and len(infinities) == 2 else infinities[0]
    return clamp((known or 0.0) + (fresh or 0.0))


def ordered(value: float) -> tuple[float | None, int]:
    """The value as ordered columns hold it, and its ``special``: NULL for NaN, the largest double for infinity."""
    if math.isnan(value):
        return None, NAN
    if math.isinf(value):
        return clamp(value), POSITIVE_INFINITY if value > 0 else NEGATIVE_INFINITY
    return value, FINITE


def clamp(value: float | None) -> float | None:
    """The value within the range of doubles; NULL for NaN."""
    if value is None or math.isnan(value):
        return None
    return max(-MAX_DOUBLE, min(MAX_DOUBLE, value))


def restored(value: float | None, special: int) -> float:
    """The inverse of :func:`ordered`."""
    if special == FINITE:
        assert value is not None
        return value
    return {NAN: math.nan, POSITIVE_INFINITY: math.inf, NEGATIVE_INFINITY: -math.inf}[special]


def packed_latest(summaries: dict[int, Summary], names: dict[int, str]) -> bytes | None:
    """The latest values of a run as ``runs.latest`` holds them; None when they are too many for it."""
    if len(summaries) > MAX_DOCUMENT_METRICS:
        return None
    return pack_latest(
        [
            LatestMetric(names[key], restored(item["value"], item["special"]), item["timestamp"], item["step"])
            for key, item in sorted(summaries.items())
        ]
    )


def latest_of(connection: Connection, keys: Keys, numbers: Sequence[int]) -> dict[int, list[Metric]]:
    """The latest metrics of runs that have too many for their document."""
    found = summaries_of(connection, list(numbers))
    names = keys.names(connection, {key for summary in found.values() for key in summary})
    return {
        run: [
            Metric(names[key], restored(row["value"], row["special"]), row["timestamp"], row["step"])
            for key, row in sorted(rows.items())
        ]
        for run, rows in found.items()
    }
