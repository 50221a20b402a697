"""The list of experiments on SQLite, PostgreSQL and MariaDB, and over HTTP."""

from __future__ import annotations

import pytest

from stele.stores.base import TrackingStore
from stele.stores.sql import SqlStore
from stele.testing.experiment_overview import ExperimentOverviewContract


class TestSqlStore(ExperimentOverviewContract):
    @pytest.fixture
    def store(self, sql_store: SqlStore) -> SqlStore:
        return sql_store


class TestRestStore(ExperimentOverviewContract):
    @pytest.fixture
    def store(self, rest_store: TrackingStore) -> TrackingStore:
        return rest_store
