"""A store behind a server in this process, and a database without a store for searches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Engine, create_engine, event

from asgi_caller import config
from services import fresh_database
from sql_statements import statements_sent
from stele.server.app import create_app
from stele.stores.base import TrackingStore
from stele.stores.rest import RestStore
from stele.stores.sql import SqlStore, tables
from stele.stores.sql.engines import open_database
from stele.stores.sql.search import register_functions
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


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The tables on each of the three kinds of database, empty."""
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('search')}/search.db")
        event.listen(engine, "connect", lambda connection, _record: register_functions(connection))
        yield from _with_tables(engine)
        return
    with fresh_database(request.param) as uri:
        yield from _with_tables(open_database(uri).engine)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection whose changes nobody sees and nobody keeps."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """What is sent to the database from now on."""
    with statements_sent(engine) as sent:
        yield sent


def _with_tables(engine: Engine) -> Iterator[Engine]:
    tables.metadata.create_all(engine)
    yield engine
    engine.dispose()
