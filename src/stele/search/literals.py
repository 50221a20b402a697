"""The right side of a comparison: token to value, for each kind of field.

Numbers are doubles; one that overflows counts as infinity, which the store keeps as the largest double. Times and
durations are milliseconds, the times since 1970 in UTC.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from stele.errors import shown
from stele.limits import INT64_MAX, INT64_MIN
from stele.search import regex
from stele.search.fields import Kind
from stele.search.tree import Literal, Moment

__all__ = ["BadLiteral", "read"]

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])", re.IGNORECASE)
_SIGNED = re.compile(r"([+-])((?:[0-9.]+(?:ms|[smhdw]))+)", re.IGNORECASE)
_OF_TEXT = ("LIKE", "ILIKE", "RLIKE")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS = 40
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_SPAN = "A duration is a number with a unit: 500ms, 90s, 5m, 2h, 1d, 1w, or several: 1h30m."
_TIME = "A time is whole milliseconds since 1970, an ISO date or time in quotes such as '2026-01-31', or now() - 7d."


class BadLiteral(Exception):
    """A literal does not fit its field.

    Args:
        problem: What is wrong and what is allowed.
        offset: Characters from the start of the literal to the fault.
    """

    def __init__(self, problem: str, offset: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset


def read(terminal: str, text: str, kind: Kind, operator: str, *, bare_text: bool = False) -> Literal:
    """The value of a literal.

    Args:
        terminal: ``SINGLE_QUOTED``, ``DOUBLE_QUOTED``, ``NUMBER``, ``DURATION``, ``NOW``, ``WORD`` or ``BACKTICKED``.
        text: The token; for ``NOW`` the signed durations after it, such as ``-7d+1h``.
        kind: What the field holds.
        operator: The operator, as in the tree.
        bare_text: Whether text needs no quotes.

    Raises:
        BadLiteral: It does not fit.
    """
    if bare_text and _is_bare_text(kind, terminal, operator):
        terminal, text = "SINGLE_QUOTED", f"'{text}'"
    if terminal in ("WORD", "BACKTICKED"):
        raise BadLiteral(f"{shown(text)} is neither a number nor text in quotes. Write text as 'text'.")
    quoted = terminal in ("SINGLE_QUOTED", "DOUBLE_QUOTED")
    match kind:
        case Kind.TEXT:
            return _text(text, operator, quoted=quoted)
        case Kind.PARAM:
            return _param(terminal, text, operator, quoted=quoted)
        case Kind.NUMBER:
            return _number(terminal, text)
        case Kind.ID:
            return text[1:-1] if quoted else str(_whole(terminal, text, "An id is a whole number, in quotes or not."))
        case Kind.WHOLE:
            number = text[1:-1] if quoted else text
            allowed = "It is a whole number, in quotes or not."
            return _whole("NUMBER" if _WHOLE.fullmatch(number) else terminal, number, allowed)
        case Kind.DURATION:
            return _duration(terminal, text)
        case Kind.TIME:
            return _iso(text[1:-1]) if quoted else _time(terminal, text)


def _is_bare_text(kind: Kind, terminal: str, operator: str) -> bool:
    if kind is Kind.PARAM and terminal == "NUMBER":
        return operator in _OF_TEXT
    return kind in (Kind.TEXT, Kind.PARAM) and terminal in ("WORD", "NUMBER")


def _text(text: str, operator: str, *, quoted: bool) -> str:
    if not quoted:
        raise BadLiteral(f"{shown(text)} is not in quotes. Write text as '{text[:40]}'.")
    value = text[1:-1]
    if operator == "RLIKE":
        try:
            regex.parse(value)
        except regex.BadPattern as e:
            raise BadLiteral(f"the pattern cannot be used: {e.problem}", 1 + e.position) from None
    return value


def _param(terminal: str, text: str, operator: str, *, quoted: bool) -> Literal:
    if operator in _OF_TEXT:
        return _text(text, operator, quoted=quoted)
    if quoted and operator in ("<", "<=", ">", ">=", "BETWEEN"):
        raise BadLiteral(
            f"text has no order. To compare as numbers, leave the quotes out: {operator} {text[1:-1][:40]}"
        )
    return text[1:-1] if quoted else _number(terminal, text)


def _number(terminal: str, text: str) -> float:
    if terminal != "NUMBER":
        raise BadLiteral(f"{shown(text)} is not a number. Write numbers without quotes and units, as in 0.5 or 1e-3.")
    return min(max(float(text), -sys.float_info.max), sys.float_info.max)


def _whole(terminal: str, text: str, allowed: str) -> int:
    if terminal != "NUMBER" or len(text) > _MOST_DIGITS:
        raise BadLiteral(f"{shown(text)} does not fit. {allowed}")
    number = Decimal(text)
    if not INT64_MIN <= number <= INT64_MAX or number != int(number):
        raise BadLiteral(f"{shown(text)} is not a whole number of 64 bits. {allowed}")
    return int(number)


def _time(terminal: str, text: str) -> int | Moment:
    if terminal == "NOW":
        return Moment(sum(_span(span) * (-1 if sign == "-" else 1) for sign, span in _SIGNED.findall(text)))
    return _whole(terminal, text, _TIME)


def _duration(terminal: str, text: str) -> int:
    if terminal == "DURATION":
        return _span(text)
    return _whole(terminal, text, _SPAN + " Without a unit it counts milliseconds.")


def _span(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise BadLiteral(f"{shown(text)} is too long. {_SPAN}")
    total = int(sum(Decimal(number) * _UNITS[unit.lower()] for number, unit in _PART.findall(text)))
    if total > INT64_MAX // 1_000:
        raise BadLiteral(f"{shown(text)} is too long a time. {_SPAN}")
    return total


def _iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadLiteral(f"{shown(text)} is not a time. {_TIME}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
