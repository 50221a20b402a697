"""What a store does beside its work: it applies logs and compacts them.

A server has a thread for each. A store without a server compacts when a run ends, and starts the thread when it has
logged so much that waiting would cost.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, func, select

from stele.errors import SteleError
from stele.schema import runs as r
from stele.schema.enums import RunStatus, status_name
from stele.stores.sql.backlog import Backlog, wanted_points
from stele.stores.sql.compaction import compact_once
from stele.stores.sql.core import run_numbers
from stele.stores.sql.purge import PurgeOperations
from stele.stores.sql.purge_models import PurgeModelOperations
from stele.stores.sql.runs import RunOperations
from stele.stores.sql.summaries import is_pending
from stele.stores.sql.tables import ingest_log, segments

__all__ = ["MaintenanceOperations"]

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
REFRESH_SHARE = 0.05
MOST_REFRESH_SECONDS = 15.0
"""A thread applies the log every second, or when that takes long, for a twentieth of the time."""

RECOUNT_SECONDS = 60.0
ENDING_SECONDS = 2.0
"""How long the end of a run, or of a store, goes on to begin portions of a compaction; one takes a second at most."""

SPARE_PAGES = 4_096
"""Free pages of an SQLite file that a server keeps for the log to grow into: 16 MB."""

_CLAIM_POLL_SECONDS = 0.02


class MaintenanceOperations(RunOperations, PurgeOperations, PurgeModelOperations):
    """The part of a store that works in the background."""

    def __init__(self) -> None:
        self.backlog = Backlog(self.wake_compactor)
        self._stop = threading.Event()
        self._full = threading.Event()
        self._starting = threading.Lock()
        self._serves = False
        self._refresher: threading.Thread | None = None
        self._compactor: threading.Thread | None = None

    def start_refresher(self) -> None:
        """Apply and compact the ingest log on threads of their own, as a server does."""
        if not self._serves:
            self._serves = True
            self._refresher = _started("stele-refresher", self._refresh)
            self.wake_compactor()

    def stop_maintenance(self) -> None:
        """End the threads; a store without a server compacts what it has logged before."""
        if not self._serves:
            self.finish(self.backlog.unfinished())
        self._stop.set()
        self._full.set()
        for thread in (self._refresher, self._compactor):
            if thread is not None and thread.is_alive():
                thread.join()

    def compact_run(self, run: int, *, whole: bool = False, until: float = 0.0, enough: float = math.inf) -> int:
        """Move the log of a run into segments.

        Args:
            run: Row number of the run.
            whole: Merge small segments as far as memory allows.
            until: How long to wait while somebody else compacts the run, and to begin another portion, on the clock of
                ``time.monotonic``. The first portion is begun in any case.
            enough: Begin no other portion when so many points have been moved.

        Returns:
            How many points were moved, or merged when there was nothing to move.
        """
        while True:
            with self.db.claim(run) as claimed:
                if claimed:
                    return self._compact_claimed(run, whole=whole, until=until, enough=enough)
            if time.monotonic() > until or self._stop.is_set():
                return 0
            time.sleep(_CLAIM_POLL_SECONDS)

    def _compact_claimed(self, run: int, *, whole: bool, until: float, enough: float) -> int:
        moved = 0
        while True:
            # Only what has been applied is moved.
            if self.db.read(lambda c: is_pending(c, run)):
                self.apply_logs([run])
            self.backlog.take(run)
            portion = compact_once(self.db, run, whole=whole)
            moved += portion
            if not portion or moved >= enough or time.monotonic() > until or self._stop.is_set():
                return moved

    def points_in_logs(self) -> dict[int, int]:
        """Points of the log by row number of the run; runs whose segments could be merged are there with 0 points."""
        c, s = ingest_log.c, segments.c
        scattered = select(s.run).where(s.sealed == 0).group_by(s.run).having(func.count(s.generation.distinct()) > 1)
        logs = select(c.run, func.sum(c.points)).group_by(c.run)

        def work(connection: Connection) -> dict[int, int]:
            found = dict.fromkeys(connection.scalars(scattered), 0)
            return found | {run: int(points) for run, points in connection.execute(logs)}

        return self.db.read(work)

    def compact_all(self, advance: Callable[[int], None]) -> int:
        """Compact every run; what is logged meanwhile stays in the log.

        Args:
            advance: Is told how many points of the log have been moved.

        Returns:
            How many runs were compacted.
        """
        waiting = self.points_in_logs()
        for run, points in waiting.items():
            self.compact_run(run, whole=True, until=math.inf, enough=points)
            advance(points)
        return len(waiting)

    def update_run(self, request: r.UpdateRun) -> r.UpdateRunResponse:
        response = super().update_run(request)
        if request.status is not None and RunStatus.is_terminated(RunStatus.from_string(status_name(request.status))):
            number = self.db.read(lambda c: run_numbers(c, [request.run_id]))[request.run_id].run
            if self.backlog.end(number) and not self._serves:
                self.finish([number])
        return response

    def wake_compactor(self) -> None:
        """Have the runs compacted that are due, by a thread that is started when there is none."""
        self._full.set()
        with self._starting:
            if self._compactor is None or not self._compactor.is_alive():  # which a fork leaves behind
                self._compactor = _started("stele-compactor", self._compact_always)

    def finish(self, numbers: list[int]) -> None:
        """Compact runs for which nothing more is expected, in bounded time."""
        until = time.monotonic() + ENDING_SECONDS
        try:
            for run in numbers:
                if time.monotonic() > until:
                    return
                self.compact_run(run, whole=True, until=until)
            while numbers and time.monotonic() < until and self.reclaim_pages():
                pass
        except SteleError as e:  # the points are safe where they are
            logger.warning("the ingest log could not be compacted: %s", e)

    def _refresh(self) -> None:
        pause = REFRESH_SECONDS
        while not self._stop.wait(pause):
            started = time.monotonic()
            _try(self.apply_all, "applied")
            # Who reads does not wait for this thread, so it leaves most of the time to those who write.
            pause = min(max(REFRESH_SECONDS, (time.monotonic() - started) / REFRESH_SHARE), MOST_REFRESH_SECONDS)

    def _compact_always(self) -> None:
        counted = -RECOUNT_SECONDS
        while not self._stop.is_set():
            if time.monotonic() - counted >= RECOUNT_SECONDS:
                _try(lambda: self.db.read(self.backlog.recount), "counted")
                counted = time.monotonic()
            due = self.backlog.due()
            for run, ended in due:
                if not self._stop.is_set():
                    _try(partial(self._compact_due, run, ended=ended), "compacted")
            if not due:
                _try(self._give_pages_back, "vacuumed")
            self._full.wait(REFRESH_SECONDS)
            self._full.clear()

    def _compact_due(self, run: int, *, ended: bool) -> None:
        if ended or self.backlog.postpone(run, self.db.read(lambda c: wanted_points(c, run))):
            self.compact_run(run, whole=ended)

    def _give_pages_back(self) -> None:
        if self.free_pages() > SPARE_PAGES:
            self.reclaim_pages()


def _started(name: str, work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def _try(work: Callable[[], object], what: str) -> None:
    """Do something that may fail, and will be tried again."""
    try:
        work()
    except SteleError as e:
        logger.warning("the ingest log could not be %s: %s", what, e)
    except Exception:
        logger.exception("the ingest log could not be %s", what)
