"""The tracking contract on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import pytest

from stele.stores.sql import SqlStore
from stele.testing.tracking_store import TrackingStoreContract


class TestSqlStore(TrackingStoreContract):
    @pytest.fixture
    def store(self, sql_store: SqlStore) -> SqlStore:
        return sql_store
