"""Searches for runs and experiments: from a query to the numbers of a page, in order.

``find_runs`` takes at most five statements whatever the page holds: one for the names, one for the plan, one to three
for the page; three is the rule. MySQL may need one more. ``find_experiments`` takes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, case, func, select, true
from sqlalchemy.exc import DBAPIError

from stele.errors import DeadlineExceeded
from stele.schema.enums import ViewType
from stele.search.fields import EXPERIMENTS, RUNS
from stele.search.grammar import parse_filter, parse_order_by
from stele.search.page import Position, decode_token, encode_token, fingerprint
from stele.stores.sql.keys import Keys
from stele.stores.sql.search_clauses import Clauses, resolve_names
from stele.stores.sql.search_dialect import dialect_of, register_functions, set_time_limit
from stele.stores.sql.search_memory import SearchMemory
from stele.stores.sql.search_order import all_values, behind, deciding_values, experiment_terms, sort_keys
from stele.stores.sql.search_plan import read_runs
from stele.stores.sql.search_request import RunSearch
from stele.stores.sql.tables import STAGE_ACTIVE, STAGE_DELETED, experiments

__all__ = [
    "ExperimentPage",
    "ExperimentQuery",
    "RunPage",
    "RunQuery",
    "count_experiments",
    "deadline",
    "find_experiments",
    "find_runs",
    "register_functions",
    "set_time_limit",
    "stages_of",
]

_STAGES = {
    ViewType.ACTIVE_ONLY: (STAGE_ACTIVE,),
    ViewType.DELETED_ONLY: (STAGE_DELETED,),
    ViewType.ALL: (STAGE_ACTIVE, STAGE_DELETED),
}
# How the drivers say that a statement was stopped: PostgreSQL, MySQL, MariaDB, SQLite.
_STOPPED = frozenset({"57014", 3024, 1969, "interrupted"})


def stages_of(view: str) -> tuple[int, ...]:
    """The stages of runs or experiments that a view shows: ``ACTIVE_ONLY``, ``DELETED_ONLY`` or ``ALL``."""
    return _STAGES[ViewType.from_string(view)]


class RunQuery(msgspec.Struct, frozen=True):
    """A search for runs.

    Args:
        experiment_ids: Where to look; unknown ids find nothing.
        filter_string: See ``stele.search.grammar``; None or ``""`` for all runs.
        view: ``ACTIVE_ONLY``, ``DELETED_ONLY`` or ``ALL``.
        order_by: Clauses ``field [ASC|DESC]``; ties and an empty order go by start time, newest first, then run id.
        max_results: Size of a page, 1 or more.
        page_token: ``next_page_token`` of the page before; None or ``""`` for the first page.
        now_ms: What ``now()`` is, milliseconds since 1970.
    """

    experiment_ids: Sequence[int]
    filter_string: str | None
    view: str
    order_by: Sequence[str]
    max_results: int
    page_token: str | None
    now_ms: int


class RunPage(msgspec.Struct, frozen=True):
    """Values of ``runs.run`` in order, and the token of the next page; None after the last."""

    runs: list[int]
    next_page_token: str | None


class ExperimentQuery(msgspec.Struct, frozen=True):
    """A search for experiments; the fields are those of :class:`RunQuery`.

    An empty order is creation time, newest first, then id upwards; ties of other orders go by id downwards.
    """

    filter_string: str | None
    view: str
    order_by: Sequence[str]
    max_results: int
    page_token: str | None
    now_ms: int


class ExperimentPage(msgspec.Struct, frozen=True):
    """Experiment ids in order, and the token of the next page; None after the last."""

    experiments: list[int]
    next_page_token: str | None


def find_runs(
    connection: Connection, query: RunQuery, keys: Keys | None = None, memory: SearchMemory | None = None
) -> RunPage:
    """One page of runs. ``latest_metrics`` must be up to date.

    Args:
        connection: Where to read.
        query: What to find.
        keys: Key numbers that the store remembers; they save a statement.
        memory: What the store remembers of earlier searches; it saves another one.

    Raises:
        InvalidFilter: The filter or the order cannot be understood.
        InvalidParameterValue: The page token is not one of this query.
        DeadlineExceeded: The limit of :func:`set_time_limit` ran out.
    """
    node = parse_filter(query.filter_string, RUNS)
    order = parse_order_by(query.order_by, RUNS)
    ids = sorted(set(query.experiment_ids))
    mark = fingerprint("runs", ids, query.filter_string or "", list(query.order_by), query.view)
    kinds = [term.kind for key in sort_keys(order, _NO_CLAUSES) for term in key.terms(None, None)]
    position = decode_token(query.page_token, mark, kinds)
    if not ids:
        return RunPage([], None)
    now = query.now_ms if position is None else position.now
    with deadline():
        clauses = Clauses(dialect_of(connection), resolve_names(connection, keys or Keys(), ids, node, order), now)
        sorting = sort_keys(order, clauses)
        search = RunSearch(
            connection=connection,
            clauses=clauses,
            experiments=ids,
            stages=stages_of(query.view),
            node=node,
            keys=[key for key in sorting if key.decides],
            place=None if position is None else deciding_values(sorting, position.values),
            limit=query.max_results + 1,
            remembered=None if memory is None else memory.of(mark, clauses.names),
        )
        found = read_runs(search)
    size = query.max_results
    token = None
    if len(found) > size:
        token = encode_token(Position(all_values(sorting, found[size - 1].values), now), mark)
    return RunPage([run.run for run in found[:size]], token)


def find_experiments(connection: Connection, query: ExperimentQuery) -> ExperimentPage:
    """One page of experiments.

    Raises:
        InvalidFilter: The filter or the order cannot be understood.
        InvalidParameterValue: The page token is not one of this query.
        DeadlineExceeded: The limit of :func:`set_time_limit` ran out.
    """
    node = parse_filter(query.filter_string, EXPERIMENTS)
    terms = experiment_terms(parse_order_by(query.order_by, EXPERIMENTS), experiments)
    mark = fingerprint("experiments", query.filter_string or "", list(query.order_by), query.view)
    position = decode_token(query.page_token, mark, [term.kind for term in terms])
    now = query.now_ms if position is None else position.now
    clauses = Clauses(dialect_of(connection), {}, now)
    statement = (
        select(experiments.c.experiment_id, *(term.expression for term in terms if term.expression is not None))
        .where(experiments.c.stage.in_(stages_of(query.view)))
        .where(true() if node is None else clauses.condition(node, experiments))
        .where(true() if position is None else behind(terms, position.values))
        .order_by(*(term.ordered() for term in terms))
        .limit(query.max_results + 1)
    )
    with deadline():
        found = connection.execute(statement).all()
    size = query.max_results
    token = encode_token(Position(tuple(found[size - 1][1:]), now), mark) if len(found) > size else None
    return ExperimentPage([row[0] for row in found[:size]], token)


def count_experiments(connection: Connection, query: ExperimentQuery) -> tuple[int, int]:
    """How many experiments there are in the view of a query, and how many its filter leaves.

    Raises:
        InvalidFilter: The filter cannot be understood.
        DeadlineExceeded: The limit of :func:`set_time_limit` ran out.
    """
    node = parse_filter(query.filter_string, EXPERIMENTS)
    clauses = Clauses(dialect_of(connection), {}, query.now_ms)
    fits = true() if node is None else clauses.condition(node, experiments)
    statement = (
        select(func.count(), func.count(case((fits, 1))))
        .select_from(experiments)
        .where(experiments.c.stage.in_(stages_of(query.view)))
    )
    with deadline():
        total, matched = connection.execute(statement).one()
    return total, matched


_NO_CLAUSES = Clauses(dialect=None, names={}, now=0)  # type: ignore[arg-type]  # only for the types of sort terms


@contextmanager
def deadline() -> Iterator[None]:
    """Make a statement that was stopped a ``DeadlineExceeded``."""
    try:
        yield
    except DBAPIError as e:
        original: Any = e.orig
        if not _STOPPED.isdisjoint({getattr(original, "sqlstate", None), *original.args[:1]}):
            raise DeadlineExceeded("The search took too long. Narrow it: fewer experiments, or a shorter time.") from e
        raise
