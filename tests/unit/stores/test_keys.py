"""Numbers of names as a process remembers them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from stele.stores.sql import keys as module
from stele.stores.sql.keys import Keys
from stele.stores.sql.tables import KIND_METRIC


@pytest.fixture
def fast_switches():
    """Threads take turns after nearly every instruction."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("fast_switches")
def test_names_are_found_while_another_thread_forgets_them(sql_store, monkeypatch):
    """A process that knows too many begins anew."""
    monkeypatch.setattr(module, "_MAX_CACHED", 0)
    keys = Keys()
    names = [(KIND_METRIC, f"metric {number}") for number in range(50)]
    numbers = sql_store.db.write(lambda c: keys.resolve(c, 0, names))
    expected = {number: name for (_, name), number in numbers.items()}

    def forget():
        for _ in range(3_000):
            keys.remember(0, numbers)

    with ThreadPoolExecutor() as threads:
        forgetting = threads.submit(forget)

        def find(connection):
            while not forgetting.done():
                assert keys.names(connection, expected) == expected

        sql_store.db.read(find)
