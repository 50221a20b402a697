"""The contract of the model registry on SQLite, PostgreSQL and MariaDB, behind a journal, and over HTTP."""

from __future__ import annotations

from store_kinds import OnHttp, OnJournal, OnSql

from stele.testing.model_registry import ModelRegistryContract


class TestSqlStore(OnSql, ModelRegistryContract):
    pass


class TestBufferedStore(OnJournal, ModelRegistryContract):
    pass


class TestRestStore(OnHttp, ModelRegistryContract):
    pass
