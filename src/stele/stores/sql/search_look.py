"""The look before the choice: one statement that counts, bounded, and samples what a search would read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select

from stele.search import like
from stele.search.tree import Compare, conjuncts
from stele.stores.sql.search_clauses import KINDS, key_table
from stele.stores.sql.search_dialect import Condition, look_up
from stele.stores.sql.search_estimate import Estimate, Leaf, comparisons
from stele.stores.sql.search_order import PRESENT
from stele.stores.sql.search_request import RunSearch, walked_range
from stele.stores.sql.tables import dataset_inputs, datasets, runs

__all__ = ["SAMPLE", "estimate_of"]

SAMPLE = 200
"""Runs that are looked at."""
_MAX_COUNTED, _MAX_SAMPLED = 24, 60
_COUNT_ALL, _COUNT_ONE, _LEAST_BOUND = 12_000, 4_000, 2_000
_ORDERLY = 4
"""How much wider than needed the numbers of the newest runs may be spread."""


def estimate_of(search: RunSearch) -> Estimate:
    """What an equal search, or the page before, found out; else a look of our own."""
    if search.remembered is None or search.is_relative:
        return _look(search)
    if search.remembered.estimate is None:
        search.remembered.estimate = _look(search)
    return search.remembered.estimate


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
    sample = search.connection.execute(statement).all()
    masks = Counter(int(row[0]) for row in sample)
    numbers = [int(number or 0) for number in sample[0][2:]] if sample else [0] * (len(counted) + 2)
    in_scope, highest, *counts = numbers
    total = in_scope if in_scope < bound else max(bound, highest)
    spread = highest - min((int(row[1]) for row in sample), default=0)
    return Estimate(
        leaves=leaves,
        counts={node: count for (node, _), count in zip(counted, counts, strict=True)},
        bound=bound,
        total=total,
        sampled=len(sample),
        newest_first=search.newest_first and spread <= _ORDERLY * len(sample) * highest / max(total, 1),
        masks=masks,
        bits=bits,
    )


def _count(query: Select[Any], bound: int) -> ColumnElement[int]:
    return select(func.count()).select_from(query.limit(bound).subquery()).scalar_subquery()


def _in_scope(search: RunSearch) -> Select[Any]:
    return select(runs.c.run).where(search.scope(runs), *_start_times(search))


def _start_times(search: RunSearch) -> Iterator[Condition]:
    for node in conjuncts(search.node):
        if isinstance(node, Compare) and (node.field.entity, node.field.key) == ("attribute", "start_time"):
            yield search.clauses.condition(node, runs)


def _sample(search: RunSearch, nodes: Sequence[Compare]) -> Select[Any]:
    """For each of the first runs of the walk which comparisons hold, as bits, and its number."""
    first = search.keys[0]
    if first.walkable:
        table = key_table(first.key.field.entity, "walk")
        walked = select(table.c.run).where(*walked_range(search, table, PRESENT))
        ordered = walked.order_by(table.c.value.asc() if first.key.ascending else table.c.value.desc())
    else:
        ordered = _in_scope(search)
        if search.listed:
            start = runs.c.start_time
            if search.place is not None:
                value = search.place[0]
                ordered = ordered.where(start >= value if first.key.ascending else start <= value)
            ordered = ordered.order_by(start.asc() if first.key.ascending else start.desc())
    numbers = ordered.limit(SAMPLE).subquery("sample")
    mask: ColumnElement[int] = literal(0)
    for bit, node in enumerate(nodes):
        mask = mask + case((search.clauses.condition(node, runs, numbers.c.run), 1 << bit), else_=0)
    source = look_up(numbers, runs, runs.c.run == numbers.c.run)
    return select(mask, numbers.c.run).select_from(source)


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
