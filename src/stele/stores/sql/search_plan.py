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
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.sql.elements import False_

from stele.search import like
from stele.search.page import SortValue
from stele.search.tree import Compare, Moment, Node, conjuncts
from stele.stores.sql.search_clauses import KINDS, Clauses, key_table
from stele.stores.sql.search_dialect import Condition, look_up
from stele.stores.sql.search_estimate import (
    PROBED,
    PROBED_IN_ORDER,
    READ,
    SCANNED,
    Driver,
    Estimate,
    Leaf,
    Remembered,
    cheapest_driver,
    comparisons,
)
from stele.stores.sql.search_order import MISSING, NAN, PRESENT, SortKey, Term, behind
from stele.stores.sql.tables import dataset_inputs, datasets, runs

__all__ = ["Found", "RunSearch", "read_runs"]

_SAMPLE = 200
_MAX_COUNTED, _MAX_SAMPLED = 24, 60
_COUNT_ALL, _COUNT_ONE, _LEAST_BOUND = 30_000, 10_000, 3_000


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
        remembered: What an equal search found out a moment ago, and where to put what this one does.
    """

    connection: Connection
    clauses: Clauses
    experiments: Sequence[int]
    stages: tuple[int, ...]
    node: Node | None
    keys: Sequence[SortKey]
    place: tuple[SortValue, ...] | None
    limit: int
    remembered: Remembered | None = None

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
    entries: float = search.limit
    if search.node is not None:
        if isinstance(search.clauses.condition(search.node, runs), False_):
            return []
        estimate = _estimate(search)
        search = replace(search, node=estimate.likely_first(search.node))
        driver = cheapest_driver(search.node, estimate)
        entries = _walk_entries(search, estimate)
        if driver is not None and driver.total < _walk_cost(search, estimate, entries):
            return _read(search, _driven(search, driver, estimate))
    if not search.keys[0].walkable:
        return _read(search, _sorted(search))
    found: list[Found] = []
    for rank in _ranks(search):
        if len(found) < search.limit:
            found += _read_phase(replace(search, limit=search.limit - len(found)), rank, int(2 * entries))
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


def _read_phase(search: RunSearch, rank: int, entries: int) -> list[Found]:
    if rank != PRESENT or search.clauses.dialect.sorts_in_steps:
        return _read(search, _phase(search, rank))
    # It would sort all runs that have the key for a page of them, so let the first entries do when they are enough.
    found = _read(search, _phase(search, rank, entries))
    return found if len(found) == search.limit else _read(search, _phase(search, rank))


def _phase(search: RunSearch, rank: int, entries: int | None = None) -> _Statement:
    """The statement of one phase.

    Args:
        search: The search.
        rank: The rank of the first sort key.
        entries: How many entries of the index to read, and those that are equal to the last; None for all.
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
    conditions = [*_walked(search, table, rank), *_probes(search, table), search.scope(runs)]
    if entries is not None:
        conditions.append(_among_first(search, table, entries))
    return _Statement(source, tuple(conditions), [*first.terms(runs, table, rank), *terms])


def _among_first(search: RunSearch, table: FromClause, entries: int) -> Condition:
    first = search.keys[0]
    last = key_table(first.key.field.entity, "last")
    ordered = last.c.value.asc() if first.key.ascending else last.c.value.desc()
    walked = select(last.c.value).where(*_walked(search, last, PRESENT)).order_by(ordered)
    value = walked.limit(1).offset(entries).scalar_subquery()
    return or_(value.is_(None), table.c.value <= value if first.key.ascending else table.c.value >= value)


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


# Driving from an index


def _driven(search: RunSearch, driver: Driver, estimate: Estimate) -> _Statement:
    selects = driver.selects
    numbers = (selects[0] if len(selects) == 1 else union(*selects)).subquery("found")
    source: FromClause = look_up(numbers, runs, runs.c.run == numbers.c.run)
    source, terms = _joined(search, source, numbers.c.run, search.keys)
    conditions: list[Condition] = []
    left = driver.matches
    for node in conjuncts(driver.residual):
        if isinstance(node, Compare) and estimate.listed(node, left):
            conditions.append(numbers.c.run.in_(estimate.leaves[node].select))
        else:
            conditions.append(search.clauses.condition(node, runs, numbers.c.run))
        left *= estimate.share(node)
    return _Statement(source, (*conditions, search.scope(runs)), terms)


def _leaf(search: RunSearch, node: Compare) -> Leaf | None:
    """How an index enumerates the matches of a comparison; None when none does."""
    if node.operator == "IS NULL":
        return None
    clauses = search.clauses
    if node.field.entity == "attribute":
        if node.field.key != "run_id" or node.operator not in ("=", "IN"):
            return None
        query = select(_RUN_IDS.c.run).where(clauses.condition(node, _RUN_IDS))
        return Leaf(query, query)
    if node.field.entity == "dataset":
        owned = clauses.dialect.numbers(_DATASETS.c.experiment_id, search.experiments)
        source = look_up(_DATASETS, _INPUTS, _INPUTS.c.dataset == _DATASETS.c.dataset)
        value = clauses.dataset_value(node, _INPUTS, _DATASETS)
        query = select(_INPUTS.c.run).select_from(source).where(owned, value).distinct()
        return Leaf(query, query)
    ids = clauses.names.get((KINDS[node.field.entity], node.field.key), ())
    if not ids:
        return None
    table = key_table(node.field.entity, "drive")
    rows = select(table.c.run).where(clauses.dialect.numbers(table.c.key_id, ids))
    matches = rows.where(clauses.value(node, table))
    exact = _ranged(node)
    covered = node.field.aggregate in (None, "last") or node.operator == "IS NOT NULL"
    return Leaf(matches, matches if exact else rows, exact, covered)


