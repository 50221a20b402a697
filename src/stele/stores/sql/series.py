"""Metric series: the ingest log, what follows from it, and reading the points back.

A write appends one row of packed points per run and marks the run as dirty; nothing else. :func:`apply_pending`
later moves the latest values, the summaries and the run's packed document to the end of the log, always before a
search or a listing reads them. How far a run's log has been applied is ``runs.applied_id``, moved in the same
transaction. Writers of one run take its row lock, so ids of its log rows appear in order and none can be
overlooked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, delete, select, update

from stele.schema.metrics import Metric
from stele.stores.sql import dialect
from stele.stores.sql.documents import LatestMetric, pack_latest
from stele.stores.sql.keys import Keys
from stele.stores.sql.segments import Points, canonical_order, comparable, distinct, pack, unpack
from stele.stores.sql.tables import (
    FINITE,
    KIND_METRIC,
    MAX_DOUBLE,
    NAN,
    NEGATIVE_INFINITY,
    POSITIVE_INFINITY,
    dirty_runs,
    ingest_log,
    latest_metrics,
    runs,
)

__all__ = ["append", "append_records", "apply_pending", "latest_of", "pending_runs", "read_series"]

MAX_DOCUMENT_METRICS = 1_000
"""A run with more metrics keeps its latest values in ``latest_metrics`` alone."""


def append(connection: Connection, run: int, metrics: Sequence[Metric], key_ids: dict[tuple[int, str], int]) -> None:
    """Append points to the log of a run whose row the caller has locked."""
    append_rows(connection, [log_row(run, metrics, key_ids)])


def log_row(run: int, metrics: Sequence[Metric], key_ids: dict[tuple[int, str], int]) -> dict[str, Any]:
    """The row of the ingest log that holds some points of a run."""
    records = pack((key_ids[KIND_METRIC, m.key], m.step, m.timestamp, m.value) for m in metrics)
    return {"run": run, "points": len(metrics), "records": records}


def append_records(connection: Connection, run: int, records: bytes, points: int) -> None:
    """As :func:`append`, of points that are packed already."""
    append_rows(connection, [{"run": run, "points": points, "records": records}])


def append_rows(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Append to the logs of several runs whose rows the caller has locked."""
    connection.execute(ingest_log.insert(), rows)
    connection.execute(dialect.insert_ignore(connection, dirty_runs), [{"run": row["run"]} for row in rows])


def pending_runs(connection: Connection, limit: int = 1_000) -> list[int]:
    """Runs whose log has not been applied to its end."""
    return list(connection.scalars(select(dirty_runs.c.run).limit(limit)))


def apply_pending(connection: Connection, keys: Keys, numbers: Sequence[int]) -> None:
    """Bring latest values, summaries and packed documents of dirty runs up to the end of their logs."""
    locked = connection.execute(
        select(runs.c.run, runs.c.applied_id).where(runs.c.run.in_(numbers)).order_by(runs.c.run).with_for_update()
    ).all()
    log = _unapplied(connection, [row.run for row in locked])
    summaries = _summaries(connection, list(log))
    changed: list[dict[str, Any]] = []
    for run, (rows, _) in log.items():
        changed += _advance(connection, run, unpack(rows), summaries[run])
    if changed:
        connection.execute(dialect.upsert(connection, latest_metrics), changed)
    names = keys.names(connection, {key for summary in summaries.values() for key in summary})
    documents = [
        {"b_run": run, "b_latest": _document(summaries[run], names), "b_applied": applied}
        for run, (_, applied) in log.items()
    ]
    if documents:
        connection.execute(
            update(runs)
            .where(runs.c.run == bindparam("b_run"))
            .values(latest=bindparam("b_latest"), applied_id=bindparam("b_applied")),
            documents,
        )
    connection.execute(delete(dirty_runs).where(dirty_runs.c.run.in_(numbers)))


def _unapplied(connection: Connection, numbers: list[int]) -> dict[int, tuple[list[bytes], int]]:
    """Per run the packed pieces behind ``applied_id``, and the id of the last one."""
    rows = connection.execute(
        select(ingest_log.c.run, ingest_log.c.id, ingest_log.c.records)
        .join(runs, (runs.c.run == ingest_log.c.run) & (ingest_log.c.id > runs.c.applied_id))
        .where(runs.c.run.in_(numbers))
        .order_by(ingest_log.c.run, ingest_log.c.id)
    )
    result: dict[int, tuple[list[bytes], int]] = {}
    for run, row_id, records in rows:
        pieces, _ = result.get(run, ([], 0))
        pieces.append(records)
        result[run] = (pieces, row_id)
    return result


Summary = dict[str, Any]
"""One row of ``latest_metrics`` by column name."""


def _summaries(connection: Connection, numbers: list[int]) -> dict[int, dict[int, Summary]]:
    """What is known of the series of some runs, by run and key number."""
    result: dict[int, dict[int, Summary]] = {run: {} for run in numbers}
    if numbers:
        for row in connection.execute(select(latest_metrics).where(latest_metrics.c.run.in_(numbers))).mappings():
            result[row["run"]][row["key_id"]] = dict(row)
    return result


