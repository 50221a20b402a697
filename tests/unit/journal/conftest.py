"""Each test has a working directory, a place for journals and a store of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stele.stores.sql import SqlStore
from workplace import workplace

__all__ = ["workplace"]


@pytest.fixture
def uri(workplace: Path) -> str:
    """The address of an empty store."""
    return f"sqlite:///{workplace}/store.db"


@pytest.fixture
def store(uri: str, workplace: Path) -> Iterator[SqlStore]:
    """The store there."""
    with SqlStore(uri, str(workplace / "files")) as opened:
        yield opened
