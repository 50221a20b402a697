"""The runs of a table against the oracle of searches, on every database."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_rows import load_runs, order_text
from sqlalchemy import Connection, Engine

from stele.schema.run_table import RunSelection
from stele.search.tree import Node, OrderKey, to_text
from stele.stores.sql.keys import Keys
from stele.stores.sql.run_columns import RunReader
from stele.stores.sql.run_frames import FrameMemory, Kept, frame_of
from stele.stores.sql.run_selection import Query, Selection
from stele.testing.search_oracle import RunRecord, search_runs
from stele.testing.search_strategies import NOW, orders, run_filters, run_records

EXAMPLES = int(os.environ.get("STELE_TEST_EXAMPLES", "60"))
PROPERTY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def selection(connection: Connection, memory: FrameMemory, keys: Keys, request: RunSelection) -> Selection:
    query = Query.of(request)
    frame, changes = frame_of(connection, memory, query.experiments, query.stages)
    return Selection(query, RunReader(connection, keys, frame, Kept(memory, frame, changes), NOW), changes)


@PROPERTY
@given(
    records=run_records(),
    searches=st.lists(
        st.tuples(st.none() | run_filters(), orders(), st.sampled_from(("ACTIVE_ONLY", "DELETED_ONLY", "ALL"))),
        min_size=1,
        max_size=6,
    ),
    experiment_ids=st.sampled_from(([1], [2], [1, 2], [2, 1, 3])),
)
def test_runs_are_those_of_the_oracle(
    engine: Engine,
    records: list[RunRecord],
    searches: list[tuple[Node | None, list[OrderKey], str]],
    experiment_ids: list[int],
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        names = load_runs(connection, records)
        memory, keys = FrameMemory(), Keys()  # what one search has read serves the next
        for node, order, view in searches:
            # Params are ordered as numbers where they are, which a search does not do.
            order = [key for key in order if key.field.entity != "param"]
            request = RunSelection(
                experiment_ids=[str(number) for number in experiment_ids],
                filter="" if node is None else to_text(node),
                order_by=order_text(order),
                view=view,  # type: ignore[arg-type]  # one of its names
            )
            found = selection(connection, memory, keys, request)
            expected = [record.run_id for record in search_runs(records, experiment_ids, node, view, order, NOW)]
            assert [names[number] for number in found.numbers(found.selected.places)] == expected, request
        transaction.rollback()
