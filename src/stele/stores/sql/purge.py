"""Removing deleted runs and experiments for good.

Rows go in transactions of bounded size, so that other writers get their turns and memory does not depend on the length
of a series; no statement reads a point. A run is claimed first, by ``deleted_time = 0``: a purge that was interrupted
is carried on by the next one, whatever age it asks for, and a run that was restored meanwhile is left alone. So is an
experiment, by ``last_update_time = 0``, of which more rows are to go than one transaction takes. Which tables belong to
a run or an experiment is read from the schema: all that have a column ``run`` or ``experiment_id``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, Table, delete, exists, func, not_, or_, select, text, tuple_, update

from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.stores.sql.change_stamps import next_stamp
from stele.stores.sql.core import StoreCore
from stele.stores.sql.model_tables import logged_models
from stele.stores.sql.tables import (
    CLAIMED,
    STAGE_DELETED,
    experiments,
    ingest_clients,
    ingest_log,
    metadata,
    run_forks,
    runs,
    segments,
)

__all__ = ["ROWS_AT_ONCE", "DeletedExperiment", "DeletedRun", "PurgeChoice", "PurgeOperations", "delete_some"]

ROWS_AT_ONCE = 5_000
PAGES_AT_ONCE = 1_000
"""How much one transaction removes, or gives back: a few tens of milliseconds."""

ROWS_OF_POINTS_AT_ONCE = 250
"""The same for rows that hold many points: they are 30 kB long."""

_IDS_AT_ONCE = 500
# The points of such a run are the beginning of another one's series, so it goes after that one.
_FORKED = exists().where(run_forks.c.parent == runs.c.run)
_RUN_TABLES = [table for table in metadata.sorted_tables if "run" in table.c and table is not runs]
_EXPERIMENT_TABLES = [
    table
    for table in metadata.sorted_tables
    if "experiment_id" in table.c and table not in (experiments, runs, logged_models)
]


class PurgeChoice(Struct, frozen=True):
    """What may be removed, of all that is deleted. Absent conditions allow everything.

    Attributes:
        deleted_before: Milliseconds since 1970.
        run_ids: Only these runs, and no experiment.
        experiment_ids: Only these experiments, and the runs in them.
    """

    deleted_before: int | None = None
    run_ids: tuple[str, ...] = ()
    experiment_ids: tuple[int, ...] = ()


class DeletedRun(Struct, frozen=True):
    """A run in the trash; ``run`` is its row number, ``deleted_time`` in milliseconds since 1970 or 0, see above."""

    run: int
    run_id: str
    name: str
    experiment_id: int
    artifact_uri: str
    deleted_time: int


class DeletedExperiment(Struct, frozen=True):
    """An experiment in the trash."""

    experiment_id: int
    name: str
    artifact_location: str


class PurgeOperations(StoreCore):
    """The part of a store that forgets."""

    def check_purge(self, choice: PurgeChoice) -> None:
        """Check that everything that is named is there and in the trash.

        Raises:
            DoesNotExist: A run or an experiment is not there.
            InvalidParameterValue: It is in use, or other runs were forked from it.
        """

        def work(connection: Connection) -> None:
            _check_named(connection, "run", runs.c.run_id, runs.c.stage, choice.run_ids)
            names = experiments.c.experiment_id, experiments.c.stage
            _check_named(connection, "experiment", *names, choice.experiment_ids)
            _check_forks(connection, choice.run_ids)

        self.db.read(work)

    def count_deleted_runs(self, choice: PurgeChoice) -> int:
        """How many runs may be removed."""
        query = _chosen(select(func.count()).select_from(runs), choice)
        return int(self.db.read(lambda c: c.execute(query).scalar_one()))

    def count_forked_runs(self, choice: PurgeChoice) -> int:
        """How many runs would go, were they not the beginning of others."""
        query = _in_choice(select(func.count()).select_from(runs), choice).where(_FORKED)
        return int(self.db.read(lambda c: c.execute(query).scalar_one()))

    def deleted_runs(self, choice: PurgeChoice, limit: int, after: DeletedRun | None = None) -> list[DeletedRun]:
        """Runs that may be removed, those deleted longest ago first.

        Args:
            choice: Which ones.
            limit: How many at most.
            after: The last one of the page before.
        """
        c = runs.c
        query = _chosen(select(c.run, c.run_id, c.name, c.experiment_id, c.artifact_uri, c.deleted_time), choice)
        if after is not None:
            later = c.deleted_time > after.deleted_time
            query = query.where(or_(later, (c.deleted_time == after.deleted_time) & (c.run > after.run)))
        query = query.order_by(c.deleted_time, c.run).limit(limit)
        rows = self.db.read(lambda connection: connection.execute(query).all())
        return [DeletedRun(*row) for row in rows]

    def claim_runs(self, numbers: Sequence[int]) -> list[int]:
        """Begin to remove runs: from here on their files may go. Returns those that may be removed still."""

        def work(connection: Connection) -> list[int]:
            found = _in_trash(connection, numbers, not_(_FORKED))
            connection.execute(update(runs).where(runs.c.run.in_(found)).values(deleted_time=CLAIMED))
            return found

        return self.db.write(work)

    def purge_runs(self, numbers: Sequence[int]) -> None:
        """Remove every row of claimed runs; one that was restored meanwhile stays."""
        while not self.db.write(partial(_purge_some_runs, numbers=numbers)):
            pass

    def deleted_experiments(self, choice: PurgeChoice) -> list[DeletedExperiment]:
        """Experiments that may be removed, once they have no runs; never the default one."""
        if choice.run_ids:
            return []
        c = experiments.c
        query = select(c.experiment_id, c.name, c.artifact_location).where(
            c.stage == STAGE_DELETED, c.experiment_id != 0
        )
        if choice.experiment_ids:
            query = query.where(c.experiment_id.in_(choice.experiment_ids))
        if choice.deleted_before is not None:
            query = query.where(c.last_update_time <= choice.deleted_before)
        rows = self.db.read(lambda connection: connection.execute(query.order_by(c.experiment_id)).all())
        return [DeletedExperiment(*row) for row in rows]

    def has_runs(self, experiment_id: int) -> bool:
        """Whether an experiment has runs, in use or deleted."""
        query = select(exists().where(runs.c.experiment_id == experiment_id))
        return bool(self.db.read(lambda c: c.execute(query).scalar_one()))

    def purge_experiment(self, experiment_id: int) -> bool:
        """Remove every row of a deleted experiment; False when it was restored, or has runs or logged models."""
        while (done := self.db.write(partial(_purge_some_of_experiment, number=experiment_id))) is None:
            pass
        return done

    def file_bytes(self) -> int:
        """The size of an SQLite database with all that is committed; 0 for the others."""
        if self.db.family != "sqlite":
            return 0
        pages, size = (text(f"PRAGMA {name}") for name in ("page_count", "page_size"))
        return int(self.db.read(lambda c: c.execute(pages).scalar_one() * c.execute(size).scalar_one()))

    def free_pages(self) -> int:
        """Pages of an SQLite file that hold nothing; 0 for the others."""
        return self.db.read(_free_pages) if self.db.family == "sqlite" else 0

    def forget_senders(self, before: int) -> int:
        """Forget how far senders of batches got that have sent nothing since a time; returns how many they were.

        Args:
            before: Milliseconds since 1970. A batch that such a sender repeats is stored again; equal points still
                count once.
        """
        old = ingest_clients.c.update_time < before
        forgotten = 0
        while some := self.db.write(lambda c: delete_some(c, ingest_clients, old, ROWS_AT_ONCE)):
            forgotten += some
        return forgotten

    def reclaim_pages(self) -> int:
        """Give up to 1000 free pages of an SQLite file back to the disk; returns how many pages that were.

        The other databases reuse the space by themselves.
        """
        if self.db.family != "sqlite":
            return 0
        return self.db.write(_reclaim_some)


def _chosen(query: Select[Any], choice: PurgeChoice) -> Select[Any]:
    return _in_choice(query, choice).where(not_(_FORKED))


def _in_choice(query: Select[Any], choice: PurgeChoice) -> Select[Any]:
    query = query.where(runs.c.stage == STAGE_DELETED)
    if choice.run_ids:
        query = query.where(runs.c.run_id.in_(choice.run_ids))
    if choice.experiment_ids:
        query = query.where(runs.c.experiment_id.in_(choice.experiment_ids))
    if choice.deleted_before is not None:
        query = query.where(runs.c.deleted_time <= choice.deleted_before)
    return query


def _check_named(connection: Connection, what: str, name: Any, stage: Any, wanted: Sequence[Any]) -> None:
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        part = wanted[start : start + _IDS_AT_ONCE]
        found = {row[0]: row[1] for row in connection.execute(select(name, stage).where(name.in_(part)))}
        for each in part:
            if each not in found:
                raise DoesNotExist(f"No {what} has the id {shown(str(each))}.")
            if found[each] != STAGE_DELETED:
                raise InvalidParameterValue(
                    f"The {what} {shown(str(each))} is in use. Delete it first: stele {what}s delete {each}"
                )


def _check_forks(connection: Connection, run_ids: Sequence[str]) -> None:
    for start in range(0, len(run_ids), _IDS_AT_ONCE):
        part = run_ids[start : start + _IDS_AT_ONCE]
        forks = runs.alias("forks")
        query = (
            select(runs.c.run_id, forks.c.run_id)
            .join_from(runs, run_forks, run_forks.c.parent == runs.c.run)
            .join(forks, forks.c.run == run_forks.c.run)
            .where(runs.c.run_id.in_(part), forks.c.run_id.not_in(run_ids))
        )
        for parent, fork in connection.execute(query.limit(1)):
            raise InvalidParameterValue(
                f"The run {shown(parent)} is the beginning of {shown(fork)}, forked from it. Remove that first."
            )


def _in_trash(connection: Connection, numbers: Sequence[int], *conditions: Any) -> list[int]:
    """Which of some runs are deleted, their rows locked: nobody restores them or applies their logs meanwhile."""
    query = select(runs.c.run).where(runs.c.run.in_(numbers), runs.c.stage == STAGE_DELETED, *conditions)
    return list(connection.scalars(query.order_by(runs.c.run).with_for_update()))


def _purge_some_runs(connection: Connection, numbers: Sequence[int]) -> bool:
    """Remove up to ``ROWS_AT_ONCE`` rows of claimed runs; True when nothing is left of them."""
    claimed = _in_trash(connection, numbers, runs.c.deleted_time == CLAIMED)
    left = ROWS_AT_ONCE
    for table in _RUN_TABLES:
        most = min(left, ROWS_OF_POINTS_AT_ONCE) if table in (ingest_log, segments) else left
        gone = delete_some(connection, table, table.c.run.in_(claimed), most)
        if gone == most:  # and there may be more
            return False
        left -= gone
    # No row is left to have a stamp, so the experiment tells that there are fewer.
    owners = select(runs.c.experiment_id).where(runs.c.run.in_(claimed))
    numbers_of_owners = list(connection.scalars(owners.distinct()))
    connection.execute(delete(runs).where(runs.c.run.in_(claimed)))
    connection.execute(
        update(experiments)
        .where(experiments.c.experiment_id.in_(numbers_of_owners))
        .values(last_update_time=next_stamp(experiments.c.last_update_time))
    )
    return True


def _purge_some_of_experiment(connection: Connection, number: int) -> bool | None:
    """Remove up to ``ROWS_AT_ONCE`` rows; True when nothing is left, False when the experiment stays, else None."""
    c = experiments.c
    query = select(c.stage).where(c.experiment_id == number).with_for_update()
    if connection.scalar(query) != STAGE_DELETED:
        return False
    for table in (runs, logged_models):
        if connection.scalar(select(exists().where(table.c.experiment_id == number))):
            return False
    left = ROWS_AT_ONCE
    for table in _EXPERIMENT_TABLES:
        left -= delete_some(connection, table, table.c.experiment_id == number, left)
        if left <= 0:
            connection.execute(update(experiments).where(c.experiment_id == number).values(last_update_time=CLAIMED))
            return None
    connection.execute(delete(experiments).where(c.experiment_id == number))
    return True


def delete_some(connection: Connection, table: Table, condition: Any, limit: int) -> int:
    """Delete up to ``limit`` rows, and return how many that were."""
    statement = delete(table).where(condition)
    if connection.dialect.name == "mysql":  # which would not use an index for the way below
        return connection.execute(statement.with_dialect_options(mysql_limit=limit)).rowcount
    key = list(table.primary_key)
    some = select(*key).where(condition).limit(limit)
    chosen = key[0].in_(some) if len(key) == 1 else tuple_(*key).in_(some)
    return connection.execute(statement.where(chosen)).rowcount


def _reclaim_some(connection: Connection) -> int:
    before = _free_pages(connection)
    # Python steps this statement once, and each step frees one page.
    for _ in range(min(before, PAGES_AT_ONCE)):
        connection.execute(text("PRAGMA incremental_vacuum(1)"))
    return before - _free_pages(connection)


def _free_pages(connection: Connection) -> int:
    return int(connection.execute(text("PRAGMA freelist_count")).scalar_one())
