"""Searches of logged models in SQL against the oracle, on every database."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert

from stele.schema import logged_models as lm
from stele.search.tree import Node, OrderKey, to_text
from stele.stores.sql import model_tables as t
from stele.stores.sql import tables
from stele.stores.sql.model_search import find_models
from stele.testing.search_oracle import LoggedModelRecord, number_in, search_logged_models
from stele.testing.search_strategies import NOW, logged_model_filters, logged_model_orders, logged_model_records

EXAMPLES = int(os.environ.get("STELE_TEST_EXAMPLES", "60"))


def load(connection: Connection, records: list[LoggedModelRecord]) -> None:
    """Make these the only logged models, in the experiment 1."""
    for table in (t.logged_model_params, t.logged_model_tags, t.logged_models, tables.experiments):
        connection.execute(table.delete())
    times = {"creation_time": 0, "last_update_time": 0}
    row = {"experiment_id": 1, "name": "e", "artifact_location": "", "stage": tables.STAGE_ACTIVE}
    connection.execute(insert(tables.experiments), row | times)
    for number, record in enumerate(records, start=1):
        row = {"model": number, "model_id": record.model_id, "experiment_id": 1, "stage": tables.STAGE_ACTIVE}
        row |= {"status": t.MODEL_READY, "source_run_id": "", "artifact_uri": ""}
        row |= {"name": record.name, "model_type": record.model_type}
        row |= {"creation_time": record.creation_timestamp_ms, "last_update_time": record.last_updated_timestamp_ms}
        connection.execute(insert(t.logged_models), row)
        for key, value in record.params.items():
            param = {"model": number, "key": key, "value": value, "number": number_in(value)}
            connection.execute(insert(t.logged_model_params), param)
        for key, value in record.tags.items():
            connection.execute(insert(t.logged_model_tags), {"model": number, "key": key, "value": value})


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=logged_model_records(),
    searches=st.lists(st.tuples(st.none() | logged_model_filters(), logged_model_orders()), min_size=1, max_size=6),
    size=st.sampled_from((1, 2, 8)),
)
def test_logged_models_are_those_of_the_oracle(
    engine: Engine,
    records: list[LoggedModelRecord],
    searches: list[tuple[Node | None, list[OrderKey]]],
    size: int,
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        load(connection, records)
        for node, order in searches:
            request = lm.SearchLoggedModels(
                experiment_ids=["1"],
                filter="" if node is None else to_text(node),
                order_by=[lm.LoggedModelOrder(key.field.key, key.ascending) for key in order],
                max_results=size,
            )
            found: list[str] = []
            while True:
                numbers, request.page_token = find_models(connection, request, [1], NOW)
                found += [records[number - 1].model_id for number in numbers]
                if not request.page_token:
                    break
                assert len(numbers) == size
            assert found == [each.model_id for each in search_logged_models(records, node, order, NOW)], request
        transaction.rollback()
