"""Which runs have so much in their ingest log that it should be compacted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from stele.schema.enums import RunStatus
from stele.stores.sql.database import after_commit
from stele.stores.sql.tables import ingest_log, latest_metrics, runs

__all__ = ["Backlog", "Waiting", "wanted_points"]

FEWEST_POINTS = 65_536
MOST_POINTS = 262_144
POINTS_PER_KEY = 16
"""A run waits until its log has 65 536 points, or 16 for each key, and never for more than 262 144."""

MOST_ROWS = 2_000
IDLE_SECONDS = 30.0
WORTHWHILE_POINTS = 100
"""What has fewer points stays in the log when its run ends or is idle: a page of the database holds as many."""


@dataclass(slots=True)
class Waiting:
    """What was logged to a run since its last compaction, as far as this process knows."""

    rows: int = 0
    points: int = 0
    ended: bool = False
    limit: int = field(default_factory=lambda: FEWEST_POINTS)
    changed: float = field(default_factory=time.monotonic)

    def is_due(self, now: float) -> bool:
        """Whether the log should be compacted at a time of the monotonic clock."""
        if self.points < WORTHWHILE_POINTS:
            return False
        full = self.points >= self.limit or self.rows >= MOST_ROWS
        return full or self.ended or now - self.changed >= IDLE_SECONDS


class Backlog:
    """Counts what is logged, by run. Any thread may call any method."""

    def __init__(self, when_full: Callable[[], None]) -> None:
        """Begin with nothing.

        Args:
            when_full: Is called when a run has reached its limit, on the thread that has logged to it.
        """
        self._lock = threading.Lock()
        self._runs: dict[int, Waiting] = {}
        self._when_full = when_full

    def note(self, connection: Connection, run: int, points: int) -> None:
        """Count points that are stored once the transaction of ``connection`` is committed."""
        after_commit(connection, lambda: self._grew(run, points))

    def _grew(self, run: int, points: int) -> None:
        with self._lock:
            waiting = self._runs.setdefault(run, Waiting())
            waiting.rows += 1
            waiting.points += points
            waiting.changed = time.monotonic()
            full = waiting.points >= waiting.limit or waiting.rows >= MOST_ROWS
        if full:
            self._when_full()

    def end(self, run: int) -> bool:
        """Note that a run has ended; whether its log is worth being compacted now."""
        with self._lock:
            waiting = self._runs.get(run)
            if waiting is None or waiting.points < WORTHWHILE_POINTS:
                self._runs.pop(run, None)
                return False
            waiting.ended = True
            return True

    def due(self) -> list[tuple[int, bool]]:
        """Runs that should be compacted now, and whether each has ended."""
        now = time.monotonic()
        with self._lock:
            return [(run, waiting.ended) for run, waiting in self._runs.items() if waiting.is_due(now)]

    def unfinished(self) -> list[int]:
        """Runs with anything worth being compacted, due or not."""
        with self._lock:
            return [run for run, waiting in self._runs.items() if waiting.points >= WORTHWHILE_POINTS]

    def take(self, run: int) -> None:
        """Begin to count a run anew, because it is being compacted."""
        with self._lock:
            self._runs.pop(run, None)

    def postpone(self, run: int, limit: int) -> bool:
        """Let a run wait until it has ``limit`` points; whether it has them already, or is due for another reason."""
        with self._lock:
            waiting = self._runs.get(run)
            if waiting is None:
                return False
            waiting.limit = max(limit, FEWEST_POINTS)
            return waiting.is_due(time.monotonic())

    def recount(self, connection: Connection) -> None:
        """Learn what the log holds of all runs, also of those that another process logs to."""
        c = ingest_log.c
        points = func.sum(c.points)
        # Answered by ix_ingest_log_run alone. Of the many runs that ended with a short log nothing is to be known.
        sums = select(c.run, func.count().label("n"), points.label("points")).group_by(c.run)
        worthwhile = sums.having(points >= WORTHWHILE_POINTS).subquery()
        query = select(worthwhile, runs.c.status).join(runs, runs.c.run == worthwhile.c.run)
        self._counted((row.run, row.n, int(row.points), row.status) for row in connection.execute(query).all())

    def _counted(self, found: Iterable[tuple[int, int, int, int]]) -> None:
        with self._lock:
            for run, rows, points, status in found:
                waiting = self._runs.setdefault(run, Waiting())
                waiting.rows, waiting.points = rows, points
                waiting.ended = waiting.ended or RunStatus.is_terminated(status)


def wanted_points(connection: Connection, run: int) -> int:
    """How many points the log of a run should have before it is compacted: more where they are of many keys."""
    c = latest_metrics.c
    keys = connection.execute(select(func.count()).select_from(latest_metrics).where(c.run == run)).scalar_one()
    return min(max(FEWEST_POINTS, POINTS_PER_KEY * keys), MOST_POINTS)
