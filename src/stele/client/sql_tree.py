"""What a query says about tables, read from the syntax tree that DuckDB makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["hidden_queries", "tables_in", "wanted_values"]

_JOINS = ("INNER", "LEFT", "RIGHT", "FULL", "OUTER")
_MATCHES = ("REGULAR", "NATURAL", "CROSS")


def tables_in(tree: Any) -> list[str]:
    """The names of tables in a query, in lower case, as often as they stand there."""
    return [node["table_name"].lower() for node in _nodes(tree) if node.get("type") == "BASE_TABLE"]


def hidden_queries(tree: Any) -> list[str]:
    """The functions in a query that read tables which their arguments name, and the tree does not."""
    called = (node["function_name"].lower() for node in _nodes(tree) if node.get("type") == "FUNCTION")
    return [name for name in called if name in ("query", "query_table")]


def wanted_values(tree: Any, table: str, column: str) -> set[str] | None:
    """The values of a text column of which rows can matter to a query; None when that may be any.

    Only the plain case is understood: the query names the table once, and the WHERE of that SELECT demands
    ``column = 'text'`` or ``column IN ('text', ...)``, alone or joined to the rest by AND. A row without the value can
    then not be part of the result: in the joins that are followed here it neither takes the place of another row, as in
    an ASOF join or a sample, nor keeps one out, as in an ANTI join.
    """
    if tables_in(tree).count(table) != 1:
        return None
    for select in _nodes(tree):
        if select.get("type") == "SELECT_NODE":
            names = [_names(reference) for reference in _joined(select.get("from_table")) if _is(reference, table)]
            if names:
                unclear = select.get("sample") or _is_redefined(select, column)
                return None if unclear else _demanded(select, names[0], column)
    return None


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for child in tree:
            yield from _nodes(child)


def _joined(source: Any) -> Iterator[dict[str, Any]]:
    """The tables that a FROM joins, those of subqueries not among them, nor those below a join of another kind."""
    if isinstance(source, dict):
        if source.get("type") != "JOIN":
            yield source
        elif source.get("join_type") in _JOINS and source.get("ref_type") in _MATCHES:
            yield from _joined(source.get("left"))
            yield from _joined(source.get("right"))


def _is(reference: dict[str, Any], table: str) -> bool:
    changed = reference.get("column_name_alias") or reference.get("sample")
    return reference.get("type") == "BASE_TABLE" and reference["table_name"].lower() == table and not changed


def _names(reference: dict[str, Any]) -> str:
    """What qualifies the columns of a table."""
    return str(reference.get("alias") or reference["table_name"]).lower()


def _is_redefined(select: dict[str, Any], column: str) -> bool:
    return any(item.get("alias", "").lower() == column for item in select.get("select_list", []))


def _demanded(select: dict[str, Any], qualifier: str, column: str) -> set[str] | None:
    found: set[str] | None = None
    for condition in _conjuncts(select.get("where_clause")):
        values = _equal_to(condition, qualifier, column)
        if values is not None:
            found = values if found is None else found & values
    return found


def _conjuncts(condition: Any) -> Iterator[dict[str, Any]]:
    if isinstance(condition, dict):
        if condition.get("type") == "CONJUNCTION_AND":
            for child in condition["children"]:
                yield from _conjuncts(child)
        else:
            yield condition


def _equal_to(condition: dict[str, Any], qualifier: str, column: str) -> set[str] | None:
    if condition.get("type") == "COMPARE_EQUAL":
        sides = [condition["left"], condition["right"]]
        if _is_column(sides[1], qualifier, column):
            sides.reverse()
    elif condition.get("type") == "COMPARE_IN":
        sides = condition["children"]
    else:
        return None
    values = [_text(side) for side in sides[1:]]
    if not _is_column(sides[0], qualifier, column) or None in values:
        return None
    return {value for value in values if value is not None}


def _is_column(side: dict[str, Any], qualifier: str, column: str) -> bool:
    if side.get("type") != "COLUMN_REF":
        return False
    *qualifiers, name = [part.lower() for part in side["column_names"]]
    return name == column and (not qualifiers or qualifiers[-1] == qualifier)


def _text(side: dict[str, Any]) -> str | None:
    """A text constant; versions of DuckDB write it in two ways."""
    if side.get("type") != "VALUE_CONSTANT":
        return None
    literal, value = side.get("literal"), side.get("value")
    if isinstance(literal, dict) and literal.get("kind") == "STRING":
        return str(literal["text"])
    if isinstance(value, dict) and not value.get("is_null") and isinstance(value.get("value"), str):
        return str(value["value"]) if value.get("type", {}).get("id") == "VARCHAR" else None
    return None
