"""Nodes of a filter as SQL conditions.

A comparison of a metric, param, tag or dataset is an EXISTS on its narrow table, so that every condition is true or
false, never NULL, and NOT, AND and OR may combine them freely. ``!=`` and ``NOT IN`` stand inside the EXISTS: they
only match what has the key. NULL in a column of numbers is NaN, or a param that spells no number: it differs from
every number.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from stele.limits import INT64_MAX, INT64_MIN
from stele.schema.enums import RunStatus
from stele.search import like
from stele.search.automaton import matcher
from stele.search.tree import And, Compare, Field, Literal, Moment, Node, Not, Or, OrderKey
from stele.stores.sql.keys import Keys
from stele.stores.sql.search_dialect import Condition, Dialect, dialect_of
from stele.stores.sql.tables import (
    KIND_METRIC,
    KIND_PARAM,
    KIND_TAG,
    MAX_DOUBLE,
    TEXT_PREFIX,
    dataset_inputs,
    datasets,
    entity_keys,
    experiment_tags,
    latest_metrics,
    run_texts,
)

__all__ = ["KINDS", "Clauses", "Names", "aggregate", "fields_of", "key_table", "resolve_names", "word_fits"]

KINDS = {"metric": KIND_METRIC, "param": KIND_PARAM, "tag": KIND_TAG}
"""Entity of a field -> ``entity_keys.kind``."""

Names = Mapping[tuple[int, str], tuple[int, ...]]
"""(kind, name) -> its key ids in the experiments of a query; absent when no run ever had the key."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def fields_of(node: Node | None) -> Iterator[Field]:
    """Every field of a filter."""
    match node:
        case And(items) | Or(items):
            for item in items:
                yield from fields_of(item)
        case Not(item):
            yield from fields_of(item)
        case Compare(field=field):
            yield field


def resolve_names(
    connection: Connection, keys: Keys, experiment_ids: list[int], node: Node | None, order: list[OrderKey]
) -> dict[tuple[int, str], tuple[int, ...]]:
    """The key ids of all names in a filter and an order: remembered, or one statement on ``ix_entity_keys_name``."""
    fields = [*fields_of(node), *(key.field for key in order)]
    wanted = {(KINDS[field.entity], field.key) for field in fields if field.entity in KINDS}
    if not wanted:
        return {}
    alone = experiment_ids[0] if len(experiment_ids) == 1 else None
    if alone is not None and (known := keys.known(alone, wanted)) is not None:
        return {name: (key_id,) for name, key_id in known.items()}
    by_kind: dict[int, list[str]] = {}
    for kind, name in wanted:
        by_kind.setdefault(kind, []).append(name)
    named = [and_(entity_keys.c.kind == kind, entity_keys.c.name.in_(names)) for kind, names in sorted(by_kind.items())]
    found: dict[tuple[int, str], tuple[int, ...]] = {}
    statement = (
        select(entity_keys.c.kind, entity_keys.c.name, entity_keys.c.key_id)
        .where(or_(*named), dialect_of(connection).numbers(entity_keys.c.experiment_id, experiment_ids))
        .order_by(entity_keys.c.key_id)
    )
    for kind, name, key_id in connection.execute(statement):
        if (kind, name) in wanted:  # MySQL's = ignores trailing spaces
            found[kind, name] = (*found.get((kind, name), ()), key_id)
    if alone is not None:
        keys.remember(alone, {name: key_ids[0] for name, key_ids in found.items()})
    return found


@cache
def key_table(entity: str, role: str) -> FromClause:
    """The narrow table that holds an entity's values.

    Args:
        entity: ``metric``, ``param`` or ``tag``.
        role: What the table does in the statement. Only subqueries beside each other may share a role.
    """
    return latest_metrics.alias(f"{role}_metrics") if entity == "metric" else run_texts.alias(f"{role}_texts")


_RESTS = run_texts.alias("rests")
_INPUTS, _DATASETS = dataset_inputs.alias("probe_inputs"), datasets.alias("probe_datasets")
_KEYS = entity_keys.alias("own_keys")
_EXPERIMENT_TAGS = experiment_tags.alias("probe_experiment_tags")


def _rest_of(texts: FromClause) -> ColumnElement[str]:
    # A query of its own, because the index that finds texts does not hold it.
    rest = (
        select(_RESTS.c.rest)
        .where(_RESTS.c.run == texts.c.run, _RESTS.c.key_id == texts.c.key_id)
        .correlate(texts)
        .scalar_subquery()
    )
    return func.coalesce(rest, literal(""))


