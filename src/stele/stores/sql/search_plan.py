"""Which runs match, in order: by which index a search for runs is answered.

No database plans these searches well: SQLite knows no statistics before ANALYZE, and all misjudge ``ORDER BY ...
LIMIT`` over several EXISTS. So one statement first counts, through the indexes and bounded, what each comparison
would find, and looks at the first few hundred runs in the wanted order. Then the cheapest of these reads the page:

- **drive**: read the matches of the most selective comparison from its index, probe the others, sort.
- **walk**: read runs in the wanted order (``ix_runs_list``, ``ix_latest_metrics_value`` or ``ix_run_texts_value``),
  probe, stop when the page is full.
- **newest**: for a listing by start time, read the runs with one param or tag from the last number downwards, probe,
  and add what was started as late though its number is smaller.
- **sort**: read all runs of the experiments, probe, sort. For orders that no index has.

A walk along a metric or text has up to three phases: runs with a number or text, with NaN, and without the key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, and_, bindparam, not_, select, true, union
from sqlalchemy.sql.elements import False_

from stele.search.page import SortValue
from stele.search.tree import And, Compare, Node, conjuncts
from stele.stores.sql.search_clauses import KINDS, key_table
from stele.stores.sql.search_dialect import Condition, Dialect, look_up
from stele.stores.sql.search_estimate import (
    PROBED,
    PROBED_IN_ORDER,
    READ,
    SCANNED,
    TELLING_HITS,
    Choice,
    Driver,
    Estimate,
    cheapest_driver,
    comparisons,
)
from stele.stores.sql.search_look import SAMPLE, estimate_of
from stele.stores.sql.search_memory import Page, Reading
from stele.stores.sql.search_order import MISSING, NAN, PRESENT, SortKey, Term, behind
from stele.stores.sql.search_request import RunSearch, is_of_key, walked_range
from stele.stores.sql.tables import TEXT_PREFIX, runs

__all__ = ["Found", "read_runs"]


@dataclass(frozen=True)
class Found:
    """One run of a page: its number and its sort values."""

    run: int
    values: tuple[SortValue, ...]


def read_runs(search: RunSearch) -> list[Found]:
    """At most ``search.limit`` runs, in order: at most four statements, on MySQL five."""
    page = _page(search)
    search = replace(search, node=page.choice.node)
    match page.choice.way:
        case "nothing":
            return []
        case "drive":
            return _read(search, page, "drive", lambda: _driven(search, page.choice))
        case "newest":
            return _read_newest(search, page)
        case "sort":
            return _read(search, page, "sort", lambda: _sorted(search))
        case _:
            found: list[Found] = []
            for rank in _ranks(search):
                if len(found) < search.limit:
                    found += _read_phase(search, page, rank)
            return found[: search.limit]


def _page(search: RunSearch) -> Page:
    """What is remembered of the page, or a new one."""
    if search.remembered is None or search.place is not None or search.is_relative:
        return Page(_chosen(search))
    page = search.remembered.pages.get(search.limit)
    if page is None:
        page = search.remembered.pages[search.limit] = Page(_chosen(search))
    return page


def _chosen(search: RunSearch) -> Choice:
    """The cheapest way."""
    otherwise: Literal["walk", "sort"] = "walk" if search.keys[0].walkable else "sort"
    if search.node is None:
        return Choice(otherwise, None, entries=2 * search.limit)
    if _names_nothing(search) and isinstance(search.clauses.condition(search.node, runs), False_):
        return Choice("nothing", search.node)
    estimate = estimate_of(search)
    node = estimate.likely_first(search.node)
    entries = _walk_entries(search, estimate)
    choice = Choice(otherwise, node, estimate, entries=int(2 * entries))
    cost = _walk_cost(search, estimate, node, entries)
    driver = cheapest_driver(node, estimate)
    if driver is not None and driver.total < cost:
        choice, cost = Choice("drive", node, estimate, driver), driver.total
    for start in conjuncts(node):
        if isinstance(start, Compare) and _is_numbered(search, estimate, start):
            newest = _newest_cost(search, estimate, node, start)
            if newest < cost:
                choice, cost = Choice("newest", node, estimate, start=start), newest
    return choice


def _names_nothing(search: RunSearch) -> bool:
    """Whether no run has one of the names in the filter."""
    named = (node for node in comparisons(search.node) if node.field.entity in KINDS)
    return not all(_ids(search, node) for node in named)


def _walk_entries(search: RunSearch, estimate: Estimate) -> float:
    """How many entries of an index are read until the page is full."""
    if not search.listed and not search.keys[0].walkable:
        return estimate.total
    if estimate.sampled < SAMPLE:
        return estimate.sampled
    hits = estimate.fitting(search.node)
    share = hits / estimate.sampled if hits >= TELLING_HITS else estimate.rare_share(search.node)
    return min(estimate.total, search.limit / share) if share else estimate.total


def _walk_cost(search: RunSearch, estimate: Estimate, node: Node, entries: float) -> float:
    probed = PROBED if search.keys[0].walkable else PROBED_IN_ORDER
    return entries * (SCANNED + probed * estimate.probes(node)) + min(entries, search.limit) * READ


@dataclass(frozen=True)
class _Statement:
    """The parts of a statement that reads runs.

    They are in the order of the terms, unless it says another one.
    """

    source: FromClause
    conditions: tuple[Condition, ...]
    terms: list[Term]
    order: tuple[ColumnElement[Any], ...] | None = None


def _read(search: RunSearch, page: Page, name: Hashable, build: Callable[[], _Statement], **values: Any) -> list[Found]:
    """The runs that a statement finds.

    Args:
        search: The search.
        page: Where the statement may be, and is put.
        name: Of the statement.
        build: Makes the statement.
        values: Of its parameters.
    """
    reading = page.readings.get(name)
    if reading is None:
        reading = page.readings[name] = _reading(search, build())
    found = []
    for run, *row in reading.rows(search.connection, values):
        rest = iter(row)
        whole = [term.constant if term.expression is None else _plain(next(rest), term.kind) for term in reading.terms]
        found.append(Found(run, tuple(whole)))
    return found


def _reading(search: RunSearch, statement: _Statement) -> Reading:
    terms = statement.terms
    place = behind(terms, search.place) if search.place is not None else true()
    columns = [term.expression.label(f"s{i}") for i, term in enumerate(terms) if term.expression is not None]
    order = statement.order or tuple(term.ordered() for term in terms if term.expression is not None)
    query = (
        select(runs.c.run, *columns)
        .select_from(statement.source)
        .where(*statement.conditions, place)
        .order_by(*order)
        .limit(search.limit)
    )
    return Reading(query, terms)


def _plain(value: Any, kind: type) -> SortValue:
    return None if value is None else kind(value)


def _joined(
    search: RunSearch, source: FromClause, run: ColumnElement[int], keys: Sequence[SortKey]
) -> tuple[FromClause, list[Term]]:
    """The source with the tables of the sort keys, and the keys' terms."""
    terms: list[Term] = []
    for key in keys:
        table = None
        if key.keyed and key.ids:
            table = key_table(key.key.field.entity, f"sort{len(terms)}")
            own = search.clauses.key(key.key.field, key.ids, table, runs)
            source = look_up(source, table, and_(table.c.run == run, own), outer=True)
        terms += key.terms(runs, table)
    return source, terms


