"""A search for runs, resolved: what is looked for, where, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, FromClause, and_

from stele.search.page import SortValue
from stele.search.tree import Compare, Moment, Node, conjuncts
from stele.stores.sql.search_clauses import Clauses
from stele.stores.sql.search_dialect import Condition
from stele.stores.sql.search_estimate import comparisons
from stele.stores.sql.search_memory import Remembered
from stele.stores.sql.search_order import NAN, SortKey

__all__ = ["RunSearch", "is_of_key", "walked_range"]


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

    @property
    def newest_first(self) -> bool:
        """Whether the order is that of a listing."""
        return self.listed and not self.keys[0].key.ascending and len(self.keys) == 2 and self.keys[1].key.ascending

    @property
    def is_relative(self) -> bool:
        """Whether the filter means something else a moment later."""
        values = [node.value for node in comparisons(self.node)]
        return any(
            isinstance(item, Moment) for value in values for item in (value if isinstance(value, tuple) else (value,))
        )


def is_of_key(node: Node, key: SortKey) -> bool:
    """Whether a node compares what a sort key orders by."""
    if not isinstance(node, Compare):
        return False
    field, ordered = node.field, key.key.field
    same = (field.entity, field.key) == (ordered.entity, ordered.key)
    return same and field.aggregate in (None, "last")


def walked_range(search: RunSearch, table: FromClause, rank: int) -> Iterator[Condition]:
    """The range of the index of a narrow table that a walk along the first sort key reads."""
    first = search.keys[0]
    yield table.c.key_id == first.ids[0]
    if first.key.field.entity == "metric":
        yield table.c.value.is_(None) if rank == NAN else table.c.value.is_not(None)
    value = search.place[1] if search.place is not None and search.place[0] == rank else None
    if value is not None:
        yield table.c.value >= value if first.key.ascending else table.c.value <= value
    for node in conjuncts(search.node):
        if isinstance(node, Compare) and is_of_key(node, first):
            yield search.clauses.value(node, table)
