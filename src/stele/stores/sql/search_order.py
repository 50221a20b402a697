"""Orders as SQL, and where a page goes on.

An order key becomes one to three sort terms. The first is a rank, 0 for a number or a text, 1 for NaN, 2 for missing,
always ascending, so that NaN and missing come last in both directions. The last terms make the order total, so that
the values of a row's terms are a place between rows: the next page is what lies behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, false, or_, true

from stele.schema.enums import RunStatus
from stele.search.page import SortValue
from stele.search.tree import Field, OrderKey
from stele.stores.sql.search_clauses import KINDS, Clauses, aggregate
from stele.stores.sql.search_dialect import Condition

__all__ = [
    "MISSING",
    "NAN",
    "PRESENT",
    "SortKey",
    "Term",
    "all_values",
    "behind",
    "deciding_values",
    "experiment_terms",
    "sort_keys",
]

PRESENT, NAN, MISSING = 0, 1, 2
"""The rank of a sort key."""

_OPTIONAL = ("end_time", "duration")
_BY_NAME = {number: rank for rank, (number, _) in enumerate(sorted(RunStatus.NAMES.items(), key=lambda item: item[1]))}


@dataclass(frozen=True)
class Term:
    """One sort expression.

    Args:
        kind: The type of its values in a page token.
        ascending: The direction.
        expression: The SQL; None when all rows of the statement have the same value.
        constant: That value; None for no value.
    """

    kind: type
    ascending: bool
    expression: ColumnElement[Any] | None
    constant: int | None = None

    def ordered(self) -> ColumnElement[Any]:
        """The term for ORDER BY."""
        assert self.expression is not None
        return self.expression.asc() if self.ascending else self.expression.desc()


@dataclass(frozen=True)
class SortKey:
    """One order key over ``runs``.

    Args:
        key: The key as asked for.
        ids: The key ids of a metric, param or tag.
        clauses: The conditions of the query.
    """

    key: OrderKey
    ids: tuple[int, ...]
    clauses: Clauses

    @property
    def keyed(self) -> bool:
        """Whether the values stand in a narrow table."""
        return self.key.field.entity in KINDS

    @property
    def decides(self) -> bool:
        """Whether runs can differ in it: a key that no run has puts them all last."""
        return not self.keyed or bool(self.ids)

    @property
    def width(self) -> int:
        """How many terms it has."""
        return len(self.terms(None, None))

    @property
    def walkable(self) -> bool:
        """Whether one index of a narrow table holds the runs in this order."""
        return self.keyed and self.key.field.aggregate in (None, "last") and len(self.ids) == 1

    def terms(self, row: FromClause | None, table: FromClause | None, rank: int | None = None) -> list[Term]:
        """The terms of the key.

        Args:
            row: ``runs``; None when only the types matter.
            table: The narrow table, outer joined; None when no run of the statement has the key.
            rank: The rank that all rows of the statement have, if they have the same.
        """
        if self.keyed:
            return self._keyed(table, MISSING if rank is None and table is None else rank)
        return self._attribute(row)

    def _keyed(self, table: FromClause | None, rank: int | None) -> list[Term]:
        field, ascending = self.key.field, self.key.ascending
        metric = field.entity == "metric"
        value = rest = None
        if table is not None and rank in (None, PRESENT):
            value = aggregate(table, field.aggregate) if metric else table.c.value
            rest = None if metric else self.clauses.rest(table)
        ranked: Term = Term(int, True, None, rank)
        if rank is None and table is not None and value is not None:
            cases = [(table.c.run.is_(None), MISSING), *([(value.is_(None), NAN)] if metric else [])]
            ranked = Term(int, True, case(*cases, else_=PRESENT))
        if metric:
            return [ranked, Term(int if field.aggregate == "count" else float, ascending, value)]
        return [ranked, Term(str, ascending, value), Term(str, ascending, rest)]

    def _attribute(self, row: FromClause | None) -> list[Term]:
        key, ascending = self.key.field.key, self.key.ascending
        if key in _OPTIONAL:
            end = None if row is None else row.c.end_time
            rank = None if end is None else case((end.is_(None), MISSING), else_=PRESENT)
            value = end if end is None or row is None or key == "end_time" else end - row.c.start_time
            return [Term(int, True, rank), Term(int, ascending, value)]
        if key == "status":
            names = None if row is None else case(_BY_NAME, value=row.c.status, else_=len(_BY_NAME))
            return [Term(int, ascending, names)]
        column = None if row is None else row.c["name" if key == "run_name" else key]
        return [Term(int if key == "start_time" else str, ascending, column)]


def sort_keys(order: Sequence[OrderKey], clauses: Clauses) -> list[SortKey]:
    """The sort keys of a search for runs, completed so that no two runs are equal."""
    keys = list(order)
    run_id = Field("attribute", "run_id")
    for field, ascending in ((Field("attribute", "start_time"), False), (run_id, True)):
        if not any(key.field in (field, run_id) for key in keys):
            keys.append(OrderKey(field, ascending))
    return [
        SortKey(key, clauses.names.get((KINDS.get(key.field.entity, -1), key.field.key), ()), clauses) for key in keys
    ]


def deciding_values(keys: Sequence[SortKey], values: Sequence[SortValue]) -> tuple[SortValue, ...]:
    """The values of the keys that decide."""
    rest = iter(values)
    taken = [(key.decides, list(islice(rest, key.width))) for key in keys]
    return tuple(value for decides, some in taken if decides for value in some)


def all_values(keys: Sequence[SortKey], values: Sequence[SortValue]) -> tuple[SortValue, ...]:
    """The inverse of :func:`deciding_values`."""
    rest = iter(values)
    missing = (MISSING, None, None)
    return tuple(value for key in keys for value in (islice(rest, key.width) if key.decides else missing[: key.width]))


def experiment_terms(order: Sequence[OrderKey], row: FromClause) -> list[Term]:
    """The sort terms of a search for experiments.

    Without an order the newest come first. The id decides between equals: upwards then, else downwards, as in MLflow.
    """
    keys = list(order) or [OrderKey(Field("attribute", "creation_time"), ascending=False)]
    if not any(key.field.key == "experiment_id" for key in keys):
        keys.append(OrderKey(Field("attribute", "experiment_id"), ascending=not order))
    return [Term(str if key.field.key == "name" else int, key.ascending, row.c[key.field.key]) for key in keys]


def behind(terms: Sequence[Term], values: Sequence[SortValue]) -> Condition:
    """The rows that come after a place in the order.

    Args:
        terms: The sort terms.
        values: The terms' values at the place; None where there is no value, which the rank before it says.
    """
    result: Condition | None = None
    for term, value in reversed(list(zip(terms, values, strict=True))):
        if value is None:
            continue  # all of this rank are equal
        if term.expression is not None:
            further = term.expression > value if term.ascending else term.expression < value
            result = further if result is None else or_(further, and_(term.expression == value, result))
        elif term.constant is not None and term.constant != value:  # a rank, which ascends
            result = true() if term.constant > int(value) else false()
    return false() if result is None else result
