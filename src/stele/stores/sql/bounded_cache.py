"""What a store remembers of its database, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["BoundedCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Keeps what was asked for last. Any thread may use it.

    Args:
        most: How much may be kept, in what ``weigh`` measures.
        weigh: How much a value counts, always the same for one value; by default each counts 1.
        seconds: How long a value is kept; None for as long as there is room.
    """

    def __init__(self, most: int, weigh: Callable[[V], int] = lambda _: 1, *, seconds: float | None = None) -> None:
        self._most = most
        self._weigh = weigh
        self._seconds = seconds
        self._kept: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """What is kept under a key; None when nothing is."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            value, since = found
            if self._seconds is not None and time.monotonic() - since > self._seconds:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return value

    def keep(self, key: K, value: V) -> None:
        """Keep a value, and drop those that were not asked for the longest where there is no room for all."""
        with self._lock:
            if key in self._kept:
                self._drop(key)
            self._kept[key] = value, time.monotonic()
            self._weight += self._weigh(value)
            while self._weight > self._most:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._kept.clear()
            self._weight = 0

    def _drop(self, key: K) -> None:
        value, _ = self._kept.pop(key)
        self._weight -= self._weigh(value)
