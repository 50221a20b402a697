"""What is remembered is bounded, by weight and by age."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from stele.stores.sql import bounded_cache
from stele.stores.sql.bounded_cache import BoundedCache


def test_what_was_not_asked_for_the_longest_is_dropped() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(3_000, len)
    for name in ("a", "b", "c"):
        cache.keep(name, bytes(1_000))
    assert cache.get("a") is not None
    cache.keep("d", bytes(1_000))
    assert cache.get("b") is None
    assert all(cache.get(name) is not None for name in ("a", "c", "d"))
    cache.keep("e", bytes(3_001))
    assert all(cache.get(name) is None for name in ("a", "c", "d", "e"))


def test_what_is_kept_again_counts_once() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(3_000, len)
    for size in (1_000, 2_900, 100):
        cache.keep("a", bytes(size))
    cache.keep("b", bytes(2_900))
    assert len(cache.get("a") or b"") == 100
    assert len(cache.get("b") or b"") == 2_900


def test_each_value_counts_one_where_nothing_weighs_it() -> None:
    cache: BoundedCache[int, str] = BoundedCache(2)
    for number in range(3):
        cache.keep(number, "kept")
    assert [cache.get(number) for number in range(3)] == [None, "kept", "kept"]


def test_what_is_too_old_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(bounded_cache.time, "monotonic", lambda: now)
    cache: BoundedCache[str, str] = BoundedCache(10, seconds=20)
    cache.keep("a", "kept")
    now = 119.0
    assert cache.get("a") == "kept"  # which does not make it younger
    now = 121.0
    assert cache.get("a") is None


def test_what_is_cleared_makes_room() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(1_000, len)
    cache.keep("a", bytes(1_000))
    cache.clear()
    cache.keep("b", bytes(1_000))
    assert (cache.get("a"), cache.get("b")) == (None, bytes(1_000))


def test_threads_keep_and_get_at_once() -> None:
    cache: BoundedCache[int, bytes] = BoundedCache(50_000, len)

    def work(thread: int) -> None:
        for number in range(2_000):
            cache.keep(number % 97, bytes(number % 1_000))
            cache.get((number * thread) % 97)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    held = sum(len(value) for number in range(97) if (value := cache.get(number)) is not None)
    assert 0 < held <= 50_000