def _sorted(search: RunSearch) -> _Statement:
    source, terms = _joined(search, runs, runs.c.run, search.keys)
    condition = true() if search.node is None else search.clauses.condition(search.node, runs)
    return _Statement(source, (search.scope(runs), condition), terms)


# Walks along an index of a narrow table


def _ranks(search: RunSearch) -> Iterator[int]:
    """The phases that can find something, from the place on."""
    first = search.keys[0]
    start = 0 if search.place is None else search.place[0]
    for rank in (PRESENT, NAN, MISSING):
        if rank == NAN and first.key.field.entity != "metric":
            continue
        if rank >= int(start or 0) and all(_allows(node, rank, first) for node in conjuncts(search.node)):
            yield rank


def _allows(node: Node, rank: int, key: SortKey) -> bool:
    if not isinstance(node, Compare) or not is_of_key(node, key):
        return True
    if node.operator == "IS NULL":
        return rank == MISSING
    return rank == PRESENT or (rank == NAN and node.operator in ("!=", "NOT IN", "IS NOT NULL"))


def _read_phase(search: RunSearch, page: Page, rank: int) -> list[Found]:
    if rank == PRESENT and not search.clauses.dialect.sorts_in_steps:
        # It would sort all runs that have the key for a page of them, so let the first entries do when they suffice.
        last = _last_of_first(search, page.choice.entries)
        if last is not None:
            found = _read(search, page, "first entries", lambda: _phase(search, rank, bounded=True), last=last)
            if len(found) == search.limit:
                return found
    return _read(search, page, rank, lambda: _phase(search, rank))


