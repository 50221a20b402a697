"""What several tests of the stores use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stele.stores.sql import SqlStore


@pytest.fixture
def other(sql_store: SqlStore, database_uri: str) -> Iterator[SqlStore]:
    """A store of another process on the same database."""
    with SqlStore(database_uri, sql_store.artifact_root) as store:
        yield store
