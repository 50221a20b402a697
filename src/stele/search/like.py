"""LIKE patterns: ``%`` is any run of characters, ``_`` is one, nothing escapes them, as in MLflow.

For ILIKE two characters are the same when one is the other's plain upper or lower case, in any alphabet. Databases
disagree about that, so the letters are spelled out here.
"""

from __future__ import annotations

import re

__all__ = ["literal_prefix", "matches", "successor", "to_glob", "to_regex"]


def literal_prefix(pattern: str) -> str:
    """What every matching text starts with."""
    return re.split("[%_]", pattern, maxsplit=1)[0]


def successor(prefix: str) -> str | None:
    """The least text, by code points, above all that start with the prefix; None when there is none."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1]) + 1
        if code == 0xD800:  # surrogates are no characters
            code = 0xE000
        if code <= 0x10FFFF:
            return prefix[: end - 1] + chr(code)
    return None


def _cases(character: str) -> list[str]:
    return sorted({c for c in (character, character.lower(), character.upper()) if len(c) == 1})


def to_glob(pattern: str, *, ignore_case: bool = False) -> str:
    """The pattern in the words of SQLite's GLOB, which minds the case."""
    return "".join(_glob_part(character, ignore_case=ignore_case) for character in pattern)


def _glob_part(character: str, *, ignore_case: bool) -> str:
    if character in "%_":
        return "*" if character == "%" else "?"
    cases = _cases(character) if ignore_case else [character]
    return f"[{''.join(cases)}]" if len(cases) > 1 or character in "*?[" else character


def to_regex(pattern: str, *, end: str, ignore_case: bool = False) -> str:
    r"""The pattern as a regular expression that the databases and Python understand alike.

    Args:
        pattern: The LIKE pattern.
        end: How the engine writes the end of the text, ``$`` or ``\z``.
        ignore_case: Whether it is an ILIKE pattern.
    """
    return f"(?s)^{''.join(_regex_part(character, ignore_case=ignore_case) for character in pattern)}{end}"


def _regex_part(character: str, *, ignore_case: bool) -> str:
    if character in "%_":
        return ".*" if character == "%" else "."
    cases = _cases(character) if ignore_case else [character]
    if len(cases) > 1:
        return f"[{''.join(cases)}]"
    return (
        f"\\{character}" if character.isascii() and character.isprintable() and not character.isalnum() else character
    )


def matches(text: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Whether a short text fits the pattern."""
    return re.search(to_regex(pattern, end=r"\Z", ignore_case=ignore_case), text) is not None