def aggregate(metrics: FromClause, name: str | None) -> ColumnElement[Any]:
    """The expression of a metric's value or aggregate; NULL stands for NaN."""
    columns = metrics.c
    match name:
        case None | "last":
            return columns.value
        case "first":
            return columns.first_value
        case "min":
            return columns.min_value
        case "max":
            return columns.max_value
        case "count":
            return columns.points
        case _:  # a sum that overflowed has an infinite mean, and PostgreSQL fails where 0 is left of one that is not 0
            total, size = columns.sum_value, func.abs(columns.sum_value)
            mean = total / func.nullif(columns.points - columns.nan_points, 0)
            return case(((size >= MAX_DOUBLE) | (size < sys.float_info.min), total), else_=mean)


@dataclass(frozen=True)
class Clauses:
    """Turns nodes into conditions.

    Args:
        dialect: The words of the database.
        names: The key ids of the query's names.
        now: Time of the query, milliseconds since 1970.
    """

    dialect: Dialect
    names: Names
    now: int

    def condition(self, node: Node, row: FromClause, run: ColumnElement[int] | None = None) -> Condition:
        """The condition of a node on one entity.

        Args:
            node: Any node of a checked filter.
            row: ``runs`` or ``experiments`` or an alias of it.
            run: The number of the run where a narrower table than ``row`` is read first.
        """
        match node:
            case And(items):
                return and_(*(self.condition(item, row, run) for item in items))
            case Or(items):
                return or_(*(self.condition(item, row, run) for item in items))
            case Not(item):
                return not_(self.condition(item, row, run))
            case Compare():
                return self.comparison(node, row, run)

    def comparison(self, node: Compare, row: FromClause, run: ColumnElement[int] | None) -> Condition:
        """The condition of one comparison; the arguments are those of :meth:`condition`."""
        if node.field.entity == "attribute":
            return self._attribute(node, row)
        if node.field.entity == "tag" and "run" not in row.c:
            return self._experiment_tag(node, row)
        return self._existence(node, row, row.c.run if run is None else run)

    def _existence(self, node: Compare, row: FromClause, run: ColumnElement[int]) -> Condition:
        found: Condition
        if node.field.entity == "dataset":
            joined = and_(_INPUTS.c.run == run, _DATASETS.c.dataset == _INPUTS.c.dataset)
            found = self.dialect.probe(joined, self.dataset_value(node, _INPUTS, _DATASETS))
        else:
            ids = self.names.get((KINDS[node.field.entity], node.field.key), ())
            if not ids:
                return true() if node.operator == "IS NULL" else false()
            table = key_table(node.field.entity, "probe")
            key = and_(table.c.run == run, self.key(node.field, ids, table, row))
            found = self.dialect.probe(key, self.value(node, table))
        return not_(found) if node.operator == "IS NULL" else found

    def key(self, field: Field, ids: tuple[int, ...], table: FromClause, row: FromClause) -> Condition:
        """A row of a narrow table belongs to this key of the run's own experiment."""
        if len(ids) == 1:
            return table.c.key_id == ids[0]
        # In several experiments the run's own decides: one more probe instead of one per experiment.
        own = select(_KEYS.c.key_id).where(
            _KEYS.c.experiment_id == row.c.experiment_id,
            _KEYS.c.kind == KINDS[field.entity],
            _KEYS.c.name == field.key,
        )
        return table.c.key_id == own.correlate(row).scalar_subquery()

    def value(self, node: Compare, table: FromClause) -> Condition:
        """The comparison on a row of ``latest_metrics`` or ``run_texts`` that has the key."""
        if node.operator in ("IS NULL", "IS NOT NULL"):
            return true()
        if node.field.entity == "metric":
            return self.number(aggregate(table, node.field.aggregate), node)
        if node.compares_number:
            return self.number(table.c.number, node)
        return self.text(table.c.value, node, table)

    def rest(self, table: FromClause) -> ColumnElement[str]:
        """What a row of ``run_texts`` has beyond the indexed prefix, read only where there may be something."""
        return case((self.dialect.characters(table.c.value) < TEXT_PREFIX, literal("")), else_=_rest_of(table))

    def dataset_value(self, node: Compare, inputs: FromClause, sets: FromClause) -> Condition:
        """The comparison on a dataset and the input that uses it."""
        column = inputs.c.context if node.field.key == "context" else sets.c[node.field.key]
        present = column != "" if node.field.key == "context" else true()
        if node.operator in ("IS NULL", "IS NOT NULL"):
            return present
        return and_(present, self.text(column, node))

    def _experiment_tag(self, node: Compare, row: FromClause) -> Condition:
        tags = _EXPERIMENT_TAGS
        value = true() if node.operator in ("IS NULL", "IS NOT NULL") else self.text(tags.c.value, node)
        has_key = and_(tags.c.experiment_id == row.c.experiment_id, self.dialect.equal(tags.c.key, node.field.key))
        found = self.dialect.probe(has_key, value)
        return not_(found) if node.operator == "IS NULL" else found

    def _attribute(self, node: Compare, row: FromClause) -> Condition:
        key = node.field.key
        if key in ("end_time", "duration"):
            return self._optional(node, row)
        if node.operator in ("IS NULL", "IS NOT NULL"):
            return true() if node.operator == "IS NOT NULL" else false()
        if key == "status":
            fitting = [number for number, name in RunStatus.NAMES.items() if word_fits(name, node)]
            return row.c.status.in_(fitting)
        if key == "experiment_id":
            return self.id_number(row.c.experiment_id, node)
        column = row.c["name" if key == "run_name" else key]
        if key.endswith("_time"):
            return self.number(column, node)
        return self.text(column, node)

    def _optional(self, node: Compare, row: FromClause) -> Condition:
        end: ColumnElement[Any] = row.c.end_time
        present = end.is_not(None)
        if node.operator in ("IS NULL", "IS NOT NULL"):
            return present if node.operator == "IS NOT NULL" else end.is_(None)
        value = end if node.field.key == "end_time" else end - row.c.start_time
        return and_(present, self.number(value, node))

    def id_number(self, column: ColumnElement[int], node: Compare) -> Condition:
        """The comparison of a number that is written as text."""
        values = node.value if isinstance(node.value, tuple) else (node.value,)
        found = column.in_([int(str(value)) for value in values if _is_id(str(value))])
        return not_(found) if node.operator in ("!=", "NOT IN") else found

    def number(self, expression: ColumnElement[Any], node: Compare) -> Condition:
        """The comparison of a number; NULL is NaN."""
        value = node.value
        if not isinstance(value, tuple):
            condition: Condition = _COMPARE[node.operator](expression, self.moment(value))
            return or_(condition, expression.is_(None)) if node.operator == "!=" else condition
        numbers = [self.moment(item) for item in value]
        if node.operator == "BETWEEN":
            return expression.between(*numbers)
        if node.operator == "IN":
            return expression.in_(numbers)
        return or_(expression.not_in(numbers), expression.is_(None))

    def moment(self, value: Literal) -> Any:
        """A literal with ``now()`` filled in."""
        return max(INT64_MIN, min(INT64_MAX, self.now + value.offset)) if isinstance(value, Moment) else value

    def text(self, text: ColumnElement[str], node: Compare, texts: FromClause | None = None) -> Condition:
        """The comparison of a text whose end may stand in ``rest`` of ``texts``."""
        values = [str(value) for value in node.value] if isinstance(node.value, tuple) else [str(node.value)]
        match node.operator:
            case "=" | "IN":
                return self._equal(text, values, texts)
            case "!=" | "NOT IN":
                return not_(self._equal(text, values, texts))
            case "LIKE":
                return self._like(text, values[0], texts)
            case "ILIKE":
                return self.dialect.ilike(self.whole(text, texts), values[0])
            case _:
                return self.dialect.rlike(self.whole(text, texts), values[0])

    def _equal(self, text: ColumnElement[str], values: list[str], texts: FromClause | None) -> Condition:
        if texts is None:
            return self.dialect.among(text, values)
        # Texts shorter than the prefix have no rest, so that the index alone decides.
        short = [value for value in values if len(value) < TEXT_PREFIX]
        parts = [self.dialect.among(text, short)] if short else []
        for value in values:
            if len(value) >= TEXT_PREFIX:
                whole = self.dialect.equal(_rest_of(texts), value[TEXT_PREFIX:])
                parts.append(and_(self.dialect.equal(text, value[:TEXT_PREFIX]), whole))
        return or_(*parts)

    def _like(self, text: ColumnElement[str], pattern: str, texts: FromClause | None) -> Condition:
        prefix = like.literal_prefix(pattern)
        if prefix == pattern:
            return self._equal(text, [pattern], texts)
        indexed = prefix if texts is None else prefix[:TEXT_PREFIX]
        starts = self.dialect.starts(text, indexed) if indexed else None
        if starts is not None and pattern == f"{indexed}%":
            return starts
        fits = self.dialect.like(self.whole(text, texts), pattern)
        return fits if starts is None else and_(starts, fits)

    def whole(self, text: ColumnElement[str], texts: FromClause | None) -> ColumnElement[str]:
        if texts is None:
            return text
        return case((self.dialect.characters(text) < TEXT_PREFIX, text), else_=text.concat(_rest_of(texts)))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and str(int(text)) == text and int(text) <= INT64_MAX


def word_fits(name: str, node: Compare) -> bool:
    """Whether one of a few known words fits a comparison."""
    value = node.value
    match node.operator:
        case "=":
            return name == value
        case "!=":
            return name != value
        case "IN":
            return isinstance(value, tuple) and name in value
        case "NOT IN":
            return isinstance(value, tuple) and name not in value
        case "RLIKE":
            return matcher(str(value)).search(name)
        case _:
            return like.matches(name, str(value), ignore_case=node.operator == "ILIKE")
