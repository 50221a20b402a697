"""The table of runs on SQLite, PostgreSQL and MariaDB, and over HTTP."""

from __future__ import annotations

import pytest

from stele.stores.base import TrackingStore
from stele.stores.sql import SqlStore
from stele.testing.run_table import RunTableContract


class TestSqlStore(RunTableContract):
    @pytest.fixture
    def store(self, sql_store: SqlStore) -> SqlStore:
        return sql_store


class TestRestStore(RunTableContract):
    @pytest.fixture
    def store(self, rest_store: TrackingStore) -> TrackingStore:
        return rest_store
