"""Batches of metric points in columns: the fast way in, which may be repeated.

A batch and its number are stored in one transaction, so a sender that saw no answer sends the same batch again, to any
server of the database, and it counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, update

from stele import limits
from stele.errors import InvalidParameterValue
from stele.schema.codec import required
from stele.schema.ingest import Ingest, IngestResponse, IngestSeries
from stele.stores.sql import dialect
from stele.stores.sql.core import lock_runs, now_ms, run_in_use
from stele.stores.sql.point_log import PointLog
from stele.stores.sql.points import canonical_values
from stele.stores.sql.records import RECORD, Records
from stele.stores.sql.tables import KIND_METRIC, ingest_clients

__all__ = ["IngestOperations"]

_ADVANCE = dialect.Prepared(
    update(ingest_clients)
    .where(ingest_clients.c.client_id == bindparam("sender"), ingest_clients.c.sequence < bindparam("number"))
    .values(sequence=bindparam("number"), update_time=bindparam("now"))
)


class _RunPoints:
    """The points of one run, those of one series after the other."""

    __slots__ = ("counts", "keys", "steps", "timestamps", "values")

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.counts: list[int] = []
        self.steps: list[int] = []
        self.timestamps: list[int] = []
        self.values: list[float] = []

    def add(self, item: IngestSeries) -> None:
        """Append a series that is not empty."""
        self.keys.append(item.key)
        self.counts.append(len(item.values))
        self.steps += item.steps
        self.timestamps += item.timestamps
        self.values += item.values


class IngestOperations(PointLog):
    """The part of the store protocol that takes columns."""

    def ingest(self, request: Ingest) -> IngestResponse:
        client_id = limits.check_client_id(required(request.client_id, "client_id"))
        if limits.check_int64(request.sequence, "sequence") < 1:
            raise InvalidParameterValue(f"sequence {request.sequence} is not 1 or more.")
        checked = _checked(request.series)
        points = sum(len(run.values) for run in checked.values())
        records = {run_id: _records(run, request.series, run_id) for run_id, run in checked.items()}

        def work(connection: Connection) -> IngestResponse:
            if not _advance(connection, client_id, request.sequence):
                return IngestResponse(points=points, repeated_batch=True)
            rows = lock_runs(connection, checked)
            packed: list[dict[str, Any]] = []
            for run_id, run in checked.items():
                row, own = run_in_use(rows, run_id), records[run_id]
                ids = self.keys.resolve(connection, row.experiment_id, [(KIND_METRIC, key) for key in run.keys])
                own["key"] = np.repeat([ids[KIND_METRIC, key] for key in run.keys], run.counts)
                packed.append({"run": row.run, "points": len(own), "records": own.tobytes()})
            self.append_rows(connection, packed)
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

    Raises:
        InvalidParameterValue: Too many points, columns of different lengths, or a run id or key that is not allowed.
    """
    total = sum(len(item.values) for item in batch)
    if total > limits.MAX_INGEST_POINTS:
        raise InvalidParameterValue(
            f"The batch has {total} points, at most {limits.MAX_INGEST_POINTS} are allowed in one."
        )
    result: dict[str, _RunPoints] = {}
    keys: set[str] = set()
    for i, item in enumerate(batch):
        if item.run_id not in result:
            result[limits.check_run_id(item.run_id, f"series[{i}].run_id")] = _RunPoints()
        if item.key not in keys:
            keys.add(limits.check_key(item.key, f"series[{i}].key"))
        if not len(item.steps) == len(item.timestamps) == len(item.values):
            raise InvalidParameterValue(
                f"series[{i}] has {len(item.steps)} steps, {len(item.timestamps)} timestamps and {len(item.values)} "
                "values; the columns of a series have one length."
            )
        if item.values:
            result[item.run_id].add(item)
    return {run_id: points for run_id, points in result.items() if points.keys}


def _records(points: _RunPoints, batch: Sequence[IngestSeries], run_id: str) -> Records:
    """The points of one run as records, still without their keys.

    Raises:
        InvalidParameterValue: A number does not fit; the path names it.
    """
    records = np.empty(len(points.values), dtype=RECORD)
    try:
        records["step"] = np.array(points.steps, "<i8")
        records["timestamp"] = np.array(points.timestamps, "<i8")
    except OverflowError as e:
        raise _misfit(batch, run_id) from e
    if records["timestamp"].min() < 0:
        raise _misfit(batch, run_id)
    records["value"] = canonical_values(points.values)
    return records


def _misfit(batch: Sequence[IngestSeries], run_id: str) -> InvalidParameterValue:
    """The error for the first step or timestamp of a run that is not allowed."""
    for i, item in enumerate(batch):
        if item.run_id == run_id:
            try:
                for name, values, check in (
                    ("steps", item.steps, limits.check_int64),
                    ("timestamps", item.timestamps, limits.check_timestamp),
                ):
                    for place, value in enumerate(values):
                        check(value, f"series[{i}].{name}[{place}]")
            except InvalidParameterValue as error:
                return error
    raise AssertionError("unreachable")
