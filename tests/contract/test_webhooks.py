"""The contract of webhooks on SQLite, PostgreSQL and MariaDB, behind a journal, and over HTTP."""

from __future__ import annotations

from store_kinds import OnHttp, OnJournal, OnSql

from stele.testing.webhooks import WebhookContract


class TestSqlStore(OnSql, WebhookContract):
    pass


class TestBufferedStore(OnJournal, WebhookContract):
    pass


class TestRestStore(OnHttp, WebhookContract):
    pass
