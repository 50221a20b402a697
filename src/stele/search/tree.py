"""The syntax tree of filters and orders, and its text form.

A tree is checked: every field exists, every operator fits its field, every literal has the field's type. It knows
nothing of SQL and nothing of the moment of the query: ``now() - 7d`` stays a :class:`Moment`.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

__all__ = [
    "And",
    "Compare",
    "Field",
    "Literal",
    "Moment",
    "Node",
    "Not",
    "Or",
    "OrderKey",
    "conjuncts",
    "plural",
    "to_text",
]


class Field(msgspec.Struct, frozen=True):
    """What a comparison or an order is about.

    Args:
        entity: ``attribute``, ``metric``, ``param``, ``tag``, ``dataset`` or ``alias``.
        key: The canonical name of the attribute, or the user's key.
        aggregate: For metrics, ``min``, ``max``, ``first``, ``last``, ``mean`` or ``count`` over the whole series; None
            for the latest value.
    """

    entity: str
    key: str
    aggregate: str | None = None


class Moment(msgspec.Struct, frozen=True):
    """A time relative to the query: ``now() + offset``, the offset in milliseconds."""

    offset: int


Literal: TypeAlias = str | int | float | Moment


class Compare(msgspec.Struct, frozen=True):
    """One comparison.

    Args:
        field: The left side.
        operator: ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``LIKE``, ``ILIKE``, ``RLIKE``, ``IN``, ``NOT IN``,
            ``BETWEEN``, ``IS NULL`` or ``IS NOT NULL``.
        value: One literal; a tuple of them for ``IN`` and ``NOT IN``, a pair for ``BETWEEN``, an empty one for
            ``IS (NOT) NULL``.
            Text literals are strings, metrics and numeric params are floats, times and durations milliseconds.
    """

    field: Field
    operator: str
    value: Literal | tuple[Literal, ...] = ()

    @property
    def compares_number(self) -> bool:
        """Whether the literals are numbers; false when there is none."""
        first = self.value[0] if isinstance(self.value, tuple) and self.value else self.value
        return not isinstance(first, str | tuple)


class And(msgspec.Struct, frozen=True):
    """All of two or more."""

    items: tuple[Node, ...]


class Or(msgspec.Struct, frozen=True):
    """Any of two or more."""

    items: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True):
    """Everything else, entities without the key included."""

    item: Node


Node: TypeAlias = And | Or | Not | Compare


class OrderKey(msgspec.Struct, frozen=True):
    """One key of an order. Whatever the direction, NaN comes after all numbers and a missing value comes last."""

    field: Field
    ascending: bool = True


def conjuncts(node: Node | None) -> tuple[Node, ...]:
    """The parts that must all hold."""
    if node is None:
        return ()
    return node.items if isinstance(node, And) else (node,)


def to_text(node: Node) -> str:
    """A filter that parses to this tree."""
    match node:
        case And(items):
            return " AND ".join(_inner(item) for item in items)
        case Or(items):
            return " OR ".join(_inner(item) for item in items)
        case Not(item):
            return f"NOT {_inner(item)}"
        case Compare(field, "IS NULL" | "IS NOT NULL" as operator):
            return f"{_field_text(field)} {operator}"
        case Compare(field, "BETWEEN", (low, high)):
            return f"{_field_text(field)} BETWEEN {_literal_text(low)} AND {_literal_text(high)}"
        case Compare(field, operator, value):
            right = f"({', '.join(map(_literal_text, value))})" if isinstance(value, tuple) else _literal_text(value)
            return f"{_field_text(field)} {operator} {right}"


def _inner(node: Node) -> str:
    return to_text(node) if isinstance(node, Compare) else f"({to_text(node)})"


def plural(entity: str) -> str:
    """The prefix that an entity of a field has in a filter."""
    return f"{entity}es" if entity.endswith("s") else f"{entity}s"


def _field_text(field: Field) -> str:
    if field.entity == "attribute":
        name = field.key
    elif "`" in field.key:
        name = f'{plural(field.entity)}."{field.key}"'
    else:
        name = f"{plural(field.entity)}.`{field.key}`"
    return f"{field.aggregate}({name})" if field.aggregate else name


def _literal_text(value: Literal) -> str:
    if isinstance(value, Moment):
        return f"now() {'-' if value.offset < 0 else '+'} {abs(value.offset)}ms"
    if not isinstance(value, str):
        return repr(value)
    # A literal may hold its own quote only in pairs; see SINGLE_QUOTED in the grammar.
    quote = "'" if "'" not in value.replace("''", "") else '"'
    return f"{quote}{value}{quote}"
