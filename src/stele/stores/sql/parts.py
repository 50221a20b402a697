"""Long lists in statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["parts"]

T = TypeVar("T")

BOUND_AT_ONCE = 5_000


def parts(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists that one statement may bind: PostgreSQL takes 65 535 parameters, SQLite may take 32 766."""
    listed = list(items)
    for start in range(0, len(listed), BOUND_AT_ONCE):
        yield listed[start : start + BOUND_AT_ONCE]
