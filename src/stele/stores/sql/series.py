"""The ingest log: where points go first.

A write appends one row of packed points per run and marks the run as dirty; nothing else. Summaries follow
(:mod:`~stele.stores.sql.summaries`), then the points move into segments (:mod:`~stele.stores.sql.compaction`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from stele.schema.metrics import Metric
from stele.stores.sql import dialect
from stele.stores.sql.records import RECORD, pack
from stele.stores.sql.tables import KIND_METRIC, dirty_runs, ingest_log

__all__ = ["append_rows", "log_row"]

ROW_POINTS = 65_536
"""Most points of one row of the log: under 2 MB, which every database takes in one statement."""

_INSERT = dialect.Prepared(ingest_log.insert().values(dict.fromkeys(("run", "points", "records"), 0)))
_MARK = dialect.Prepared(lambda name: dialect.insert_ignore_of(name, dirty_runs))


def log_row(run: int, metrics: Sequence[Metric], key_ids: dict[tuple[int, str], int]) -> dict[str, Any]:
    """The row of the ingest log that holds some points of a run."""
    records = pack(
        [key_ids[KIND_METRIC, metric.key] for metric in metrics],
        [metric.step for metric in metrics],
        [metric.timestamp for metric in metrics],
        [metric.value for metric in metrics],
        len(metrics),
    )
    return {"run": run, "points": len(metrics), "records": records}


def append_rows(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Append to the logs of several runs whose rows the caller has locked.

    Args:
        connection: The transaction.
        rows: Row number of the run, number of points, and the packed points, see
            :func:`~stele.stores.sql.records.pack`.
    """
    if not rows:
        return
    pieces = [piece for row in rows for piece in _pieces(row)]
    if len(pieces) == 1:
        _INSERT(connection, pieces[0])
        _MARK(connection, pieces[0])
    else:
        _INSERT.many(connection, pieces)
        _MARK.many(connection, rows)


def _pieces(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The row, in several when it is too long for one."""
    if row["points"] <= ROW_POINTS:
        return [row]
    size = ROW_POINTS * RECORD.itemsize
    records = row["records"]
    chunks = [records[start : start + size] for start in range(0, len(records), size)]
    return [{"run": row["run"], "points": len(chunk) // RECORD.itemsize, "records": chunk} for chunk in chunks]
