"""The contract of saved views on SQLite, PostgreSQL and MariaDB, behind a journal, and over HTTP."""

from __future__ import annotations

from store_kinds import OnHttp, OnJournal, OnSql

from stele.testing.views import ViewContract


class TestSqlStore(OnSql, ViewContract):
    pass


class TestBufferedStore(OnJournal, ViewContract):
    pass


class TestRestStore(OnHttp, ViewContract):
    pass
