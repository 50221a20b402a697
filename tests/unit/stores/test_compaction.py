"""Compaction at any moment changes nothing that anybody reads."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from series_oracle import (
    Oracle,
    assert_cells,
    key_number,
    new_experiment,
    new_run,
    rows_of,
    same_rows,
    small_blocks,
)
from sqlalchemy import event, select

from stele.schema import runs as r
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.metrics import Metric
from stele.schema.series import GetSeries
from stele.stores.sql import SqlStore
from stele.stores.sql.cells import as_cells
from stele.stores.sql.column_blocks import BLOCK_POINTS
from stele.stores.sql.compaction import compact_once
from stele.stores.sql.points import Steps
from stele.stores.sql.pyramid import CellSeries, read_cells
from stele.stores.sql.series_reader import read_points
from stele.stores.sql.tables import latest_metrics, segments

VALUES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, 1e300, math.nan, math.inf, -math.inf])
POINTS = st.builds(Metric, st.sampled_from(["a", "b", "c"]), VALUES, st.integers(0, 3), st.integers(-2, 30))
RAMPS = st.builds(  # what training does: one step after the other
    lambda key, start, count: [Metric(key, i * 0.5, i, i) for i in range(start, start + count)],
    st.sampled_from(["a", "b"]),
    st.integers(0, 40),
    st.integers(1, 30),
)
ACTS = st.one_of(RAMPS, st.lists(POINTS, min_size=1, max_size=25), st.sampled_from(["apply", "compact", "whole"]))
STEPS = st.one_of(st.none(), st.integers(-3, 60))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with SqlStore(f"sqlite:///{tmp_path_factory.mktemp('compaction')}/s.db") as store:
        yield store


def check(store: SqlStore, experiment: str, number: int, oracle: Oracle, bounds: list[tuple]) -> None:
    keys = {key: key_number(store, experiment, key) for key in oracle.series}
    for first, last in bounds:
        steps = Steps.between(first, last)
        found = store.db.read(lambda c, of=steps: read_points(c, number, keys.values(), of))
        for key, key_id in keys.items():
            expected = oracle.rows(key, first, last)
            assert same_rows(rows_of(found[key_id]), expected)
            one = store.db.read(lambda c, k=key_id, of=steps: read_points(c, number, [k], of))
            assert same_rows(rows_of(one[key_id]), expected)
            for most, cache in ((1, None), (3, None), (1, store.cells), (3, store.cells)):
                wanted = [CellSeries(number, key_id, most)]
                [cells] = store.db.read(
                    lambda c, series=wanted, of=steps, kept=cache: list(read_cells(c, series, of, kept))
                )
                assert_cells(as_cells(cells), expected)


def check_summaries(store: SqlStore, experiment: str, number: int, oracle: Oracle) -> None:
    query = select(latest_metrics).where(latest_metrics.c.run == number)
    rows = {row["key_id"]: row for row in store.db.read(lambda c: c.execute(query).mappings().all())}
    assert len(rows) == len(oracle.series)
    for key in oracle.series:
        row, expected = rows[key_number(store, experiment, key)], oracle.summary(key)
        total = expected.pop("sum_value")
        assert {name: row[name] for name in expected} == expected
        assert row["sum_value"] == (None if total is None else pytest.approx(total))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=st.lists(ACTS, max_size=12), first=STEPS, last=STEPS)
def test_nothing_changes_for_a_reader(store, acts, first, last):
    with pytest.MonkeyPatch.context() as patch:
        small_blocks(patch)
        experiment = new_experiment(store)
        run_id, number = new_run(store, experiment)
        oracle = Oracle()
        for act in acts:
            if isinstance(act, list):
                store.log_batch(r.LogBatch(run_id=run_id, metrics=act))
                oracle.log(act)
            elif act == "apply":
                store.get_run(r.GetRun(run_id=run_id))
            else:
                store.get_run(r.GetRun(run_id=run_id))
                compact_once(store.db, number, whole=act == "whole")
                check(store, experiment, number, oracle, [(None, None)])
        check(store, experiment, number, oracle, [(None, None), (first, last)])
        store.get_run(r.GetRun(run_id=run_id))
        check_summaries(store, experiment, number, oracle)
        sealed = select(segments).where(segments.c.run == number, segments.c.sealed == 1)
        for row in store.db.read(lambda c: c.execute(sealed).all()):
            assert row.first_key == row.last_key
            assert row.points <= 16


def test_a_chart_is_whole_though_segments_are_replaced_while_it_is_read(sql_store):
    run_id, number = new_run(sql_store, new_experiment(sql_store))

    def log(first, last):
        columns = list(range(first, last)), [0] * (last - first), [0.5] * (last - first)
        batch = Ingest(client_id=f"{run_id}{first}", sequence=1, series=[IngestSeries(run_id, "loss", *columns)])
        sql_store.ingest(batch)

    log(0, BLOCK_POINTS + 100)
    sql_store.compact_run(number, whole=True, until=math.inf)
    log(BLOCK_POINTS + 100, BLOCK_POINTS + 200)
    replaced = []

    def replace(_connection, _cursor, statement, *_):
        if "AS content" in statement and not replaced:
            replaced.append(statement)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(sql_store.compact_run, number, whole=True, until=math.inf).result()

    event.listen(sql_store.db.engine, "before_cursor_execute", replace)
    try:
        [found] = sql_store.get_series(GetSeries(run_ids=[run_id], keys=["loss"], buckets=4)).series
    finally:
        event.remove(sql_store.db.engine, "before_cursor_execute", replace)
    assert replaced
    assert found.points == sum(found.counts.data.tolist()) == BLOCK_POINTS + 200
    assert found.last_x.data[-1] == BLOCK_POINTS + 199
