"""Which runs match, in order: by which index a search for runs is answered.

No database plans these searches well: SQLite knows no statistics before ANALYZE, and all misjudge ``ORDER BY ...
LIMIT`` over several EXISTS. So one statement first counts, through the indexes and bounded, what each comparison
would find, and looks at the first few hundred runs in the wanted order. Then the cheapest of these reads the page:

- **drive**: read the matches of the most selective comparison from its index, probe the others, sort.
- **walk**: read runs in the wanted order (``ix_runs_list``, ``ix_latest_metrics_value`` or ``ix_run_texts_value``),
  probe, stop when the page is full.
- **sort**: read all runs of the experiments, probe, sort. For orders that no index has.

A walk along a metric or text has up to three phases: runs with a number or text, with NaN, and without the key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    func,
    not_,
    select,
    true,
    union,
)
from sqlalchemy.sql.elements import False_

from stele.search import like
from stele.search.page import SortValue
from stele.search.tree import And, Compare, Node, Not, Or, conjuncts
from stele.stores.sql.search_clauses import KINDS, Clauses, key_table
from stele.stores.sql.search_dialect import Condition, forced_join
from stele.stores.sql.search_order import MISSING, NAN, PRESENT, SortKey, Term, behind
from stele.stores.sql.tables import dataset_inputs, datasets, runs

__all__ = ["Found", "RunSearch", "read_runs"]

_SAMPLE = 200
_MAX_COUNTED = 24
_COUNT_ALL, _COUNT_ONE = 60_000, 20_000

# Rough costs of SQLite in microseconds; only their ratios matter.
_SCANNED, _READ, _PROBE = 0.1, 1.0, 1.0


@dataclass(frozen=True)
class Found:
    """One run of a page: its number and its sort values."""

    run: int
    values: tuple[SortValue, ...]


@dataclass(frozen=True)
class RunSearch:
    """A search for runs, resolved.

    Args:
        connection: Where to read.
        clauses: Turns nodes into conditions.
        experiments: Experiment ids, at least one.
        stages: Stages to show.
        node: The filter.
        keys: The complete order.
        place: Sort values behind which the page starts; None for the first page.
        limit: Most runs to read.
    """

    connection: Connection
    clauses: Clauses
    experiments: Sequence[int]
    stages: tuple[int, ...]
    node: Node | None
    keys: Sequence[SortKey]
    place: tuple[SortValue, ...] | None
    limit: int

    def scope(self, row: FromClause) -> Condition:
        """The run belongs to the experiments and stages."""
        stage = row.c.stage == self.stages[0] if len(self.stages) == 1 else row.c.stage.in_(self.stages)
        if len(self.experiments) == 1:
            return and_(row.c.experiment_id == self.experiments[0], stage)
        return and_(self.clauses.dialect.numbers(row.c.experiment_id, self.experiments), stage)

    @property
    def listed(self) -> bool:
        """Whether ``ix_runs_list`` holds the runs in the wanted order."""
        field = self.keys[0].key.field
        return field.key == "start_time" and not self.keys[0].keyed and len(self.experiments) * len(self.stages) == 1


def read_runs(search: RunSearch) -> list[Found]:
    """At most ``search.limit`` runs, in order: at most four statements."""
    if search.node is not None:
        if isinstance(search.clauses.condition(search.node, runs), False_):
            return []
        driver = _choose(search)
        if driver is not None:
            return _read(search, _driven(search, driver))
    if not search.keys[0].walkable:
        return _read(search, _sorted(search))
    found: list[Found] = []
    for rank in _ranks(search):
        if len(found) < search.limit:
            found += _read(replace(search, limit=search.limit - len(found)), _phase(search, rank))
    return found


@dataclass(frozen=True)
class _Statement:
    """The parts of a statement that reads runs."""

    source: FromClause
    conditions: tuple[Condition, ...]
    terms: list[Term]


def _read(search: RunSearch, statement: _Statement) -> list[Found]:
    terms = statement.terms
    place = behind(terms, search.place) if search.place is not None else true()
    if isinstance(place, False_):
        return []
    columns = [term.expression.label(f"s{i}") for i, term in enumerate(terms) if term.expression is not None]
    query = (
        select(runs.c.run, *columns)
        .select_from(statement.source)
        .where(*statement.conditions, place)
        .order_by(*(term.ordered() for term in terms if term.expression is not None))
        .limit(search.limit)
    )
    found = []
    for run, *values in search.connection.execute(query):
        rest = iter(values)
        whole = [term.constant if term.expression is None else _plain(next(rest), term.kind) for term in terms]
        found.append(Found(run, tuple(whole)))
    return found


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
            table = key_table(key.key.field.entity)
            own = search.clauses.key(key.key.field, key.ids, table, runs)
            source = source.outerjoin(table, and_(table.c.run == run, own))
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


def _same_field(node: Node, key: SortKey) -> bool:
    if not isinstance(node, Compare):
        return False
    field, ordered = node.field, key.key.field
    same = (field.entity, field.key) == (ordered.entity, ordered.key)
    return same and field.aggregate in (None, "last")


def _allows(node: Node, rank: int, key: SortKey) -> bool:
    if not isinstance(node, Compare) or not _same_field(node, key):
        return True
    if node.operator == "IS NULL":
        return rank == MISSING
    return rank == PRESENT or (rank == NAN and node.operator in ("!=", "NOT IN", "IS NOT NULL"))


def _phase(search: RunSearch, rank: int) -> _Statement:
    first, *others = search.keys
    table = key_table(first.key.field.entity)
    if rank == MISSING:
        source, terms = _joined(search, runs, runs.c.run, others)
        without = not_(exists().where(table.c.run == runs.c.run, table.c.key_id == first.ids[0]))
        condition = true() if search.node is None else search.clauses.condition(search.node, runs)
        conditions = (search.scope(runs), without, condition)
        return _Statement(source, conditions, [*first.terms(runs, None, MISSING), *terms])
    source = forced_join(table, runs, runs.c.run == table.c.run)
    source, terms = _joined(search, source, table.c.run, others)
    conditions = (*_walked(search, table, rank), *_probes(search, table), search.scope(runs))
    return _Statement(source, conditions, [*first.terms(runs, table, rank), *terms])


def _walked(search: RunSearch, table: FromClause, rank: int) -> Iterator[Condition]:
    """The range of the index."""
    first = search.keys[0]
    yield table.c.key_id == first.ids[0]
    if first.key.field.entity == "metric":
        yield table.c.value.is_(None) if rank == NAN else table.c.value.is_not(None)
    value = search.place[1] if search.place is not None and search.place[0] == rank else None
    if value is not None:
        yield table.c.value >= value if first.key.ascending else table.c.value <= value
    for node in conjuncts(search.node):
        if isinstance(node, Compare) and _same_field(node, first):
            yield search.clauses.value(node, table)


def _probes(search: RunSearch, table: FromClause) -> Iterator[Condition]:
    for node in conjuncts(search.node):
        if not _same_field(node, search.keys[0]):
            yield search.clauses.condition(node, runs, table.c.run)


# Drivers


@dataclass(frozen=True)
class _Driver:
    """A way to enumerate a superset of a node's matches.

    Args:
        selects: Queries for run numbers, to be united.
        residual: What of the node is still to be probed.
        cost: Of reading the numbers.
        matches: How many there will be.
    """

    selects: tuple[Select[Any], ...]
    residual: Node | None
    cost: float
    matches: float

    def total(self) -> float:
        """The cost of the whole plan."""
        return self.cost + self.matches * (_READ + _PROBE * _size(self.residual))


def _size(node: Node | None) -> int:
    match node:
        case None:
            return 0
        case And(items) | Or(items):
            return sum(map(_size, items))
        case Not(item):
            return _size(item)
        case _:
            return 1


def _driven(search: RunSearch, driver: _Driver) -> _Statement:
    selects = driver.selects
    numbers = (selects[0] if len(selects) == 1 else union(*selects)).subquery()
    source: FromClause = forced_join(numbers, runs, runs.c.run == numbers.c.run)
    source, terms = _joined(search, source, numbers.c.run, search.keys)
    residual = true()
    if driver.residual is not None:
        residual = search.clauses.condition(driver.residual, runs, numbers.c.run)
    return _Statement(source, (residual, search.scope(runs)), terms)


@dataclass(frozen=True)
class _Leaf:
    """A comparison that an index can enumerate.

    Args:
        node: The comparison.
        select: The matching run numbers.
        counted: What to count: the matches themselves, or all rows of the key where the index cannot find the matches.
        exact: Whether ``counted`` counts the matches.
    """

    node: Compare
    select: Select[Any]
    counted: Select[Any]
    exact: bool


def _leaves(search: RunSearch, node: Node | None) -> Iterator[_Leaf]:
    match node:
        case And(items) | Or(items):
            for item in items:
                yield from _leaves(search, item)
        case Compare():
            leaf = _leaf(search, node)
            if leaf is not None:
                yield leaf


def _leaf(search: RunSearch, node: Compare) -> _Leaf | None:
    if node.operator == "IS NULL":
        return None
    clauses = search.clauses
    if node.field.entity == "attribute":
        if node.field.key != "run_id" or node.operator not in ("=", "IN"):
            return None
        others = runs.alias()
        query = select(others.c.run).where(clauses.condition(node, others))
        return _Leaf(node, query, query, exact=True)
    if node.field.entity == "dataset":
        inputs, sets = dataset_inputs.alias(), datasets.alias()
        owned = clauses.dialect.numbers(sets.c.experiment_id, search.experiments)
        source = forced_join(sets, inputs, inputs.c.dataset == sets.c.dataset)
        query = (
            select(inputs.c.run).select_from(source).where(owned, clauses.dataset_value(node, inputs, sets)).distinct()
        )
        return _Leaf(node, query, query, exact=True)
    ids = clauses.names.get((KINDS[node.field.entity], node.field.key), ())
    if not ids:
        return None
    table = key_table(node.field.entity)
    rows = select(table.c.run).where(clauses.dialect.numbers(table.c.key_id, ids))
    matches = rows.where(clauses.value(node, table))
    exact = _ranged(node)
    return _Leaf(node, matches, matches if exact else rows, exact)


def _ranged(node: Compare) -> bool:
    """Whether the matches are few ranges of an index."""
    match node.operator:
        case "=" | "<" | "<=" | ">" | ">=" | "BETWEEN" | "IN":
            return node.field.aggregate in (None, "last")
        case "LIKE":
            return like.literal_prefix(str(node.value)) != ""
        case _:
            return False


def _drive(node: Node | None, known: dict[Compare, _Driver]) -> _Driver | None:
    """The cheapest driver of a node."""
    match node:
        case Compare():
            return known.get(node)
        case And(items):
            best: _Driver | None = None
            for item in items:
                driver = _drive(item, known)
                if driver is None:
                    continue
                rest = [*(other for other in items if other is not item), *conjuncts(driver.residual)]
                driver = replace(driver, residual=rest[0] if len(rest) == 1 else And(tuple(rest)) if rest else None)
                if best is None or driver.total() < best.total():
                    best = driver
            return best
        case Or(items):
            drivers = [driver for driver in (_drive(item, known) for item in items) if driver is not None]
            if len(drivers) < len(items):
                return None
            exact = all(driver.residual is None for driver in drivers)
            return _Driver(
                tuple(query for driver in drivers for query in driver.selects),
                None if exact else node,
                sum(driver.cost for driver in drivers),
                sum(driver.matches for driver in drivers),
            )
        case _:
            return None


# The choice


def _choose(search: RunSearch) -> _Driver | None:
    """The driver to use; None when walking or sorting is cheaper."""
    leaves = {leaf.node: leaf for leaf in _leaves(search, search.node)}
    counted = list(leaves.values())[:_MAX_COUNTED]
    if not counted:
        return None
    bound = max(3_000, min(_COUNT_ONE, _COUNT_ALL // len(counted)))
    counts = [_count(leaf.counted, bound) for leaf in counted]
    sample = _sample(search, [leaf.node for leaf in counted])
    row = search.connection.execute(
        select(_count(_in_scope(search), bound), select(func.max(runs.c.run)).scalar_subquery(), *counts, *sample.c)
    ).one()
    in_scope, highest = int(row[0]), int(row[1] or 0)
    numbers = [int(number or 0) for number in row[2:]]
    sampled, fitting, *fits = numbers[len(counted) :]
    total = in_scope if in_scope < bound else max(bound, highest)
    known: dict[Compare, _Driver] = {}
    for leaf, count, fit in zip(counted, numbers, fits, strict=False):
        share = fit / sampled if sampled else 1.0
        rows = count if count < bound else max(bound, total * share if leaf.exact else total)
        matches = rows if leaf.exact else min(rows, share * rows + 1)
        known[leaf.node] = _Driver((leaf.select,), None, 0.0 if leaf.exact else rows * _SCANNED, matches)
    driver = _drive(search.node, known)
    return driver if driver is not None and driver.total() < _walk_cost(search, total, sampled, fitting) else None


def _walk_cost(search: RunSearch, total: int, sampled: int, fitting: int) -> float:
    entries: float = total
    if search.listed or search.keys[0].walkable:
        # All that is known of a sample without a hit is that hits are rare.
        entries = sampled if sampled < _SAMPLE else min(total, search.limit * sampled / max(fitting, 0.5))
    return entries * (_READ + _PROBE * _size(search.node))


def _count(query: Select[Any], bound: int) -> ColumnElement[int]:
    return select(func.count()).select_from(query.limit(bound).subquery()).scalar_subquery()


def _in_scope(search: RunSearch) -> Select[Any]:
    return select(runs.c.run).where(search.scope(runs), *_start_times(search))


def _start_times(search: RunSearch) -> Iterator[Condition]:
    for node in conjuncts(search.node):
        if isinstance(node, Compare) and (node.field.entity, node.field.key) == ("attribute", "start_time"):
            yield search.clauses.condition(node, runs)


def _sample(search: RunSearch, nodes: Sequence[Compare]) -> FromClause:
    """One row about the first runs of the walk: how many, how many match the filter, and each comparison."""
    first = search.keys[0]
    if first.walkable:
        table = key_table(first.key.field.entity)
        walked = select(table.c.run).where(*_walked(search, table, PRESENT))
        ordered = walked.order_by(table.c.value.asc() if first.key.ascending else table.c.value.desc())
    else:
        ordered = _in_scope(search)
        if search.listed:
            start = runs.c.start_time
            if search.place is not None:
                value = search.place[0]
                ordered = ordered.where(start >= value if first.key.ascending else start <= value)
            ordered = ordered.order_by(start.asc() if first.key.ascending else start.desc())
    numbers = ordered.limit(_SAMPLE).subquery()
    source = forced_join(numbers, runs, runs.c.run == numbers.c.run)
    assert search.node is not None
    conditions = [search.clauses.condition(node, runs, numbers.c.run) for node in (search.node, *nodes)]
    hits = [func.sum(case((condition, 1), else_=0)).label(f"hits{i}") for i, condition in enumerate(conditions)]
    return select(func.count().label("sampled"), *hits).select_from(source).subquery()
