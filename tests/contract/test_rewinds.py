"""Rewinding and forking on SQLite, PostgreSQL and MariaDB, and over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from sqlalchemy import select

from asgi_caller import config
from stele.server.app import create_app
from stele.stores.base import TrackingStore
from stele.stores.rest import RestStore
from stele.stores.sql import SqlStore
from stele.stores.sql.compaction import compact_once
from stele.stores.sql.tables import runs
from stele.testing.rewinds import RewindContract
from stele.transport.asgi import AsgiTransport


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


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqlStore, TrackingStore]]:
    app = create_app(config(tmp_path_factory.mktemp("rest")))
    store = cast("TrackingStore", RestStore(AsgiTransport(app)))
    yield app.store, store
    store.close()
    app.store.close()


class TestRestStore(RewindContract):
    @pytest.fixture
    def store(self, served: tuple[SqlStore, TrackingStore]) -> TrackingStore:
        return served[1]

    @pytest.fixture
    def compact(self, served: tuple[SqlStore, TrackingStore]) -> Callable[[], None]:
        return lambda: compact_all(served[0])
