"""The ``store`` of a contract: each kind of store once, for every contract that is about all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from journal_tools import new_run, no_files
from stele.stores.base import TrackingStore
from stele.stores.buffered import BufferedStore
from stele.stores.sql import SqlStore


class OnSql:
    """On SQLite, PostgreSQL and MariaDB."""

    @pytest.fixture
    def store(self, sql_store: SqlStore) -> SqlStore:
        return sql_store


class OnJournal:
    """Behind a journal on each of them."""

    @pytest.fixture
    def store(self, sql_store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrackingStore]:
        monkeypatch.setenv("STELE_JOURNAL_DIR", str(tmp_path / "journal"))
        buffered = BufferedStore(str(sql_store.db.name), sql_store, lambda: sql_store, no_files)
        buffered.appender(new_run(sql_store), "x")(1.0)  # it has a journal and a sender
        yield cast("TrackingStore", buffered)
        buffered.finish()


class OnHttp:
    """Over HTTP, in this process."""

    @pytest.fixture
    def store(self, rest_store: TrackingStore) -> TrackingStore:
        return rest_store
