"""The one way by which points enter a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, exists, func, select

from stele import settings
from stele.errors import InvalidParameterValue, shown
from stele.stores.sql.core import StoreCore
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.series import LogEntry, append_entries
from stele.stores.sql.summaries import apply_whole_log, counted_points, unseen_points
from stele.stores.sql.tables import ingest_log, latest_metrics, run_forks, runs, segments

__all__ = ["PointLog"]


def _sum_of(table: Any) -> Any:
    return select(func.coalesce(func.sum(table.c.points), 0)).where(table.c.run == bindparam("run")).scalar_subquery()


_SHARES = exists().where(run_forks.c.run == bindparam("run"))
# Answered by ix_segments_find and ix_ingest_log_run alone. What a fork shares is in no segment of its own.
_STORED = Prepared(select(_sum_of(segments) + _sum_of(ingest_log) + case((_SHARES, _sum_of(latest_metrics)), else_=0)))


class PointLog(StoreCore):
    """The part of a store that every point passes."""

    def append(self, connection: Connection, entries: Sequence[LogEntry]) -> None:
        """Append to the logs of runs whose rows the caller has locked.

        Raises:
            InvalidParameterValue: A run would have more points than ``STELE_MAX_POINTS_PER_RUN`` allows.
        """
        if most := settings.MAX_POINTS_PER_RUN.get():
            for entry in entries:
                self._check_room(connection, entry, most)
        append_entries(connection, entries)
        for entry in entries:
            self.backlog.note(connection, entry.run, entry.points)

    def _check_room(self, connection: Connection, entry: LogEntry, most: int) -> None:
        run = entry.run
        # Repetitions are counted here, so this is never too small. What is nearly full is counted exactly.
        if _STORED(connection, {"run": run}).scalar_one() + entry.points <= most:
            return
        apply_whole_log(connection, self.keys, run)
        stored = counted_points(connection, run)
        fresh = len(unseen_points(connection, run, KeyedPoints.of_log(row.data for row in entry.rows)))
        if stored + fresh > most:
            run_id = connection.scalar(select(runs.c.run_id).where(runs.c.run == run))
            raise InvalidParameterValue(
                f"Run {shown(run_id)} has {stored} metric points, and {fresh} more would be over the {most} that "
                f"{settings.MAX_POINTS_PER_RUN.name} allows in one run. Nothing of this batch was stored; params, tags "
                "and the end of the run are still taken."
            )