def _last_of_first(search: RunSearch, entries: int) -> Any:
    """The value behind so many entries of the index that is walked along; None when there are fewer.

    Asked for itself: MySQL finds a bound in the index only when it knows it beforehand.
    """
    first = search.keys[0]
    table = key_table(first.key.field.entity, "walk")
    ordered = table.c.value.asc() if first.key.ascending else table.c.value.desc()
    walked = select(table.c.value).where(*walked_range(search, table, PRESENT)).order_by(ordered)
    return search.connection.scalar(walked.limit(1).offset(entries))


def _phase(search: RunSearch, rank: int, *, bounded: bool = False) -> _Statement:
    """The statement of one phase.

    Args:
        search: The search.
        rank: The rank of the first sort key.
        bounded: Whether to read the index only up to the value of the parameter ``last``.
    """
    first, *others = search.keys
    table = key_table(first.key.field.entity, "walk")
    if rank == MISSING:
        source, terms = _joined(search, runs, runs.c.run, others)
        has_key = and_(table.c.run == runs.c.run, table.c.key_id == first.ids[0])
        without = not_(search.clauses.dialect.probe(has_key, true()))
        condition = true() if search.node is None else search.clauses.condition(search.node, runs)
        lacking = (search.scope(runs), without, condition)
        return _Statement(source, lacking, [*first.terms(runs, None, MISSING), *terms])
    source = look_up(table, runs, runs.c.run == table.c.run)
    source, terms = _joined(search, source, table.c.run, others)
    conditions = [*walked_range(search, table, rank), *_probes(search, table), search.scope(runs)]
    if bounded:
        last: ColumnElement[Any] = bindparam("last", type_=table.c.value.type)
        conditions.append(table.c.value <= last if first.key.ascending else table.c.value >= last)
    return _Statement(source, tuple(conditions), [*first.terms(runs, table, rank), *terms])


def _probes(search: RunSearch, table: FromClause) -> Iterator[Condition]:
    for node in conjuncts(search.node):
        if not is_of_key(node, search.keys[0]):
            yield search.clauses.condition(node, runs, table.c.run)


# Driving from an index


def _driven(search: RunSearch, choice: Choice) -> _Statement:
    driver, estimate = choice.driver, choice.estimate
    assert driver is not None
    assert estimate is not None
    lists: list[Select[Any]] = []
    probed: list[Node] = []
    left = driver.matches
    for node in conjuncts(driver.residual):
        if isinstance(node, Compare) and estimate.listed(node, left):
            lists.append(estimate.leaves[node].select)
        else:
            probed.append(node)
        left *= estimate.share(node)
    numbers = _numbers(search.clauses.dialect, driver, lists)
    source: FromClause = look_up(numbers, runs, runs.c.run == numbers.c.run)
    source, terms = _joined(search, source, numbers.c.run, search.keys)
    conditions = [search.clauses.condition(node, runs, numbers.c.run) for node in probed]
    return _Statement(source, (*conditions, search.scope(runs)), terms)


