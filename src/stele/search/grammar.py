"""Filter and order_by text to a checked syntax tree.

The language is a superset of MLflow's search language (its filters mean the same here), parsed by Lark from
``grammar.lark``. Every failure is an :class:`~stele.errors.InvalidFilter`: what is wrong, where, and what is allowed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from stele.errors import InvalidFilter, shown
from stele.limits import (
    MAX_FILTER_CHARACTERS,
    MAX_FILTER_CLAUSES,
    MAX_FILTER_DEPTH,
    MAX_ORDER_BY_CLAUSES,
)
from stele.search import literals
from stele.search.fields import AGGREGATES, OPERATORS, FieldTable, Kind
from stele.search.tree import And, Compare, Field, Literal, Node, Not, Or, OrderKey, plural

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

__all__ = ["parse_filter", "parse_order_by"]


def parse_filter(text: str | None, fields: FieldTable) -> Node | None:
    """The tree of a filter; None for no filter.

    Args:
        text: The filter. None, ``""`` and a lone ``AND`` filter nothing.
        fields: What can be searched.

    Raises:
        InvalidFilter: It cannot be understood, or breaks a limit.
    """
    return _parse_filter(text, fields) if text else None


def parse_order_by(clauses: Iterable[str] | None, fields: FieldTable) -> list[OrderKey]:
    """The keys of an order, a repeated field dropped.

    Args:
        clauses: Each ``field [ASC|DESC]``, at most 20.
        fields: What can be searched.

    Raises:
        InvalidFilter: A clause cannot be understood, or there are too many.
    """
    clauses = list(clauses or ())
    if len(clauses) > MAX_ORDER_BY_CLAUSES:
        raise InvalidFilter(f"order_by has {len(clauses)} clauses, at most {MAX_ORDER_BY_CLAUSES} are allowed.")
    keys: dict[Field, OrderKey] = {}
    for clause in clauses:
        key = _parse_order(clause, fields)
        keys.setdefault(key.field, key)
    return list(keys.values())


@cache
def _parser() -> Lark:
    from lark import Lark  # 20 ms that only a search pays

    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        parser="lalr",
        lexer="basic",
        start=["filter", "order"],
        maybe_placeholders=False,
        postlex=_Ands(),
    )


_VALUE_ENDS = frozenset({"SINGLE_QUOTED", "DOUBLE_QUOTED", "NUMBER", "DURATION", "NULL", "_RPAR"})
_FIELD_STARTS = frozenset({"WORD", "BACKTICKED", "DOUBLE_QUOTED", "FUNCTION"})


class _Ands:
    """Drops leading, trailing and doubled ANDs and puts in those that are missing: MLflow takes all of that as AND."""

    always_accept = ()

    def process(self, stream: Iterable[Token]) -> Iterable[Token]:
        from lark import Token

        held: Token | None = None
        previous = ""
        for token in stream:
            if token.type == "_AND":
                held = held or token
                continue
            if held is None and previous in _VALUE_ENDS and token.type in _FIELD_STARTS:
                held = Token.new_borrow_pos("_AND", "AND", token)
            if held is not None and previous:
                yield held
            held, previous = None, token.type
            yield token


_ONLY_ANDS = re.compile(r"\s*and(\s+and)*\s*", re.IGNORECASE)


@lru_cache(maxsize=512)
def _parse_filter(text: str, fields: FieldTable) -> Node | None:
    _check_text(text, "filter")
    if _ONLY_ANDS.fullmatch(text):
        return None
    tree = _tree(text, "filter")
    return _Checker(text, fields).node(tree.children[0], 0)


@lru_cache(maxsize=512)
def _parse_order(text: str, fields: FieldTable) -> OrderKey:
    _check_text(text, "order_by clause")
    operand, *direction = _tree(text, "order").children
    ascending = not direction or str(direction[0]).upper() == "ASC"
    return OrderKey(_Checker(text, fields).field(operand, ordering=True), ascending)


def _check_text(text: str, what: str) -> None:
    if len(text) > MAX_FILTER_CHARACTERS:
        raise InvalidFilter(f"The {what} has {len(text)} characters, at most {MAX_FILTER_CHARACTERS} are allowed.")
    if not text.strip():
        raise InvalidFilter(f"The {what} is blank. Leave it out instead.")
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise InvalidFilter(f"The {what} holds {character!r}, which no text can hold.", text, position)


def _tree(text: str, start: str) -> Tree[Any]:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    try:
        return _parser().parse(text, start=start)
    except UnexpectedCharacters as e:
        raise _bad_character(text, int(e.pos_in_stream or 0)) from None
    except UnexpectedToken as e:
        raise _bad_token(text, e.token, e.accepts) from None


def _bad_character(text: str, position: int) -> InvalidFilter:
    character = text[position]
    if character in "'\"`":
        return InvalidFilter(f"The {character} that opens here is not closed.", text, position)
    if character.isdigit() or character in "+-.":
        return InvalidFilter(
            "This is neither a number such as 0.5 or 1e-3 nor a duration such as 90s or 2h.", text, position
        )
    problem = f"{character!r} has no meaning here. A key with such characters is quoted, as in params.`my-key`."
    return InvalidFilter(problem, text, position)


_FIELD = "a field such as metrics.loss, params.lr, tags.team or status"
_OPERATOR = "an operator (=, !=, <, <=, >, >=, LIKE, ILIKE, RLIKE, IN, NOT IN, BETWEEN, IS NULL, IS NOT NULL)"
_EXPECTED = {
    "SINGLE_QUOTED": "a value: text in quotes, a number, a duration or now()",
    "FUNCTION": _FIELD,
    "COMPARATOR": _OPERATOR,
    "_AND": "AND",
    "_OR": "OR",
    "_COMMA": "a comma",
    "DURATION": "a duration such as 7d",
    "SIGN": "- or + with a duration",
    "NULL": "NULL",
    "ASC": "ASC",
    "DESC": "DESC",
    "_RPAR": ")",
    "$END": "the end",
}


def _bad_token(text: str, token: Token, expected: Iterable[str]) -> InvalidFilter:
    allowed = [words for terminal, words in _EXPECTED.items() if terminal in expected]
    if "SINGLE_QUOTED" in expected:  # a value may be a duration; say it once
        allowed = [_EXPECTED["SINGLE_QUOTED"]]
    if not allowed:
        allowed = ["a name in quotes" if "BACKTICKED" in expected else "("]
    at_end = token.type == "$END"
    position = len(text) if at_end else int(token.start_pos or 0)
    found = "The text ends here" if at_end else f"{shown(str(token))} is not expected here"
    listed = ", ".join(allowed[:-1]) + " or " + allowed[-1] if len(allowed) > 1 else allowed[0]
    hint = ""
    if text[max(0, position - 1) : position + 1] in ("==", "<>"):
        hint = " Equality is one =, inequality is !=."
    return InvalidFilter(f"{found}; expected is {listed}.{hint}", text, position)


class _Checker:
    """Turns one parse tree into a checked tree."""

    def __init__(self, text: str, fields: FieldTable) -> None:
        self.text = text
        self.fields = fields
        self.clauses = 0

    def error(self, problem: str, token: Token, offset: int = 0) -> InvalidFilter:
        return InvalidFilter(problem, self.text, int(token.start_pos or 0) + offset)

    def node(self, tree: Any, depth: int) -> Node:
        match tree.data:
            case "disjunction" | "conjunction":
                return self.join(tree, depth)
            case "group" | "negation":
                opening, inner = tree.children
                if depth == MAX_FILTER_DEPTH:
                    raise self.error(f"The filter is nested deeper than {MAX_FILTER_DEPTH} levels.", opening)
                node = self.node(inner, depth + 1)
                return Not(node) if tree.data == "negation" else node
            case _:
                return self.comparison(tree)

    def join(self, tree: Any, depth: int) -> Node:
        joined = Or if tree.data == "disjunction" else And
        items: list[Node] = []
        for child in tree.children:
            node = self.node(child, depth)
            items.extend(node.items if isinstance(node, joined) else (node,))
        return items[0] if len(items) == 1 else joined(tuple(items))

    def comparison(self, tree: Any) -> Node:
        operand, *rest = tree.children
        field = self.field(operand)
        token = rest[0]
        self.clauses += 1
        if self.clauses > MAX_FILTER_CLAUSES:
            raise self.error(f"The filter has more than {MAX_FILTER_CLAUSES} comparisons.", _first(operand))
        values = [child.children[0] for child in rest if getattr(child, "data", None) == "value"]
        operator = _OPERATORS.get(tree.data) or token.upper()
        kind = Kind.NUMBER if field.aggregate else self.fields.kind(field.entity, field.key)
        if operator not in OPERATORS[kind]:
            allowed = ", ".join(OPERATORS[kind])
            raise self.error(f"{operator} does not fit {self.name(field)}. Allowed are {allowed}.", token)
        if not values:
            return Compare(field, operator)
        found = tuple(self.literal(value, field, kind, operator) for value in values)
        if kind is Kind.PARAM and len({isinstance(value, str) for value in found}) > 1:
            raise self.error("Text and numbers do not mix in one comparison.", _first(values[0]))
        return Compare(field, operator, found if operator in ("IN", "NOT IN", "BETWEEN") else found[0])

    def name(self, field: Field) -> str:
        return field.key if field.entity == "attribute" else f"{plural(field.entity)}.{field.key}"

    def field(self, operand: Any, *, ordering: bool = False) -> Field:
        """The field an operand names, checked against the table."""
        children: list[Any] = [child for child in operand.children if getattr(child, "type", "") != "LPAR"]
        aggregate: str | None = None
        if getattr(children[0], "type", "") == "FUNCTION":
            aggregate = self.aggregate(children.pop(0))
        field = self.named(children, ordering=ordering)
        first = _first(children[0])
        if aggregate and field.entity != "metric":
            raise self.error(f"{aggregate}() takes a metric, as in {aggregate}(metrics.loss).", first)
        if ordering and field.entity in self.fields.unsortable:
            raise self.error(f"No order by {self.name(field)}. {self.orderable()}", first)
        return Field(field.entity, field.key, aggregate)

    def aggregate(self, token: Token) -> str:
        name = token.lower()
        known = self.fields.aggregates and "metric" in self.fields.entities
        if name not in AGGREGATES or not known:
            allowed = f"Allowed are {', '.join(AGGREGATES)}." if known else ""
            raise self.error(
                f"There is no function {shown(str(token))} of {self.fields.plural}. {allowed}".strip(), token
            )
        return name

    def named(self, children: Sequence[Any], *, ordering: bool) -> Field:
        head = _first(children[0])
        if len(children) == 2:
            prefix, key = str(head), _unquoted(_first(children[1]))
            if "." in prefix:
                raise self.error("Quote the whole key, as in params.`a.b c`.", head)
        elif head.type == "WORD" and "." in head:
            prefix, _, key = head.partition(".")
        else:
            prefix, key = "attribute", str(head) if head.type == "WORD" else _unquoted(head)
        entity = self.fields.prefixes.get(prefix)
        if entity is None:
            raise self.error(self.unknown_prefix(prefix), head)
        if entity == "attribute":
            return Field(entity, self.attribute(key, head, ordering=ordering))
        if key not in self.fields.keys.get(entity, (key,)):
            allowed = ", ".join(f"{plural(entity)}.{name}" for name in self.fields.keys[entity])
            raise self.error(f"{shown(key)} is nothing that {plural(entity)} have. Allowed are {allowed}.", head)
        return Field(entity, key)

    def attribute(self, key: str, token: Token, *, ordering: bool) -> str:
        name = self.fields.aliases.get(key, key)
        if name in self.fields.attributes:
            return name
        close = difflib.get_close_matches(key, self.fields.attributes, 1)
        guess = f" Did you mean {close[0]}?" if close else ""
        allowed = self.orderable() if ordering else f"Attributes are {', '.join(self.fields.attributes)}{self.keyed()}."
        raise self.error(f"{shown(key)} is no attribute of {self.fields.plural}.{guess} {allowed}", token)

    def keyed(self) -> str:
        keyed = [f"{plural(entity)}.KEY" for entity in self.fields.entities if entity not in self.fields.keys]
        return f"; with a prefix there are {', '.join(keyed)}" if keyed else ""

    def orderable(self) -> str:
        entities = [name for name in self.fields.entities if name not in self.fields.unsortable]
        allowed = [*self.fields.attributes, *(f"{plural(entity)}.KEY" for entity in entities)]
        return f"An order can use {', '.join(allowed)}."

    def unknown_prefix(self, prefix: str) -> str:
        close = difflib.get_close_matches(prefix, self.fields.prefixes, 1)
        guess = f" Did you mean {close[0]}?" if close else ""
        return f"{shown(prefix)} is no prefix.{guess} Prefixes are {', '.join(self.fields.prefixes)}."

    def literal(self, value: Any, field: Field, kind: Kind, operator: str) -> Literal:
        token = _first(value)
        try:
            text = _literal_text(value, token)
            return literals.read(token.type, text, kind, operator, bare_text=self.fields.bare_text)
        except literals.BadLiteral as e:
            raise self.error(f"{self.name(field)}: {e.problem}", token, e.offset) from None


_OPERATORS = {
    "among": "IN",
    "not_among": "NOT IN",
    "between": "BETWEEN",
    "missing": "IS NULL",
    "present": "IS NOT NULL",
}


def _first(item: Any) -> Token:
    while hasattr(item, "children"):
        item = item.children[0]
    return item  # type: ignore[no-any-return]  # a tree ends in tokens


def _unquoted(token: Token) -> str:
    return str(token)[1:-1]


def _literal_text(value: Any, token: Token) -> str:
    if token.type == "NOW":  # what follows now(): signs and durations
        return "".join(child for child in value.children[1:] if child != "(")
    return str(token)
