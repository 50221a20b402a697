"""Batches of metric points in columns: the fast way in, which may be repeated.

A batch and its number are stored in one transaction, so a sender that saw no answer sends the same batch again, to any
server of the database, and it counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, update

from stele import limits
from stele.errors import InvalidParameterValue, shown
from stele.schema.codec import required
from stele.schema.ingest import Ingest, IngestResponse, IngestSeries
from stele.stores.sql import dialect
from stele.stores.sql.core import lock_runs, now_ms, run_in_use
from stele.stores.sql.point_log import PointLog
from stele.stores.sql.points import canonical_values
from stele.stores.sql.records import RECORD, Records
from stele.stores.sql.tables import KIND_METRIC, ingest_clients

__all__ = ["IngestOperations"]

Column = npt.NDArray[Any]

_ADVANCE = dialect.Prepared(
    update(ingest_clients)
    .where(ingest_clients.c.client_id == bindparam("sender"), ingest_clients.c.sequence < bindparam("number"))
    .values(sequence=bindparam("number"), update_time=bindparam("now"))
)


class _Columns(NamedTuple):
    """The checked points of one series."""

    key: str
    steps: Column
    timestamps: Column
    values: Column


class IngestOperations(PointLog):
    """The part of the store protocol that takes columns."""

    def ingest(self, request: Ingest) -> IngestResponse:
        client_id = limits.check_client_id(required(request.client_id, "client_id"))
        if limits.check_int64(request.sequence, "sequence") < 1:
            raise InvalidParameterValue(f"sequence {request.sequence} is not 1 or more.")
        by_run = _checked(request.series)
        points = sum(len(columns.values) for run in by_run.values() for columns in run)

        def work(connection: Connection) -> IngestResponse:
            if not _advance(connection, client_id, request.sequence):
                return IngestResponse(points=points, repeated_batch=True)
            rows = lock_runs(connection, by_run)
            packed: list[dict[str, Any]] = []
            for run_id, columns in by_run.items():
                row = run_in_use(rows, run_id)
                ids = self.keys.resolve(connection, row.experiment_id, [(KIND_METRIC, item.key) for item in columns])
                records = _records(columns, ids)
                packed.append({"run": row.run, "points": len(records), "records": records.tobytes()})
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


def _checked(batch: Sequence[IngestSeries]) -> dict[str, list[_Columns]]:
    """The series of each run; empty ones are left out.

    Raises:
        InvalidParameterValue: Too many points, columns of different lengths, or what no series may hold.
    """
    total = sum(len(item.values) for item in batch)
    if total > limits.MAX_INGEST_POINTS:
        raise InvalidParameterValue(
            f"The batch has {total} points, at most {limits.MAX_INGEST_POINTS} are allowed in one."
        )
    result: dict[str, list[_Columns]] = {}
    for i, item in enumerate(batch):
        columns = _checked_series(item, f"series[{i}]")
        if len(columns.values):
            result.setdefault(item.run_id, []).append(columns)
    return result


def _checked_series(item: IngestSeries, path: str) -> _Columns:
    limits.check_run_id(item.run_id, f"{path}.run_id")
    limits.check_key(item.key, f"{path}.key")
    if not len(item.steps) == len(item.timestamps) == len(item.values):
        raise InvalidParameterValue(
            f"{path} has {len(item.steps)} steps, {len(item.timestamps)} timestamps and {len(item.values)} values; "
            "the columns of a series have one length."
        )
    steps = _integers(item.steps, f"{path}.steps")
    timestamps = _integers(item.timestamps, f"{path}.timestamps")
    if len(timestamps) and (least := int(timestamps.min())) < 0:
        limits.check_timestamp(least, f"{path}.timestamps[{int(timestamps.argmin())}]")
    values = canonical_values(item.values)
    return _Columns(item.key, steps, timestamps, values)


def _integers(values: Sequence[int], path: str) -> Column:
    try:
        return np.array(values, dtype="<i8")
    except OverflowError as e:
        bad = next(i for i, value in enumerate(values) if not limits.INT64_MIN <= value <= limits.INT64_MAX)
        raise InvalidParameterValue(f"{path}[{bad}] {shown(values[bad])} does not fit into 64 bits.") from e


def _records(columns: Iterable[_Columns], ids: dict[tuple[int, str], int]) -> Records:
    """The points of one run as records."""
    columns = list(columns)
    records = np.empty(sum(len(item.values) for item in columns), dtype=RECORD)
    start = 0
    for item in columns:
        part = records[start : start + len(item.values)]
        part["key"] = ids[KIND_METRIC, item.key]
        part["step"], part["timestamp"], part["value"] = item.steps, item.timestamps, item.values
        start += len(part)
    return records
