"""Looking for what has changed, whoever changed it: for pages that show it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, select

from stele.stores.sql.change_stamps import COMMIT_MILLISECONDS, clock
from stele.stores.sql.core import StoreCore
from stele.stores.sql.model_tables import registry_events
from stele.stores.sql.tables import experiments, runs

__all__ = ["RecentChangeOperations", "RecentChanges", "RunStamp"]

T = TypeVar("T")

_IDS_AT_ONCE = 1_000
_LATE_EVENTS = 100
"""How many events back one may become visible after a later one."""

_STAMPS = select(runs.c.run_id, runs.c.experiment_id, runs.c.change_stamp)
# Answered by ix_runs_change_stamp, whatever the experiment holds.
_IN_EXPERIMENTS = _STAMPS.where(
    runs.c.experiment_id.in_(bindparam("numbers", expanding=True)), runs.c.change_stamp > bindparam("since")
)
_OF_RUNS = _STAMPS.where(runs.c.run_id.in_(bindparam("run_ids", expanding=True)))

_LAST_EVENT = select(func.max(registry_events.c.event)).scalar_subquery()
_MARKS = select(
    clock(),
    func.coalesce(_LAST_EVENT, 0),
    select(func.count()).where(registry_events.c.event > _LAST_EVENT - _LATE_EVENTS).scalar_subquery(),
    select(func.count()).select_from(experiments).scalar_subquery(),
    select(func.coalesce(func.sum(experiments.c.last_update_time), 0)).scalar_subquery(),
    select(registry_events.c.time).where(registry_events.c.event == _LAST_EVENT).scalar_subquery(),
    select(func.max(experiments.c.last_update_time)).scalar_subquery(),
)


class RunStamp(Struct, frozen=True):
    """A run; ``stamp`` is another one after every change of it."""

    run_id: str
    experiment_id: str
    stamp: int


class RecentChanges(Struct, frozen=True):
    """What was found.

    Attributes:
        time: Of the database's clock, in milliseconds since 1970.
        since: Runs of the experiments are there whose stamp is greater.
        runs: Stamps of runs, one may be there twice.
        registry: Another value after every change of the registry.
        experiments: Another value after every change of an experiment itself, and when there are more or fewer.
        registry_time: Of the last change of the registry, 0 for none; by the clock of the process that made it.
        experiments_time: Of the last change of an experiment itself, likewise.
    """

    time: int
    since: int
    runs: list[RunStamp]
    registry: tuple[int, int]
    experiments: tuple[int, int]
    registry_time: int
    experiments_time: int


class RecentChangeOperations(StoreCore):
    """The part of a store that says what is new."""

    def look_for_changes(
        self, experiment_ids: Collection[int], run_ids: Collection[str], since: int | None = None
    ) -> RecentChanges:
        """The stamps of some runs, and of those in some experiments that were changed lately; two small statements.

        Args:
            experiment_ids: Numbers of experiments.
            run_ids: Runs whose stamps are wanted whenever they were changed; unknown ones are left out.
            since: The time of the look before; None for now. Changes in the experiments are found from
                :data:`~stele.stores.sql.change_stamps.COMMIT_MILLISECONDS` before it on, because they may have become
                visible only now.

        Raises:
            Unavailable: The database cannot be reached.
        """

        def work(connection: Connection) -> RecentChanges:
            now, event, events, count, updated, *times = connection.execute(_MARKS).one()
            start = (now if since is None else since) - COMMIT_MILLISECONDS
            found: list[Any] = []
            for numbers in _parts(experiment_ids):
                found += connection.execute(_IN_EXPERIMENTS, {"numbers": numbers, "since": start}).all()
            for names in _parts(run_ids):
                found += connection.execute(_OF_RUNS, {"run_ids": names}).all()
            stamps = [RunStamp(run_id, str(experiment), stamp) for run_id, experiment, stamp in found]
            registry_time, experiments_time = (time or 0 for time in times)
            return RecentChanges(
                time=now,
                since=start,
                runs=stamps,
                registry=(event, events),
                experiments=(count, int(updated)),
                registry_time=registry_time,
                experiments_time=experiments_time,
            )

        return self.db.read(work)


def _parts(ids: Collection[T]) -> Iterator[list[T]]:
    whole = list(ids)
    for start in range(0, len(whole), _IDS_AT_ONCE):
        yield whole[start : start + _IDS_AT_ONCE]
