"""Whether the runs of experiments have changed, so that what is remembered of them is known to be valid.

Every statement that writes a row of ``runs`` stamps it, see :mod:`stele.stores.sql.change_stamps`. What is looked at
are the greatest stamp of an experiment, and how many rows have one of the last seconds before it, with their sum: any
change makes that another triple, also one that becomes visible after a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, func, select

from stele.stores.sql.change_stamps import COMMIT_MILLISECONDS
from stele.stores.sql.search_dialect import dialect_of
from stele.stores.sql.tables import experiments, runs

__all__ = ["Changes", "changes_of"]

State = tuple[int, ...]
"""Another one after every change. What it is made of is nobody else's business."""


class Changes(NamedTuple):
    """The states of experiments: pairs of experiment id and state, by id.

    ``runs`` change with everything but metrics, ``metrics`` with latest values and summaries as well.
    """

    runs: tuple[tuple[int, State], ...]
    metrics: tuple[tuple[int, State], ...]


def changes_of(connection: Connection, experiment_ids: Sequence[int]) -> Changes:
    """The states of experiments. To be read before what is remembered under them."""
    e = experiments.c
    query = select(
        e.experiment_id, e.last_update_time, *_state(runs.c.record_stamp), *_state(runs.c.change_stamp)
    ).where(dialect_of(connection).numbers(e.experiment_id, experiment_ids))
    # A sum is a decimal on some databases, and nothing where there are no runs.
    found = sorted([int(value or 0) for value in row] for row in connection.execute(query))
    return Changes(
        tuple((number, (updated, *state[:3])) for number, updated, *state in found),
        tuple((number, (updated, *state)) for number, updated, *state in found),
    )


def _state(stamp: Column[int]) -> Iterable[Any]:
    """The greatest stamp, and the number and sum of those that may have become visible lately."""
    own = runs.c.experiment_id == experiments.c.experiment_id
    newest = select(func.max(stamp)).where(own).correlate(experiments)
    yield newest.scalar_subquery()
    for figure in (func.count(), func.sum(stamp)):
        late = stamp > newest.scalar_subquery() - COMMIT_MILLISECONDS
        yield select(figure).select_from(runs).where(own, late).correlate(experiments).scalar_subquery()
