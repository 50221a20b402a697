"""The contract of logged models on SQLite, PostgreSQL and MariaDB, behind a journal, and over HTTP."""

from __future__ import annotations

from store_kinds import OnHttp, OnJournal, OnSql

from stele.testing.logged_models import LoggedModelContract


class TestSqlStore(OnSql, LoggedModelContract):
    pass


class TestBufferedStore(OnJournal, LoggedModelContract):
    pass


class TestRestStore(OnHttp, LoggedModelContract):
    pass
