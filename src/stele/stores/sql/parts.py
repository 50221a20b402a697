"""Long lists in statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["parts"]

T = TypeVar("T")

BOUND_AT_ONCE = 5_000


def parts(items: Iterable[T], most: int = BOUND_AT_ONCE) -> Iterator[list[T]]:
    """The items in lists of at most ``most``.

    By default one statement may bind a list: PostgreSQL takes 65 535 parameters, SQLite may take 32 766.
    """
    listed = list(items)
    for start in range(0, len(listed), most):
        yield listed[start : start + most]
