"""Page tokens that name a place among points: numbers and texts, as JSON in base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TypeVar

from stele.errors import InvalidParameterValue, shown

__all__ = ["place_token", "read_place"]

T = TypeVar("T")


def place_token(*parts: int | str | None) -> str:
    """The token of a place."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def read_place(token: str, read: Callable[..., T]) -> T:
    """What ``read`` makes of the parts of a token.

    Raises:
        InvalidParameterValue: It is no token, or ``read`` does not understand its parts.
    """
    try:
        return read(*json.loads(base64.urlsafe_b64decode(token.encode())))
    except (ValueError, TypeError, OverflowError, RecursionError) as e:
        raise InvalidParameterValue(f"page_token {shown(token)} is not one that this server gave.") from e
