"""How often the runs of each experiment have changed, so that what is remembered of them is known to be valid.

Whoever changes runs notes it on the connection; the counts are raised as the last statement of the transaction. Two
equal counts prove that nothing was committed in between. Each experiment has several rows of counts, and a transaction
raises one at random, because two that raise the same wait for each other; what counts is the sum.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Insert, func, select
from sqlalchemy.dialects import mysql, postgresql, sqlite

from stele.stores.sql import dialect
from stele.stores.sql.search_dialect import dialect_of
from stele.stores.sql.tables import experiment_changes

__all__ = ["Changes", "changes_of", "forget_changes", "note_metrics", "note_runs", "write_changes"]

_SLOTS = 16
_NOTES = "changed_experiments"
_RUNS, _METRICS = 1, 2


class Changes(NamedTuple):
    """How often experiments have changed: pairs of experiment id and count, by id.

    ``runs`` counts changes of everything but metrics, ``metrics`` those of latest values and summaries.
    """

    runs: tuple[tuple[int, int], ...]
    metrics: tuple[tuple[int, int], ...]

    @property
    def version(self) -> str:
        """A text that is another one after every change."""
        return "-".join(f"{number}.{runs}.{dict(self.metrics)[number]}" for number, runs in self.runs)


def note_runs(connection: Connection, experiment_id: int) -> None:
    """Note that this transaction makes, changes or removes a run of an experiment, or its params, tags or inputs."""
    _note(connection, experiment_id, _RUNS)


def note_metrics(connection: Connection, experiment_id: int) -> None:
    """Note that this transaction changes ``latest_metrics`` of a run of an experiment."""
    _note(connection, experiment_id, _METRICS)


def _note(connection: Connection, experiment_id: int, what: int) -> None:
    notes: dict[int, int] = connection.info.setdefault(_NOTES, {})
    notes[experiment_id] = notes.get(experiment_id, 0) | what


def forget_changes(connection: Connection) -> None:
    """Forget what a transaction noted that was rolled back on this connection."""
    connection.info.pop(_NOTES, None)


def write_changes(connection: Connection) -> None:
    """Raise the counts of the experiments that this transaction changed; to be called last."""
    notes: dict[int, int] = connection.info.pop(_NOTES, {})
    if not notes:
        return
    slot = 0 if connection.dialect.name == "sqlite" else random.randrange(_SLOTS)  # noqa: S311  # not a secret
    rows = [
        {
            "experiment_id": number,
            "slot": slot,
            "run_changes": int(bool(what & _RUNS)),
            "metric_changes": int(bool(what & _METRICS)),
        }
        for number, what in sorted(notes.items())  # one order for all writers, or two of them deadlock
    ]
    _RAISE.many(connection, rows)


@cache
def _raise_of(name: str) -> Insert:
    counts = ("run_changes", "metric_changes")
    c = experiment_changes.c
    if name in ("mysql", "mariadb"):
        statement = mysql.insert(experiment_changes)
        return statement.on_duplicate_key_update({each: c[each] + statement.inserted[each] for each in counts})
    conflict: Any = (sqlite if name == "sqlite" else postgresql).insert(experiment_changes)
    raised: Insert = conflict.on_conflict_do_update(
        index_elements=["experiment_id", "slot"], set_={each: c[each] + conflict.excluded[each] for each in counts}
    )
    return raised


_RAISE = dialect.Prepared(_raise_of)


def changes_of(connection: Connection, experiment_ids: Sequence[int]) -> Changes:
    """How often experiments have changed. To be read before what is remembered under it."""
    c = experiment_changes.c
    query = (
        select(c.experiment_id, func.sum(c.run_changes), func.sum(c.metric_changes))
        .where(dialect_of(connection).numbers(c.experiment_id, experiment_ids))
        .group_by(c.experiment_id)
    )
    found = sorted((int(number), int(runs), int(metrics)) for number, runs, metrics in connection.execute(query))
    return Changes(_pairs((n, runs) for n, runs, _ in found), _pairs((n, metrics) for n, _, metrics in found))


def _pairs(items: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(items)
