"""Reading series on SQLite, PostgreSQL and MariaDB, and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from asgi_caller import config
from stele.server.app import create_app
from stele.stores.base import TrackingStore
from stele.stores.rest import RestStore
from stele.stores.sql import SqlStore
from stele.testing.series import SeriesContract
from stele.transport.asgi import AsgiTransport


class TestSqlStore(SeriesContract):
    @pytest.fixture
    def store(self, sql_store: SqlStore) -> SqlStore:
        return sql_store


@pytest.fixture(scope="module")
def rest_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingStore]:
    app = create_app(config(tmp_path_factory.mktemp("rest")))
    store = cast("TrackingStore", RestStore(AsgiTransport(app)))
    yield store
    store.close()
    app.store.close()


class TestRestStore(SeriesContract):
    @pytest.fixture
    def store(self, rest_store: TrackingStore) -> TrackingStore:
        return rest_store
