"""Pages that are longer than what one statement may bind."""

from __future__ import annotations

import uuid

import pytest

from stele.schema import datasets as d
from stele.schema import experiments as e
from stele.schema import runs as r
from stele.stores.sql import parts


@pytest.fixture(autouse=True)
def _short_statements(monkeypatch):
    monkeypatch.setattr(parts, "BOUND_AT_ONCE", 3)


def test_a_long_page_of_runs_is_whole_and_in_order(sql_store):
    experiment = sql_store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id
    made = []
    for i in range(10):
        run = sql_store.create_run(r.CreateRun(experiment_id=experiment, start_time=i)).run.info.run_id
        dataset = d.DatasetInput(d.Dataset("data", str(i), "local", "{}"))
        sql_store.log_inputs(d.LogInputs(run_id=run, datasets=[dataset]))
        made.append((run, str(i)))
    sql_store.described = type(sql_store.described)()
    found = sql_store.search_runs(r.SearchRuns(experiment_ids=[experiment], order_by=["start_time ASC"])).runs
    assert [(run.info.run_id, run.inputs.dataset_inputs[0].dataset.digest) for run in found] == made


def test_a_long_page_of_experiments_is_whole_and_in_order(sql_store):
    prefix = uuid.uuid4().hex
    tags = [e.ExperimentTag("k", "v")]
    made = [
        sql_store.create_experiment(e.CreateExperiment(name=f"{prefix} {i}", tags=tags)).experiment_id
        for i in range(10)
    ]
    query = e.SearchExperiments(filter=f"name LIKE '{prefix}%'", order_by=["name"])
    found = sql_store.search_experiments(query).experiments
    assert [(item.experiment_id, item.tags) for item in found] == [(number, {"k": "v"}) for number in made]