def _advance(connection: Connection, run: int, fresh: Points, known: dict[int, Summary]) -> list[Summary]:
    """Fold new points into the summaries of a run; returns the rows that changed.

    Points behind everything known extend a summary. Points among what is known may repeat a stored one, so the
    summary of such a series is made again from all its points.
    """
    changed: list[Summary] = []
    late: list[int] = []
    fresh = distinct(canonical_order(fresh))
    starts = np.flatnonzero(np.r_[True, fresh["key"][1:] != fresh["key"][:-1]]) if len(fresh) else np.array([], int)
    for part in np.split(fresh, starts[1:]) if len(fresh) else []:
        key = int(part["key"][0])
        before = known.get(key)
        if before is not None and (int(part["step"][0]), int(part["timestamp"][0])) <= (
            before["step"],
            before["timestamp"],
        ):
            late.append(key)
            continue
        known[key] = _extend(before, run, key, part)
        changed.append(known[key])
    if late:
        for key, points in read_series(connection, run, late).items():
            known[key] = _extend(None, run, key, distinct(canonical_order(points)))
            changed.append(known[key])
    return changed


def _extend(before: Summary | None, run: int, key: int, points: Points) -> Summary:
    """The summary of a series with sorted, distinct points added behind what it covers."""
    values = points["value"]
    numbers = values[~np.isnan(values)]
    first, last = points[0], points[-1]
    total = _total(numbers)
    extremes = (float(numbers.min()), float(numbers.max())) if len(numbers) else (None, None)
    value, special = ordered(float(last["value"]))
    summary = {
        "run": run,
        "key_id": key,
        "value": value,
        "special": special,
        "step": int(last["step"]),
        "timestamp": int(last["timestamp"]),
        "points": len(points),
        "nan_points": len(points) - len(numbers),
        "first_value": ordered(float(first["value"]))[0],
        "first_step": int(first["step"]),
        "first_timestamp": int(first["timestamp"]),
        "min_value": clamp(extremes[0]),
        "max_value": clamp(extremes[1]),
        "sum_value": clamp(total),
    }
    if before is None:
        return summary
    for name in ("first_value", "first_step", "first_timestamp"):
        summary[name] = before[name]
    for name in ("points", "nan_points"):
        summary[name] += before[name]
    for name, choose in (("min_value", min), ("max_value", max), ("sum_value", _add)):
        known = [item for item in (before[name], summary[name]) if item is not None]
        summary[name] = choose(known) if known else None
    return summary


def _total(numbers: Any) -> float | None:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(numbers.sum()) if len(numbers) else None


def _add(parts: Iterable[float]) -> float | None:
    return clamp(math.fsum(parts)) if all(abs(part) < MAX_DOUBLE for part in parts) else clamp(sum(parts))


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


def _document(summaries: dict[int, Summary], names: dict[int, str]) -> bytes | None:
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
    found = _summaries(connection, list(numbers))
    names = keys.names(connection, {key for summary in found.values() for key in summary})
    return {
        run: [
            Metric(names[key], restored(row["value"], row["special"]), row["timestamp"], row["step"])
            for key, row in sorted(rows.items())
        ]
        for run, rows in found.items()
    }


class Series(NamedTuple):
    """Columns of one series in the order of its history: by timestamp, step, value, exact repetitions dropped."""

    timestamps: list[int]
    steps: list[int]
    values: list[float]

    def first(self, count: int) -> Series:
        """The first points."""
        return Series(self.timestamps[:count], self.steps[:count], self.values[:count])

    def at(self, places: Sequence[int]) -> Series:
        """The points at some places."""
        columns = (self.timestamps, self.steps, self.values)
        timestamps, steps, values = ([column[place] for place in places] for column in columns)
        return Series(timestamps, steps, values)  # type: ignore[arg-type]  # three columns of two types


def read_series(connection: Connection, run: int, key_ids: Iterable[int]) -> dict[int, Points]:
    """Every stored point of some series of a run, in no particular order, repetitions included."""
    rows = connection.scalars(select(ingest_log.c.records).where(ingest_log.c.run == run).order_by(ingest_log.c.id))
    points = unpack(rows)
    return {key: points[points["key"] == key] for key in key_ids}


def history(points: Points, after: tuple[int, int, float, bool] | None = None, limit: int | None = None) -> Series:
    """The points of one series as a history.

    Args:
        points: Points of one key.
        after: Timestamp, step, value (0 for NaN) and whether it was NaN of the point before the first one wanted.
        limit: Most points to return.
    """
    points = distinct(canonical_order(points, "timestamp", "step"))
    if after is not None:
        points = points[_behind(points, after) :]
    points = points[:limit]
    return Series(points["timestamp"].tolist(), points["step"].tolist(), points["value"].tolist())


def _behind(points: Points, after: tuple[int, int, float, bool]) -> int:
    """Index of the first point behind a position."""
    timestamp, step, value, nan = after
    values = comparable(points["value"])
    behind = points["timestamp"] > timestamp
    equal = points["timestamp"] == timestamp
    for column, bound in ((points["step"], step), (values, value), (np.isnan(points["value"]), nan)):
        behind |= equal & (column > bound)
        equal &= column == bound
    return int(np.argmax(behind)) if behind.any() else len(points)
