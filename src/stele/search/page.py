"""Page tokens: where a page ended, as the sort values of its last row.

A token names a place in the order, not a count of rows, so entities that appear or vanish meanwhile make no other
entity repeat or go missing. It belongs to one query: a fingerprint of the query is inside, and with any other query it
is refused. It also carries the time of the first page, so that ``now()`` stands still while somebody turns the pages.
"""

from __future__ import annotations

import binascii
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeAlias

import msgspec

from stele.errors import InvalidParameterValue, shown
from stele.limits import INT64_MAX, INT64_MIN

__all__ = ["Position", "SortValue", "decode_token", "encode_token", "fingerprint"]

SortValue: TypeAlias = int | float | str | None

_MAX_CHARACTERS = 200_000


class Position(msgspec.Struct, frozen=True):
    """The end of a page.

    Args:
        values: Sort values of the last row, one per sort expression of the query.
        now: Time of the first page, milliseconds since 1970.
    """

    values: tuple[SortValue, ...]
    now: int


class _Token(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    query: str
    now: int
    values: list[int | float | str | None]


_decoder = msgspec.json.Decoder(_Token)


def fingerprint(*parts: object) -> str:
    """A short text that differs for any other query.

    Args:
        parts: What defines the query: strings, integers, and sequences of them.
    """
    return blake2b(msgspec.json.encode(parts), digest_size=9).hexdigest()


def encode_token(position: Position, query: str) -> str:
    """The token of a position; letters, digits, ``-`` and ``_`` only.

    Args:
        position: The end of the page.
        query: The fingerprint of the query.
    """
    text = msgspec.json.encode(_Token(query, position.now, list(position.values)))
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def decode_token(token: str | None, query: str, kinds: Sequence[type]) -> Position | None:
    """The position of a token; None for the first page.

    Args:
        token: The token, None or ``""`` for the first page.
        query: The fingerprint of the query.
        kinds: For each sort expression ``int``, ``float`` or ``str``; a value may also be None.

    Raises:
        InvalidParameterValue: It is no token, or one of another query.
    """
    if not token:
        return None
    found = _decoded(token)
    if found is None:
        raise InvalidParameterValue(f"page_token {shown(token)} is not one that this server gave.")
    if found.query != query:
        raise InvalidParameterValue(
            f"page_token {shown(token)} belongs to another query. Send the same experiments, filter, order and view."
        )
    if len(found.values) != len(kinds) or not all(map(_fits, found.values, kinds)):
        raise InvalidParameterValue(f"page_token {shown(token)} is not one that this server gave.")
    floats = tuple(
        float(value) if kind is float and value is not None else value
        for value, kind in zip(found.values, kinds, strict=True)
    )
    return Position(floats, found.now)


def _decoded(token: str) -> _Token | None:
    if len(token) > _MAX_CHARACTERS or not token.isascii():
        return None
    try:
        # Encoders of URLs may have kept the padding that other servers' tokens carry.
        found = _decoder.decode(urlsafe_b64decode(token.rstrip("=") + "=" * (-len(token.rstrip("=")) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return found if INT64_MIN <= found.now <= INT64_MAX else None


def _fits(value: SortValue, kind: type) -> bool:
    if value is None:
        return True
    if kind is str:
        return isinstance(value, str) and "\0" not in value
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, int) and INT64_MIN <= value <= INT64_MAX
