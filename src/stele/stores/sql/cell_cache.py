"""Cells of sealed segments that were read before. A sealed segment never changes, so neither do they."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

__all__ = ["CellCache"]

MOST_BYTES = 64 * 1024 * 1024


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=_Sized)


class CellCache(Generic[T]):
    """What was read last, up to 64 MB. Any thread may use it.

    A page that follows a training run asks for the same charts again and again, and most of their cells are the same.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        """What was kept under a key."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, key: Hashable, value: T) -> None:
        """Keep something, and drop what was not asked for the longest."""
        with self._lock:
            before = self._kept.pop(key, None)
            self._bytes += value.nbytes - (0 if before is None else before.nbytes)
            self._kept[key] = value
            while self._bytes > MOST_BYTES:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= dropped.nbytes