_RUN_IDS = runs.alias("drive_runs")
_INPUTS, _DATASETS = dataset_inputs.alias("drive_inputs"), datasets.alias("drive_datasets")


def _ranged(node: Compare) -> bool:
    """Whether the matches are few ranges of an index."""
    match node.operator:
        case "=" | "<" | "<=" | ">" | ">=" | "BETWEEN" | "IN":
            return node.field.aggregate in (None, "last")
        case "LIKE":
            return like.literal_prefix(str(node.value)) != ""
        case _:
            return False


# The look before the choice


def _estimate(search: RunSearch) -> Estimate:
    """What an equal search, or the page before, found out; else a look of our own."""
    if search.remembered is None or any(_is_relative(node) for node in comparisons(search.node)):
        return _look(search)
    if search.remembered.estimate is None:
        search.remembered.estimate = _look(search)
    return search.remembered.estimate


def _is_relative(node: Compare) -> bool:
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    return any(isinstance(value, Moment) for value in values)


def _look(search: RunSearch) -> Estimate:
    """Counts and a sample, in one statement."""
    nodes = list(dict.fromkeys(comparisons(search.node)))
    leaves = {node: leaf for node in nodes if (leaf := _leaf(search, node)) is not None}
    counted = list(leaves.items())[:_MAX_COUNTED]
    bound = max(_LEAST_BOUND, min(_COUNT_ONE, _COUNT_ALL // max(1, len(counted))))
    sampled_nodes = nodes[:_MAX_SAMPLED]
    bits = {node: 1 << bit if bit < _MAX_SAMPLED else 0 for bit, node in enumerate(nodes)}
    statement = _sample(search, sampled_nodes).add_columns(
        _count(_in_scope(search), bound),
        select(func.max(runs.c.run)).scalar_subquery(),
        *(_count(leaf.counted, bound) for _, leaf in counted),
    )
    masks: dict[int, int] = {}
    numbers: list[int] = [0] * (len(counted) + 2)
    for mask, hits, *rest in search.connection.execute(statement):
        masks[int(mask)] = int(hits)
        numbers = [int(number or 0) for number in rest]
    in_scope, highest, *counts = numbers
    return Estimate(
        leaves=leaves,
        counts={node: count for (node, _), count in zip(counted, counts, strict=True)},
        bound=bound,
        total=in_scope if in_scope < bound else max(bound, highest),
        sampled=sum(masks.values()),
        masks=masks,
        bits=bits,
    )


def _walk_entries(search: RunSearch, estimate: Estimate) -> float:
    """How many entries of an index are read until the page is full."""
    if not search.listed and not search.keys[0].walkable:
        return estimate.total
    if estimate.sampled < _SAMPLE:
        return estimate.sampled
    # All that is known of a sample without a hit is that hits are rare.
    return min(estimate.total, search.limit * estimate.sampled / max(estimate.fitting(search.node), 0.5))


def _walk_cost(search: RunSearch, estimate: Estimate, entries: float) -> float:
    probed = PROBED if search.keys[0].walkable else PROBED_IN_ORDER
    return entries * (SCANNED + probed * estimate.probes(search.node)) + min(entries, search.limit) * READ


def _count(query: Select[Any], bound: int) -> ColumnElement[int]:
    return select(func.count()).select_from(query.limit(bound).subquery()).scalar_subquery()


def _in_scope(search: RunSearch) -> Select[Any]:
    return select(runs.c.run).where(search.scope(runs), *_start_times(search))


def _start_times(search: RunSearch) -> Iterator[Condition]:
    for node in conjuncts(search.node):
        if isinstance(node, Compare) and (node.field.entity, node.field.key) == ("attribute", "start_time"):
            yield search.clauses.condition(node, runs)


def _sample(search: RunSearch, nodes: Sequence[Compare]) -> Select[Any]:
    """For the first runs of the walk: each combination of comparisons that hold, and how often."""
    first = search.keys[0]
    if first.walkable:
        table = key_table(first.key.field.entity, "walk")
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
    numbers = ordered.limit(_SAMPLE).subquery("sample")
    mask: ColumnElement[int] = literal(0)
    for bit, node in enumerate(nodes):
        mask = mask + case((search.clauses.condition(node, runs, numbers.c.run), 1 << bit), else_=0)
    source = look_up(numbers, runs, runs.c.run == numbers.c.run)
    masks = select(mask.label("mask")).select_from(source).subquery("masks")
    return select(masks.c.mask, func.count()).group_by(masks.c.mask)
