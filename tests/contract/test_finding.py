"""The contract of finding by name on SQLite, PostgreSQL and MariaDB, behind a journal, and over HTTP."""

from __future__ import annotations

from store_kinds import OnHttp, OnJournal, OnSql

from stele.testing.finding import FindContract


class TestSqlStore(OnSql, FindContract):
    pass


class TestBufferedStore(OnJournal, FindContract):
    pass


class TestRestStore(OnHttp, FindContract):
    pass
