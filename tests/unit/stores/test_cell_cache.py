"""What is kept of cells is bounded, and what is asked for stays."""

from __future__ import annotations

import numpy as np

from stele.stores.sql import cell_cache
from stele.stores.sql.cell_cache import CellCache


def test_what_was_not_asked_for_the_longest_goes(monkeypatch):
    monkeypatch.setattr(cell_cache, "MOST_BYTES", 3_000)
    cache: CellCache[np.ndarray] = CellCache()
    arrays = {name: np.zeros(1_000, np.uint8) for name in "abcd"}
    for name in "abc":
        cache.keep(name, arrays[name])
    assert cache.get("a") is arrays["a"]
    cache.keep("d", arrays["d"])
    assert [cache.get(name) is not None for name in "abcd"] == [True, False, True, True]
    cache.keep("d", np.zeros(1_000, np.uint8))  # again, in the place of the other
    assert [cache.get(name) is not None for name in "acd"] == [True, True, True]


def test_what_is_larger_than_all_is_not_kept(monkeypatch):
    monkeypatch.setattr(cell_cache, "MOST_BYTES", 3_000)
    cache: CellCache[np.ndarray] = CellCache()
    cache.keep("a", np.zeros(5_000, np.uint8))
    assert cache.get("a") is None
    cache.keep("b", np.zeros(3_000, np.uint8))
    assert cache.get("b") is not None
