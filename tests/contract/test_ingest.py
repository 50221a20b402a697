"""Batches in columns on SQLite, PostgreSQL and MariaDB, and over HTTP; each through two stores of one database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from asgi_caller import config
from stele.server.app import create_app
from stele.stores.base import TrackingStore
from stele.stores.rest import RestStore
from stele.stores.sql import SqlStore
from stele.testing.ingest import IngestContract
from stele.transport.asgi import AsgiTransport


class TestSqlStore(IngestContract):
    @pytest.fixture
    def store(self, sql_store: SqlStore) -> SqlStore:
        return sql_store

    @pytest.fixture
    def twin(self, sql_store: SqlStore, database_uri: str) -> Iterator[SqlStore]:
        with SqlStore(database_uri) as twin:
            yield twin


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[TrackingStore]]:
    folder = tmp_path_factory.mktemp("rest")
    apps = [create_app(config(folder)) for _ in range(2)]
    stores = [cast("TrackingStore", RestStore(AsgiTransport(app))) for app in apps]
    yield stores
    for store in stores:
        store.close()
    for app in apps:
        app.store.close()


class TestTwoServers(IngestContract):
    @pytest.fixture
    def store(self, servers: list[TrackingStore]) -> TrackingStore:
        return servers[0]

    @pytest.fixture
    def twin(self, servers: list[TrackingStore]) -> TrackingStore:
        return servers[1]