def _numbers(dialect: Dialect, driver: Driver, lists: Sequence[Select[Any]]) -> FromClause:
    """The numbers of the runs that a driver enumerates, as far as they are in all lists."""
    first, *others = driver.selects
    found = select(union(first, *others).subquery("found").c.run) if others else first
    if lists:
        every = dialect.first(found).subquery("found")
        found = select(every.c.run).where(*(every.c.run.in_(dialect.listed(each)) for each in lists))
    return (dialect.first(found) if driver.sifts or lists else found).subquery("found")


# The newest of those that have a text


def _is_numbered(search: RunSearch, estimate: Estimate, node: Compare) -> bool:
    """Whether an index has the matches of a comparison in the order of their numbers, about that of the page."""
    if not estimate.newest_first or search.place is not None or node not in estimate.counts:
        return False
    return (
        node.field.entity in ("param", "tag")
        and node.operator == "="
        and isinstance(node.value, str)
        and len(node.value) < TEXT_PREFIX
        and len(_ids(search, node)) == 1
    )


def _ids(search: RunSearch, node: Compare) -> tuple[int, ...]:
    return search.clauses.names.get((KINDS[node.field.entity], node.field.key), ())


def _newest_cost(search: RunSearch, estimate: Estimate, node: Node, start: Compare) -> float:
    others = _without(node, start)
    rows = estimate.rows(start)
    part = min(1.0, search.limit / max(rows * estimate.share(others), 1.0))
    entries = part * rows * (SCANNED + PROBED_IN_ORDER * estimate.probes(others))
    return entries + search.limit * READ + part * estimate.total * SCANNED


def _without(node: Node | None, start: Compare) -> Node | None:
    rest = tuple(other for other in conjuncts(node) if other is not start)
    return And(rest) if rest else None


def _read_newest(search: RunSearch, page: Page) -> list[Found]:
    """The first runs of a listing, which were nearly always made last.

    Matches are read from the last number downwards until the page is full. Then it is missing only what has a smaller
    number, and yet was started after the oldest run of the page: an index tells, in most stores nothing.
    """
    found = _read(search, page, "newest", lambda: _newest(search, page.choice))
    if len(found) == search.limit:
        oldest = min(_start_time(run) for run in found)
        least = min(run.run for run in found)
        found += _read(search, page, "older", lambda: _older(search), start=oldest, before=least)
    found.sort(key=lambda run: (-_start_time(run), str(run.values[1])))
    return found[: search.limit]


def _start_time(run: Found) -> int:
    return int(run.values[0] or 0)


def _newest(search: RunSearch, choice: Choice) -> _Statement:
    start = choice.start
    assert start is not None
    table = key_table(start.field.entity, "drive")
    source, terms = _joined(search, look_up(table, runs, runs.c.run == table.c.run), table.c.run, search.keys)
    conditions = [table.c.key_id == _ids(search, start)[0], search.clauses.value(start, table)]
    if (others := _without(search.node, start)) is not None:
        conditions.append(search.clauses.condition(others, runs, table.c.run))
    return _Statement(source, (*conditions, search.scope(runs)), terms, order=(table.c.run.desc(),))


def _older(search: RunSearch) -> _Statement:
    source, terms = _joined(search, runs, runs.c.run, search.keys)
    assert search.node is not None
    late = runs.c.start_time >= bindparam("start", type_=BigInteger)
    # Written as a sum, so that no database takes it for the way to find the runs.
    earlier = runs.c.run + 0 < bindparam("before", type_=BigInteger)
    return _Statement(source, (search.scope(runs), late, earlier, search.clauses.condition(search.node, runs)), terms)
