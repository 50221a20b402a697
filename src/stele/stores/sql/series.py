"""The ingest log: where points go first.

A write appends one row of packed points per run and marks the run as dirty; nothing else. Summaries follow
(:mod:`~stele.stores.sql.summaries`), then the points move into segments (:mod:`~stele.stores.sql.compaction`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from stele.schema.metrics import Metric
from stele.stores.sql import dialect
from stele.stores.sql.records import Packed, pack
from stele.stores.sql.tables import KIND_METRIC, dirty_runs, ingest_log

__all__ = ["LogEntry", "append_entries", "log_entry"]

_INSERT = dialect.Prepared(ingest_log.insert().values(dict.fromkeys(("run", "points", "records"), 0)))
_MARK = dialect.Prepared(lambda name: dialect.insert_ignore_of(name, dirty_runs))


class LogEntry(NamedTuple):
    """Points of one run on their way into its log."""

    run: int
    """Row number."""
    rows: list[Packed]

    @property
    def points(self) -> int:
        """How many they are."""
        return sum(row.points for row in self.rows)


def log_entry(run: int, metrics: Sequence[Metric], key_ids: dict[tuple[int, str], int]) -> LogEntry:
    """Some points of a run, packed for its log."""
    records = pack(
        [key_ids[KIND_METRIC, metric.key] for metric in metrics],
        [metric.step for metric in metrics],
        [metric.timestamp for metric in metrics],
        [metric.value for metric in metrics],
        len(metrics),
    )
    return LogEntry(run, records)


def append_entries(connection: Connection, entries: Sequence[LogEntry]) -> None:
    """Append to the logs of runs whose rows the caller has locked."""
    rows = [{"run": entry.run, "points": row.points, "records": row.data} for entry in entries for row in entry.rows]
    if len(rows) == 1:
        _INSERT(connection, rows[0])
        _MARK(connection, rows[0])
    elif rows:
        _INSERT.many(connection, rows)
        _MARK.many(connection, [{"run": entry.run} for entry in entries])
