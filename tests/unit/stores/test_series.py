"""Summaries of series against the obvious computation over all points."""

from __future__ import annotations

import math
import tracemalloc
import uuid

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from series_oracle import new_experiment, new_run
from sqlalchemy import select

from stele.schema import experiments as e
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.metrics import Metric
from stele.stores.sql import SqlStore, summaries
from stele.stores.sql.tables import MAX_DOUBLE, latest_metrics

VALUES = st.sampled_from([0.0, 1.0, -1.0, 2.5, 1e300, math.nan, math.inf, -math.inf])
POINTS = st.tuples(st.sampled_from(["a", "b"]), VALUES, st.integers(0, 3), st.integers(-2, 3)).map(
    lambda point: Metric(*point)
)
BATCHES = st.lists(st.tuples(st.lists(POINTS, max_size=6), st.booleans()), max_size=6)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with SqlStore(f"sqlite:///{tmp_path_factory.mktemp('series')}/s.db") as store:
        yield store


def order(point: Metric) -> tuple:
    return point.step, point.timestamp, 0.0 if math.isnan(point.value) else point.value, math.isnan(point.value)


def same(a: Metric, b: Metric) -> bool:
    return (a.key, a.timestamp, a.step) == (b.key, b.timestamp, b.step) and (
        a.value == b.value or (math.isnan(a.value) and math.isnan(b.value))
    )


def stored_form(value: float | None) -> float | None:
    if value is None or math.isnan(value):
        return None
    return max(-MAX_DOUBLE, min(MAX_DOUBLE, value))


def expected_summary(points: list[Metric]) -> dict:
    ordered = sorted(points, key=order)
    numbers = [point.value for point in ordered if not math.isnan(point.value)]
    return {
        "points": len(ordered),
        "nan_points": len(ordered) - len(numbers),
        "value": stored_form(ordered[-1].value),
        "step": ordered[-1].step,
        "timestamp": ordered[-1].timestamp,
        "first_value": stored_form(ordered[0].value),
        "first_step": ordered[0].step,
        "first_timestamp": ordered[0].timestamp,
        "min_value": stored_form(min(numbers, default=None)),
        "max_value": stored_form(max(numbers, default=None)),
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batches=BATCHES)
def test_summaries_are_right_whenever_they_are_read(store, batches):
    """Late, repeated and non-finite points, applied after any prefix of the batches, give what all give at once."""
    experiment = store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id
    run = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    logged: list[Metric] = []
    for points, read in batches:
        store.log_batch(r.LogBatch(run_id=run, metrics=points))
        logged += [point for point in points if not any(same(point, other) for other in logged)]
        logged = [p for i, p in enumerate(logged) if not any(same(p, q) for q in logged[:i])]
        if read:
            store.get_run(r.GetRun(run_id=run))
    latest = {metric.key: metric for metric in store.get_run(r.GetRun(run_id=run)).run.data.metric_list}
    by_key = {key: [point for point in logged if point.key == key] for key in {point.key for point in logged}}
    assert latest.keys() == by_key.keys()
    rows = store.db.read(lambda c: c.execute(select(latest_metrics)).mappings().all())
    names = store.db.read(lambda c: store.keys.names(c, {row["key_id"] for row in rows}))
    number = max((row["run"] for row in rows), default=0)
    for key, points in by_key.items():
        assert same(latest[key], max(points, key=order))
        row = next(row for row in rows if row["run"] == number and names[row["key_id"]] == key)
        expected = expected_summary(points)
        assert {name: row[name] for name in expected} == expected
        history = store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key=key)).metrics
        assert len(history) == len(points)


def test_a_run_with_very_many_metrics_shows_all(store):
    experiment = store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id
    run = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    for start in (0, 900):
        metrics = [Metric(f"layer{i}", float(i), 1, 1) for i in range(start, start + 900)]
        store.log_batch(r.LogBatch(run_id=run, metrics=metrics))
    assert summaries.MAX_DOCUMENT_METRICS < 1_800
    for found in (
        store.get_run(r.GetRun(run_id=run)).run,
        store.search_runs(r.SearchRuns(experiment_ids=[experiment])).runs[0],
    ):
        assert found.data.metrics == {f"layer{i}": float(i) for i in range(1_800)}


def test_another_process_sees_points_that_were_not_applied(store, tmp_path):
    experiment = store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id
    run = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    store.log_metric(r.LogMetric(run_id=run, key="m", value=1.0, timestamp=1))
    with SqlStore(f"sqlite:///{store.db.path}") as other:
        query = r.SearchRuns(experiment_ids=[experiment], filter="metrics.m = 1")
        assert len(other.search_runs(query).runs) == 1
        assert other.get_run(r.GetRun(run_id=run)).run.data.metrics == {"m": 1.0}


def test_charts_of_mlflow_take_little_memory_however_many_runs_there_are(sql_store):
    """400 000 points of 10 runs, of which MLflow's page asks for a few hundred each."""
    experiment, count = new_experiment(sql_store), 40_000
    run_ids = [new_run(sql_store, experiment)[0] for _ in range(10)]
    column = memoryview(np.arange(count))
    for run_id in run_ids:
        series = [IngestSeries(run_id, "loss", column, column, memoryview(np.random.default_rng(1).normal(size=count)))]
        sql_store.ingest(Ingest(client_id=run_id, sequence=1, series=series))
    sql_store.compact_all(lambda _points: None)
    tracemalloc.start()
    thinned = sql_store.get_metric_history_bulk_interval(
        m.GetMetricHistoryBulkInterval(run_ids=run_ids, metric_key="loss", max_results=320)
    ).metrics
    first = sql_store.get_metric_history_bulk(
        m.GetMetricHistoryBulk(run_id=run_ids, metric_key="loss", max_results=1_000)
    ).metrics
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(thinned), len(first)) == (3_200, 1_000)
    assert peak < 8_000_000  # all points are 9.6 MB, in lists of Python 50
