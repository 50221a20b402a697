"""A store behind a server in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from asgi_caller import config
from stele.server.app import create_app
from stele.stores.base import TrackingStore
from stele.stores.rest import RestStore
from stele.stores.sql import SqlStore
from stele.transport.asgi import AsgiTransport


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqlStore, TrackingStore]]:
    """The store of a server, and the one that asks it."""
    app = create_app(config(tmp_path_factory.mktemp("rest")))
    store = cast("TrackingStore", RestStore(AsgiTransport(app)))
    yield app.store, store
    store.close()
    app.store.close()


@pytest.fixture(scope="module")
def rest_store(served: tuple[SqlStore, TrackingStore]) -> TrackingStore:
    """The store that asks a server."""
    return served[1]
