"""Rewinding runs and forking them: what is shown of a series, never what is kept of it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, literal, select, update

from stele import limits
from stele.errors import InvalidParameterValue, shown
from stele.schema import rewinds as w
from stele.schema.codec import required
from stele.stores.sql.column_blocks import decode_keys
from stele.stores.sql.compaction import current_epoch
from stele.stores.sql.core import StoreCore, actor, locked_run, no_run, now_ms
from stele.stores.sql.epochs import KEEP_ALL, begin_epoch, refresh_summaries
from stele.stores.sql.keys import Keys
from stele.stores.sql.series_reader import inherited
from stele.stores.sql.summaries import counted_points
from stele.stores.sql.tables import latest_metrics, rewinds, run_forks, runs, segments

__all__ = ["RewindOperations", "fork_series"]

_SEGMENTS_AT_ONCE = 50


class RewindOperations(StoreCore):
    """The part of the store protocol that hides points and shows them again."""

    def rewind_run(self, request: w.RewindRun) -> w.RewindResponse:
        step = limits.check_int64(request.step, "step")
        if step == KEEP_ALL:
            raise InvalidParameterValue(f"step {step} leaves nothing to hide; it is less than {KEEP_ALL}.")

        def work(connection: Connection) -> w.RewindResponse:
            run = locked_run(connection, required(request.run_id, "run_id")).run
            begin_epoch(connection, self.keys, run, step, actor())
            hidden = _refreshed(connection, self.keys, run, _reaching_behind(connection, run, step))
            return w.RewindResponse(hidden_points=hidden)

        return self.db.write(work)

    def undo_rewind(self, request: w.UndoRewind) -> w.RewindResponse:
        def work(connection: Connection) -> w.RewindResponse:
            run = locked_run(connection, required(request.run_id, "run_id")).run
            c = rewinds.c
            last = connection.execute(
                select(c.epoch, c.step)
                .where(c.run == run, c.undone_time.is_(None), c.step != KEEP_ALL)
                .order_by(c.epoch.desc())
                .limit(1)
            ).one_or_none()
            if last is None:
                raise InvalidParameterValue(f"Run {shown(request.run_id)} has no rewind that could be undone.")
            newest = begin_epoch(connection, self.keys, run, last.step, actor())
            hidden = _refreshed(connection, self.keys, run, _reaching_behind(connection, run, last.step))
            restored = _restore(connection, run, last.epoch, last.step, newest)
            connection.execute(update(rewinds).where(c.run == run, c.epoch == last.epoch).values(undone_time=now_ms()))
            if not hidden:  # then there is nothing that undoing this undoing would bring back
                connection.execute(update(rewinds).where(c.run == run, c.epoch == newest).values(step=KEEP_ALL))
            back = -_refreshed(connection, self.keys, run, restored)
            return w.RewindResponse(hidden_points=hidden, restored_points=back)

        return self.db.write(work)

    def list_rewinds(self, request: w.ListRewinds) -> w.ListRewindsResponse:
        run_id = required(request.run_id, "run_id")

        def work(connection: Connection) -> w.ListRewindsResponse:
            run = connection.scalar(select(runs.c.run).where(runs.c.run_id == run_id))
            if run is None:
                raise no_run(run_id)
            c = rewinds.c
            query = select(c.step, c.principal, c.creation_time, c.undone_time).order_by(c.epoch)
            found = connection.execute(query.where(c.run == run, c.step != KEEP_ALL))
            return w.ListRewindsResponse(rewinds=[w.Rewind(*row) for row in found])

        return self.db.read(work)


def fork_series(
    connection: Connection, keys: Keys, run: int, parent_id: str, experiment: int, step: int | None
) -> None:
    """Let the series of a new run begin with those of another one.

    Args:
        connection: In the transaction that made the run.
        keys: The store's key numbers.
        run: Row number of the new run.
        parent_id: The run to be forked.
        experiment: The experiment of the new run.
        step: The last step that the two share; None for all.

    Raises:
        DoesNotExist: There is no such parent.
        InvalidParameterValue: It is deleted or in another experiment.
    """
    parent = locked_run(connection, parent_id)
    if parent.experiment_id != experiment:
        raise InvalidParameterValue(
            f"The run {shown(parent_id)} is in experiment {parent.experiment_id}; its fork cannot be in {experiment}."
        )
    last = KEEP_ALL if step is None else limits.check_int64(step, "fork_step")
    epoch = current_epoch(connection, parent.run)
    begin_epoch(connection, keys, parent.run, KEEP_ALL, actor())
    f = run_forks.c
    shown_parts = select(f.parent, f.parent_epoch, f.step).where(f.run == parent.run, f.hidden_epoch == 0)
    lineage = [(parent.run, epoch, last)]
    lineage += [(row.parent, row.parent_epoch, min(row.step, last)) for row in connection.execute(shown_parts)]
    connection.execute(run_forks.insert().values([(run, *ancestor, 0, 0) for ancestor in lineage]))
    c = latest_metrics.c
    others = [column for column in c if column is not c.run]
    whole = select(literal(run), *others).where(c.run == parent.run, c.step <= last)
    connection.execute(insert(latest_metrics).from_select([c.run, *others], whole))
    refresh_summaries(connection, keys, run, _reaching_behind(connection, parent.run, last))


def _refreshed(connection: Connection, keys: Keys, run: int, key_ids: set[int]) -> int:
    """Bring summaries up to date; returns how many points fewer they count than before, each point counted once."""
    before = counted_points(connection, run)
    refresh_summaries(connection, keys, run, key_ids)
    return before - counted_points(connection, run)


def _reaching_behind(connection: Connection, run: int, step: int) -> set[int]:
    """The keys of a run that have points behind a step; its log is applied, or will be."""
    c = latest_metrics.c
    return set(connection.scalars(select(c.key_id).where(c.run == run, c.step > step)))


def _restore(connection: Connection, run: int, epoch: int, step: int, newest: int) -> set[int]:
    """Show again, in the newest epoch, what the rewind of an epoch to a step hid; returns the keys of these points."""
    s = segments.c
    hidden = [s.run == run, s.hidden_epoch == epoch]
    keys = _keys_of(connection, hidden)
    if connection.scalar(select(exists().where(run_forks.c.parent == run, run_forks.c.parent_epoch >= epoch))):
        # A fork of the time in between does not show them, so they come back as points of the new epoch.
        others = [column for column in s if column not in (s.id, s.epoch, s.hidden_epoch)]
        now = select(literal(newest), literal(0), *others).where(*hidden)
        connection.execute(insert(segments).from_select([s.epoch, s.hidden_epoch, *others], now))
    else:
        connection.execute(update(segments).where(*hidden).values(hidden_epoch=0))
    return keys | _restore_inherited(connection, run, epoch, step)


def _keys_of(connection: Connection, wanted: list[ColumnElement[bool]]) -> set[int]:
    """The keys of some segments."""
    s = segments.c
    keys = set(connection.scalars(select(s.first_key).where(*wanted, s.first_key == s.last_key).distinct()))
    several = [*wanted, s.first_key != s.last_key]
    last = -1
    while rows := connection.execute(
        select(s.id, s.data).where(*several, s.id > last).order_by(s.id).limit(_SEGMENTS_AT_ONCE)
    ).all():
        last = rows[-1].id
        for row in rows:
            keys.update(decode_keys(row.data)[0].tolist())
    return keys


def _restore_inherited(connection: Connection, run: int, epoch: int, step: int) -> set[int]:
    """Take back what the rewind of an epoch did to the part that a run shares; returns its keys behind the step."""
    f = run_forks.c
    connection.execute(delete(run_forks).where(f.run == run, f.epoch == epoch))  # a part of what is shown instead
    cut = connection.execute(update(run_forks).where(f.run == run, f.hidden_epoch == epoch).values(hidden_epoch=0))
    if not cut.rowcount:
        return set()
    # Not those of its parents' summaries: a parent that was rewound since the fork may have fewer.
    return _keys_of(connection, [f.run == run, *inherited(), segments.c.last_step > step])
