"""Batches of metric points in columns: the fast way in, which may be repeated.

A batch and its number are stored in one transaction, so a sender that saw no answer sends the same batch again, to any
server of the database, and it counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, update

from stele import limits
from stele.errors import InvalidParameterValue
from stele.schema.codec import required
from stele.schema.ingest import Ingest, IngestResponse, IngestSeries
from stele.stores.sql import dialect
from stele.stores.sql.core import lock_runs, now_ms, run_in_use
from stele.stores.sql.point_log import PointLog
from stele.stores.sql.points import Floats, Ints
from stele.stores.sql.records import Packed, pack, pack_grid
from stele.stores.sql.series import LogEntry
from stele.stores.sql.tables import ingest_clients

__all__ = ["IngestOperations"]

_ADVANCE = dialect.Prepared(
    update(ingest_clients)
    .where(ingest_clients.c.client_id == bindparam("sender"), ingest_clients.c.sequence < bindparam("number"))
    .values(sequence=bindparam("number"), update_time=bindparam("now"))
)


class _Columns(NamedTuple):
    """Series side by side: what each has of every column."""

    keys: list[str]
    steps: list[Sequence[int]]
    timestamps: list[Sequence[int]]
    values: list[Sequence[float]]


class _RunPoints(NamedTuple):
    """The points of one run, those of one series after the other."""

    keys: list[str]
    counts: list[int]
    steps: Ints
    timestamps: Ints
    """Those of one series when all have the same, as metrics have that are logged together."""
    values: Floats

    def packed(self, key_ids: list[int]) -> list[Packed]:
        """As rows of the log, with a number for each key."""
        if len(self.steps) * len(key_ids) == len(self.values):
            return pack_grid(key_ids, self.steps, self.timestamps, self.values)
        keys = np.repeat(key_ids, self.counts)
        return pack(keys, self.steps, self.timestamps, self.values, len(self.values))


class IngestOperations(PointLog):
    """The part of the store protocol that takes columns."""

    def ingest(self, request: Ingest) -> IngestResponse:
        client_id = limits.check_client_id(required(request.client_id, "client_id"))
        if limits.check_int64(request.sequence, "sequence") < 1:
            raise InvalidParameterValue(f"sequence {request.sequence} is not 1 or more.")
        checked = _checked(request.series)
        points = sum(len(run.values) for run in checked.values())

        def work(connection: Connection) -> IngestResponse:
            if not _advance(connection, client_id, request.sequence):
                return IngestResponse(points=points, repeated_batch=True)
            rows = lock_runs(connection, checked)
            entries: list[LogEntry] = []
            for run_id, run in checked.items():
                row = run_in_use(rows, run_id)
                ids = self.keys.metric_ids(connection, row.experiment_id, run.keys)
                entries.append(LogEntry(row.run, run.packed(ids)))
            self.append(connection, entries)
            return IngestResponse(points=points)

        return self.db.write(work)


def _advance(connection: Connection, client_id: str, sequence: int) -> bool:
    """Note the number of a batch; False when it is not greater than the last one of this sender."""
    now = now_ms()
    if _ADVANCE(connection, {"sender": client_id, "number": sequence, "now": now}).rowcount:
        return True
    first = {"client_id": client_id, "sequence": sequence, "update_time": now}
    insert = dialect.insert_ignore(connection, ingest_clients).execution_options(preserve_rowcount=True)
    return bool(connection.execute(insert, first).rowcount)


def _checked(batch: Sequence[IngestSeries]) -> dict[str, _RunPoints]:
    """The points of each run; empty series are left out.

    Whole columns are checked at once; only what is refused is looked at one by one, to name it.

    Raises:
        InvalidParameterValue: Too many points, columns of different lengths, a run id, key or number that is not
            allowed; the path names the first one.
    """
    columns = _columns(batch)
    counts = list(map(len, columns.values))
    if (total := sum(counts)) > limits.MAX_INGEST_POINTS:
        raise InvalidParameterValue(
            f"The batch has {total} points, at most {limits.MAX_INGEST_POINTS} are allowed in one."
        )
    run_ids = {item.run_id for item in batch}
    if not (
        all(map(limits.is_run_id, run_ids))
        and limits.are_keys(columns.keys)
        and counts == list(map(len, columns.steps)) == list(map(len, columns.timestamps))
    ):
        raise _first_problem(batch)
    if len(run_ids) == 1 and all(counts):  # nearly always; looking at each of thousands of series costs
        return {run_ids.pop(): _run_points(columns, counts, batch)}
    by_run: dict[str, list[IngestSeries]] = {}
    for item, count in zip(batch, counts, strict=True):
        if count:
            by_run.setdefault(item.run_id, []).append(item)
    return {
        run_id: _run_points(_columns(items), [len(item.values) for item in items], batch)
        for run_id, items in by_run.items()
    }


def _columns(series: Sequence[IngestSeries]) -> _Columns:
    return _Columns(
        [item.key for item in series],
        [item.steps for item in series],
        [item.timestamps for item in series],
        [item.values for item in series],
    )


def _run_points(columns: _Columns, counts: list[int], batch: Sequence[IngestSeries]) -> _RunPoints:
    steps, timestamps = columns.steps, columns.timestamps
    if _are_equal(steps) and _are_equal(timestamps):
        steps, timestamps = steps[:1], timestamps[:1]
    try:
        times = _joined(steps, "<i8"), _joined(timestamps, "<i8")
        run = _RunPoints(columns.keys, counts, *times, _joined(columns.values, "<f8"))
    except OverflowError as e:
        raise _first_problem(batch) from e
    if run.timestamps.min() < 0:
        raise _first_problem(batch)
    return run


def _are_equal(parts: list[Sequence[int]]) -> bool:
    return parts.count(parts[0]) == len(parts)


def _joined(parts: Sequence[Sequence[Any]], kind: str) -> npt.NDArray[Any]:
    if isinstance(parts[0], memoryview):
        return np.concatenate(parts, dtype=kind)
    return np.array(list(chain.from_iterable(parts)), kind)  # many short lists: an array of each would take longer


def _first_problem(batch: Sequence[IngestSeries]) -> InvalidParameterValue:
    """The error for the first thing that is not allowed."""
    try:
        for i, item in enumerate(batch):
            limits.check_run_id(item.run_id, f"series[{i}].run_id")
            limits.check_key(item.key, f"series[{i}].key")
            if not len(item.steps) == len(item.timestamps) == len(item.values):
                return InvalidParameterValue(
                    f"series[{i}] has {len(item.steps)} steps, {len(item.timestamps)} timestamps and "
                    f"{len(item.values)} values; the columns of a series have one length."
                )
            for place, step in enumerate(item.steps):
                limits.check_int64(step, f"series[{i}].steps[{place}]")
            for place, timestamp in enumerate(item.timestamps):
                limits.check_timestamp(timestamp, f"series[{i}].timestamps[{place}]")
    except InvalidParameterValue as error:
        return error
    raise AssertionError("unreachable")
