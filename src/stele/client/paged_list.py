"""A page of results that knows where the next one starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["PagedList", "all_pages"]

T = TypeVar("T")


class PagedList(list[T]):
    """A list with ``token``: what asks for the next page, None after the last one."""

    def __init__(self, items: Iterable[T], token: str | None) -> None:
        super().__init__(items)
        self.token = token or None

    def to_list(self) -> list[T]:
        """The items as a plain list."""
        return list(self)


def all_pages(page: Callable[[int, str | None], PagedList[T]], max_results: int | None, page_size: int) -> list[T]:
    """The items of all pages, at most ``max_results`` of them.

    Args:
        page: Gets one page; called with its size and the token of the page before.
        max_results: How many items to return at most; None means all.
        page_size: How many items one page has at most.
    """
    items: list[T] = []
    token: str | None = None
    while max_results is None or len(items) < max_results:
        size = page_size if max_results is None else min(page_size, max_results - len(items))
        found = page(size, token)
        items += found
        token = found.token
        if token is None:
            break
    return items
