"""Searches of the registry in SQL against the oracle, on every database."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_rows import order_text
from sqlalchemy import Connection, Engine, insert

from stele.schema import registered_models as rm
from stele.search.tree import Node, OrderKey, to_text
from stele.stores.sql import model_tables as t
from stele.stores.sql.registry_search import find_model_versions, find_registered_models
from stele.testing.registry_oracle import (
    STAGES,
    RegisteredRecord,
    VersionRecord,
    search_registered_models,
    search_versions,
)
from stele.testing.search_strategies import (
    NOW,
    registered_filters,
    registered_orders,
    registry_records,
    version_filters,
    version_orders,
)

EXAMPLES = int(os.environ.get("STELE_TEST_EXAMPLES", "60"))
PROPERTY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

Search = tuple[Node | None, list[OrderKey]]


def load(connection: Connection, models: list[RegisteredRecord], versions: list[VersionRecord]) -> None:
    """Replace everything by these models and versions."""
    for table in (
        t.model_version_tags,
        t.model_versions,
        t.registered_model_aliases,
        t.registered_model_tags,
        t.registered_models,
    ):
        connection.execute(table.delete())
    numbers = {model.name: number for number, model in enumerate(models, start=1)}
    for model in models:
        own: dict[str, Any] = {"registered": numbers[model.name]}
        row = own | {"name": model.name, "last_version": 4}
        connection.execute(insert(t.registered_models), row | times(model))
        for key, value in model.tags.items():
            connection.execute(insert(t.registered_model_tags), own | {"key": key, "value": value})
        for alias, number in model.aliases.items():
            connection.execute(insert(t.registered_model_aliases), own | {"alias": alias, "version": number})
    for version in versions:
        own = {"registered": numbers[version.name], "version": version.version_number}
        row = own | {
            "model_stage": STAGES.index(version.current_stage),
            "user_id": "",
            "source": version.source_path,
            "location": "",
            "run_id": version.run_id,
            "run_link": "",
            "model_id": version.model_id,
        }
        connection.execute(insert(t.model_versions), row | times(version))
        for key, value in version.tags.items():
            connection.execute(insert(t.model_version_tags), own | {"key": key, "value": value})


def times(record: RegisteredRecord | VersionRecord) -> dict[str, int]:
    return {"creation_time": record.creation_timestamp, "last_update_time": record.last_updated_timestamp}


def asked(search: Search, size: int) -> dict[str, Any]:
    node, order = search
    return {"filter": "" if node is None else to_text(node), "order_by": order_text(order), "max_results": size}


@PROPERTY
@given(
    records=registry_records(),
    searches=st.lists(st.tuples(st.none() | registered_filters(), registered_orders()), min_size=1, max_size=6),
    size=st.sampled_from((1, 2, 8)),
)
def test_registered_models_are_those_of_the_oracle(
    engine: Engine, records: tuple[list[RegisteredRecord], list[VersionRecord]], searches: list[Search], size: int
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        load(connection, *records)
        for search in searches:
            found: list[str] = []
            token = ""
            while True:
                request = rm.SearchRegisteredModels(**asked(search, size), page_token=token)
                rows, token = find_registered_models(connection, request, NOW)
                found += [row.name for row in rows]
                if not token:
                    break
                assert len(rows) == size
            assert found == [each.name for each in search_registered_models(records[0], *search, NOW)], request
        transaction.rollback()


@PROPERTY
@given(
    records=registry_records(),
    searches=st.lists(st.tuples(st.none() | version_filters(), version_orders()), min_size=1, max_size=6),
    size=st.sampled_from((1, 2, 8)),
)
def test_versions_are_those_of_the_oracle(
    engine: Engine, records: tuple[list[RegisteredRecord], list[VersionRecord]], searches: list[Search], size: int
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        load(connection, *records)
        for search in searches:
            found: list[tuple[str, int]] = []
            token = ""
            while True:
                request = rm.SearchModelVersions(**asked(search, size), page_token=token)
                names, rows, token = find_model_versions(connection, request, NOW)
                found += [(names[row.registered], row.version) for row in rows]
                if not token:
                    break
                assert len(rows) == size
            expected = search_versions(records[1], *search, NOW)
            assert found == [(each.name, each.version_number) for each in expected], request
        transaction.rollback()
