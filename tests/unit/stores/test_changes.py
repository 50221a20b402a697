"""States of experiments: nothing that another process committed is overlooked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from stele.errors import InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import run_changes as rc
from stele.schema import run_table as t
from stele.schema import runs as r
from stele.stores.sql import SqlStore
from stele.stores.sql.changes import Changes, changes_of
from stele.stores.sql.purge import PurgeChoice
from stele.testing.run_table_calls import ids, new_experiment, new_run, table


@pytest.fixture
def experiment(sql_store: SqlStore) -> str:
    return new_experiment(sql_store)


def changes(store: SqlStore, experiment: str) -> Changes:
    return store.db.read(lambda c: changes_of(c, [int(experiment)]))


def test_a_write_of_another_process_is_seen(sql_store, other, experiment):
    run_id = new_run(sql_store, experiment, metrics={"loss": 1.0})
    order = ["metrics.loss DESC"]
    assert ids(table(sql_store, experiment, order_by=order)) == [run_id]
    second = new_run(other, experiment, metrics={"loss": 2.0})
    assert ids(table(sql_store, experiment, order_by=order)) == [second, run_id]
    other.log_batch(r.LogBatch(run_id=run_id, metrics=[r.Metric("loss", 3.0, 2, 2)]))
    assert ids(table(sql_store, experiment, order_by=order)) == [run_id, second]
    other.change_runs(rc.ChangeRuns(run_ids=[second], action="archive"))
    assert ids(table(sql_store, experiment, order_by=order)) == [run_id]
    other.delete_run(r.DeleteRun(run_id=run_id))
    assert ids(table(sql_store, experiment, order_by=order)) == []


def test_what_is_refused_changes_nothing(sql_store, experiment):
    run_id = new_run(sql_store, experiment, params={"p": "1"})
    before = changes(sql_store, experiment)
    with pytest.raises(InvalidParameterValue):
        sql_store.log_batch(r.LogBatch(run_id=run_id, params=[r.Param("p", "2")], tags=[r.RunTag("t", "1")]))
    assert changes(sql_store, experiment) == before


def test_points_alone_are_a_change_when_they_are_applied(sql_store, experiment):
    run_id = new_run(sql_store, experiment)
    before = changes(sql_store, experiment)
    sql_store.log_metric(r.LogMetric(run_id=run_id, key="loss", value=1.0, timestamp=1))
    assert changes(sql_store, experiment) == before
    table(sql_store, experiment)
    after = changes(sql_store, experiment)
    assert after.runs == before.runs
    assert after.metrics > before.metrics


def test_a_removed_run_is_gone_from_the_trash(sql_store, experiment):
    run_id = new_run(sql_store, experiment)
    sql_store.delete_run(r.DeleteRun(run_id=run_id))
    assert ids(table(sql_store, experiment, view="DELETED_ONLY")) == [run_id]
    [run] = sql_store.deleted_runs(PurgeChoice(run_ids=[run_id]), 1)
    sql_store.purge_runs(sql_store.claim_runs([run.run]))
    assert ids(table(sql_store, experiment, view="DELETED_ONLY")) == []


def test_a_removed_experiment_has_no_state(sql_store, experiment):
    new_run(sql_store, experiment)
    sql_store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
    [run] = sql_store.deleted_runs(PurgeChoice(experiment_ids=[int(experiment)]), 1)
    sql_store.purge_runs(sql_store.claim_runs([run.run]))
    assert sql_store.purge_experiment(int(experiment))
    assert changes(sql_store, experiment) == Changes((), ())


def test_no_write_of_many_is_overlooked(sql_store, other, experiment):
    runs = [new_run(sql_store, experiment) for _ in range(4)]
    before = changes(sql_store, experiment)

    def write(place: int) -> None:
        store = (sql_store, other)[place % 2]
        for number in range(10):
            store.set_tag(r.SetTag(run_id=runs[place % 4], key=f"t{place}", value=str(number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert changes(sql_store, experiment).runs != before.runs
    rows = table(sql_store, experiment, columns=[t.RunColumn("tag", f"t{place}") for place in range(8)]).rows
    assert sum(row.values.count("9") for row in rows) == 8
