"""Rewinding and forking on SQLite, PostgreSQL and MariaDB, and over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from stele.stores.base import TrackingStore
from stele.stores.sql import SqlStore
from stele.stores.sql.compaction import compact_once
from stele.stores.sql.tables import runs
from stele.testing.rewinds import RewindContract


def compact_all(store: SqlStore) -> None:
    store.apply_all()
    for run in store.db.read(lambda c: c.scalars(select(runs.c.run)).all()):
        compact_once(store.db, run)


class TestSqlStore(RewindContract):
    @pytest.fixture
    def store(self, sql_store: SqlStore) -> SqlStore:
        return sql_store

    @pytest.fixture
    def compact(self, store: SqlStore) -> Callable[[], None]:
        return lambda: compact_all(store)


class TestRestStore(RewindContract):
    @pytest.fixture
    def store(self, served: tuple[SqlStore, TrackingStore]) -> TrackingStore:
        return served[1]

    @pytest.fixture
    def compact(self, served: tuple[SqlStore, TrackingStore]) -> Callable[[], None]:
        return lambda: compact_all(served[0])
