r"""Regular expressions that mean the same on every database.

The subset has no look-around and no back-reference. SQLite, which has no REGEXP of its own, gets the tree as an
automaton (``automaton.py``); the others get the pattern rewritten with explicit classes, because ``\d``, ``\w``, ``.``
and ``$`` differ between their engines.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import msgspec

__all__ = [
    "Anchor",
    "BadPattern",
    "Characters",
    "Choice",
    "Part",
    "Ranges",
    "Repeat",
    "Sequence",
    "parse",
    "to_portable",
]

_MAX_CHARACTERS = 500
_MAX_REPEAT = 100
_MAX_PARTS = 500
_MAX_DEPTH = 20
_LAST = 0x10FFFF

_ALLOWED = (
    "Allowed are text, . [a-z] [^a-z] \\d \\w \\s (ASCII), ^ $, groups ( ) (?: ), | and the repeats * + ? {m,n} up to "
    f"{_MAX_REPEAT}; a \\ before any other sign takes it literally."
)

Ranges: TypeAlias = tuple[tuple[int, int], ...]


class BadPattern(ValueError):
    """A pattern is outside the subset.

    Args:
        problem: What is wrong and what is allowed.
        position: Index of the character at fault.
    """

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


class Characters(msgspec.Struct, frozen=True):
    """One character out of sorted, disjoint ranges of code points."""

    ranges: Ranges


class Anchor(msgspec.Struct, frozen=True):
    """The start or the end of the text."""

    end: bool


class Sequence(msgspec.Struct, frozen=True):
    """One after the other."""

    items: tuple[Part, ...]


class Choice(msgspec.Struct, frozen=True):
    """Any of them."""

    items: tuple[Part, ...]


class Repeat(msgspec.Struct, frozen=True):
    """``least`` to ``most`` times, ``most`` None for any number."""

    item: Part
    least: int
    most: int | None


Part: TypeAlias = Characters | Anchor | Sequence | Choice | Repeat


def _complement(ranges: Ranges) -> Ranges:
    result, start = [], 0
    for low, high in ranges:
        if start < low:
            result.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        result.append((start, _LAST))
    return tuple(result)


def _union(ranges: list[tuple[int, int]]) -> Ranges:
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


_CLASSES: dict[str, Ranges] = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 13), (32, 32)),
}
_CLASSES |= {name.upper(): _complement(ranges) for name, ranges in _CLASSES.items()}
_CONTROLS = {"t": 9, "n": 10, "r": 13, "f": 12, "v": 11}
_ANY: Ranges = ((0, _LAST),)


@lru_cache(maxsize=256)
def parse(pattern: str) -> Part:
    """The tree of a pattern.

    Raises:
        BadPattern: It is outside the subset or too large.
    """
    if len(pattern) > _MAX_CHARACTERS:
        raise BadPattern(f"It has {len(pattern)} characters, at most {_MAX_CHARACTERS} are allowed.", _MAX_CHARACTERS)
    parser = _Parser(pattern)
    part = parser.choice(0)
    if parser.position < len(pattern):
        raise parser.error("This ) closes nothing.")
    if _size(part) > _MAX_PARTS:
        raise BadPattern(f"Its repeats multiply to more than {_MAX_PARTS} parts.", 0)
    return part


def _size(part: Part) -> int:
    match part:
        case Sequence(items) | Choice(items):
            return 1 + sum(map(_size, items))
        case Repeat(item, least, most):
            return 1 + _size(item) * max(least + 1, most or 0)
        case _:
            return 1


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0

    def error(self, problem: str, position: int | None = None) -> BadPattern:
        return BadPattern(f"{problem} {_ALLOWED}", self.position if position is None else position)

    def peek(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def take(self) -> str:
        character = self.peek()
        if not character:
            raise self.error("It ends too early.", max(0, len(self.pattern) - 1))
        self.position += 1
        return character

    def choice(self, depth: int) -> Part:
        if depth > _MAX_DEPTH:
            raise self.error(f"Its groups are nested deeper than {_MAX_DEPTH}.")
        items = [self.sequence(depth)]
        while self.peek() == "|":
            self.position += 1
            items.append(self.sequence(depth))
        return items[0] if len(items) == 1 else Choice(tuple(items))

    def sequence(self, depth: int) -> Part:
        items: list[Part] = []
        while self.peek() not in ("", "|", ")"):
            items.append(self.repeated(self.atom(depth)))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def atom(self, depth: int) -> Part:
        start = self.position
        character = self.take()
        if character == "(":
            return self.group(start, depth)
        if character in "*+?{":
            raise self.error("There is nothing to repeat.", start)
        if character == ".":
            return Characters(_ANY)
        if character in "^$":
            return Anchor(character == "$")
        if character == "[":
            return Characters(self.bracket(start))
        ranges = self.escape() if character == "\\" else _one(ord(character))
        return Characters(ranges)

    def group(self, start: int, depth: int) -> Part:
        if self.peek() == "?":
            self.position += 1
            if self.take() != ":":
                raise self.error("Only plain groups can be used.", start)
        part = self.choice(depth + 1)
        if self.peek() != ")":
            raise self.error("This ( is not closed.", start)
        self.position += 1
        return part

    def repeated(self, part: Part) -> Part:
        start = self.position
        bounds = self.bounds()
        if bounds is None:
            return part
        if isinstance(part, Anchor):
            raise self.error("An anchor cannot be repeated.", start)
        if self.peek() == "?":  # lazy: the same texts match
            self.position += 1
        if self.peek() in tuple("*+?{"):
            raise self.error("A repeat cannot be repeated; put it into a group.")
        return Repeat(part, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        character, start = self.peek(), self.position
        if character in ("*", "+", "?") and character:
            self.position += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
        if character != "{":
            return None
        end = self.pattern.find("}", start)
        least, comma, most = self.pattern[start + 1 : max(end, 0)].partition(",")
        if end < 0 or not _digits(least) or (most and not _digits(most)):
            raise self.error("This { is no repeat such as {2}, {2,} or {2,5}.", start)
        self.position = end + 1
        low = int(least)
        high = int(most) if most else None if comma else low
        if max(low, high or 0) > _MAX_REPEAT or (high is not None and high < low):
            raise self.error("These repeats are out of range.", start)
        return low, high

    def escape(self) -> Ranges:
        start = self.position - 1
        character = self.take()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _CONTROLS:
            return _one(_CONTROLS[character])
        if character.isalnum():
            raise self.error(f"\\{character} cannot be used.", start)
        return _one(ord(character))

    def bracket(self, start: int) -> Ranges:
        negated = self.peek() == "^"
        self.position += negated
        ranges: list[tuple[int, int]] = []
        while self.peek() != "]":
            if not self.peek():
                raise self.error("This [ is not closed.", start)
            low = self.member()
            if self.peek() == "-" and self.pattern[self.position + 1 : self.position + 2] not in ("]", ""):
                self.position += 1
                high = self.member()
                if len(low) > 1 or len(high) > 1 or low[0][0] > high[0][0] or low[0][0] != low[0][1]:
                    raise self.error("This range runs backwards or is none.", start)
                ranges.append((low[0][0], high[0][1]))
            else:
                ranges.extend(low)
        self.position += 1
        if not ranges:
            raise self.error("This class is empty.", start)
        result = _union(ranges)
        result = _complement(result) if negated else result
        if not result:
            raise self.error("This class holds no character.", start)
        return result

    def member(self) -> Ranges:
        character = self.take()
        if character == "[":
            raise self.error("Write [ inside a class as \\[.", self.position - 1)
        return self.escape() if character == "\\" else _one(ord(character))


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _one(code: int) -> Ranges:
    return ((code, code),)


def to_portable(pattern: str, *, end: str) -> str:
    r"""The pattern in the words that the engines of PostgreSQL, MariaDB, MySQL and Python share.

    Args:
        pattern: A pattern of the subset.
        end: How the engine writes the end of the text, ``$`` or ``\z``.
    """
    # (?s): a dot takes line breaks too.
    return f"(?s){_portable(parse(pattern), end)}"


def _portable(part: Part, end: str) -> str:
    match part:
        case Characters(ranges):
            return _class(ranges)
        case Anchor(at_end):
            return end if at_end else "^"
        case Sequence(items):
            return "".join(_portable(item, end) for item in items) or "(?:)"
        case Choice(items):
            return f"(?:{'|'.join(_portable(item, end) for item in items)})"
        case Repeat(item, least, most):
            inner = _portable(item, end)
            bounds = f"{{{least},{'' if most is None else most}}}"
            return f"(?:{inner}){bounds}"


def _class(ranges: Ranges) -> str:
    if ranges == _ANY:
        return "."
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _sign(ranges[0][0])
    if ranges[0][0] == 0:  # a negated class reads shorter, and NUL cannot be sent
        return f"[^{_members(_complement(ranges))}]"
    return f"[{_members(ranges)}]"


def _members(ranges: Ranges) -> str:
    return "".join(_sign(low) if low == high else f"{_sign(low)}-{_sign(high)}" for low, high in ranges)


def _sign(code: int) -> str:
    character = chr(code)
    return (
        f"\\{character}" if character.isascii() and character.isprintable() and not character.isalnum() else character
    )
