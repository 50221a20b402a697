"""Points of many requests in one transaction: one that cannot be stored fails alone."""

from __future__ import annotations

import uuid

import pytest

from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.schema.metrics import Metric


@pytest.fixture
def experiment(sql_store):
    return sql_store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id


@pytest.fixture
def new_run(sql_store, experiment):
    return lambda: sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id


def points(run_id: str, *values: float, key: str = "loss") -> r.LogBatch:
    return r.LogBatch(run_id=run_id, metrics=[Metric(key, value, int(value), int(value)) for value in values])


def history(store, run_id: str) -> list[float]:
    found = store.get_metric_history(m.GetMetricHistory(run_id=run_id, metric_key="loss")).metrics
    return [point.value for point in found]


def test_bad_ones_fail_alone(sql_store, new_run):
    first, second, deleted = new_run(), new_run(), new_run()
    sql_store.delete_run(r.DeleteRun(run_id=deleted))
    outcome = sql_store.log_points(
        [
            points(first, 1),
            points("nowhere", 1),
            points(deleted, 1),
            points(first, 1, key="../x"),
            points(second, 2),
            points(first, 2, 3),
            points(second),
            points("no such id!"),
        ]
    )
    kinds = [type(error) for error in outcome]
    none = type(None)
    bad = InvalidParameterValue
    assert kinds == [none, DoesNotExist, bad, bad, none, none, none, bad]
    assert [history(sql_store, run) for run in (first, second, deleted)] == [[1, 2, 3], [2], []]


def test_nothing_at_all(sql_store):
    assert sql_store.log_points([]) == []


def test_many_runs_at_once(sql_store, new_run):
    runs = [new_run() for _ in range(40)]
    requests = [points(run, float(i), float(i + 1)) for i, run in enumerate(runs)]
    assert sql_store.log_points(requests + requests) == [None] * 80
    assert [history(sql_store, run) for run in runs] == [[i, i + 1] for i in range(40)]
