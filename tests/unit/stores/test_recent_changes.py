"""Every change of a run is seen by whoever looks for it, also when another transaction was faster, and cheaply."""

from __future__ import annotations

import threading
import uuid

import pytest
from sqlalchemy import text, update

from stele.schema import datasets as d
from stele.schema import experiments as e
from stele.schema import registered_models as rm
from stele.schema import rewinds as w
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.stores.sql.change_stamps import COMMIT_MILLISECONDS
from stele.stores.sql.tables import runs

ACTIONS = {
    "metric": lambda store, run: (
        store.log_metric(r.LogMetric(run_id=run, key="m", value=1.0, timestamp=1, step=1)),
        store.apply_all(),
    ),
    "batch": lambda store, run: store.log_batch(r.LogBatch(run_id=run, params=[r.Param("p", "1")])),
    "tag": lambda store, run: store.set_tag(r.SetTag(run_id=run, key="t", value="1")),
    "tag again": lambda store, run: store.set_tag(r.SetTag(run_id=run, key="t", value="2")),
    "no tag": lambda store, run: store.delete_tag(r.DeleteTag(run_id=run, key="t")),
    "name": lambda store, run: store.update_run(r.UpdateRun(run_id=run, run_name="other")),
    "inputs": lambda store, run: store.log_inputs(
        d.LogInputs(run_id=run, datasets=[d.DatasetInput(d.Dataset("data", "1", "local", "{}"))])
    ),
    "rewind": lambda store, run: store.rewind_run(w.RewindRun(run_id=run, step=0)),
    "end": lambda store, run: store.update_run(r.UpdateRun(run_id=run, status="FINISHED", end_time=5)),
    "delete": lambda store, run: store.delete_run(r.DeleteRun(run_id=run)),
    "restore": lambda store, run: store.restore_run(r.RestoreRun(run_id=run)),
}


@pytest.fixture
def experiment(sql_store) -> int:
    return int(sql_store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id)


def new_run(store, experiment: int) -> str:
    return store.create_run(r.CreateRun(experiment_id=str(experiment))).run.info.run_id


def stamps(store, experiment: int, since: int = COMMIT_MILLISECONDS) -> dict[str, int]:
    return {item.run_id: item.stamp for item in store.look_for_changes([experiment], [], since).runs}


def test_every_change_of_a_run_moves_its_stamp(sql_store, experiment):
    assert stamps(sql_store, experiment) == {}
    run, other = new_run(sql_store, experiment), new_run(sql_store, experiment)
    before = stamps(sql_store, experiment)
    assert set(before) == {run, other}
    for name, act in ACTIONS.items():
        act(sql_store, run)
        after = stamps(sql_store, experiment)
        assert after[run] > before[run], name
        assert after[other] == before[other]
        before = after


def test_stamps_are_times_of_the_databases_clock(sql_store, experiment):
    earlier = sql_store.look_for_changes([], []).time
    run = new_run(sql_store, experiment)
    later = sql_store.look_for_changes([], []).time
    assert earlier <= stamps(sql_store, experiment)[run] <= later
    assert stamps(sql_store, experiment, since=later + COMMIT_MILLISECONDS) == {}
    assert stamps(sql_store, experiment, since=earlier) == stamps(sql_store, experiment)


def test_a_stamp_grows_even_when_the_clock_does_not(sql_store, experiment):
    run = new_run(sql_store, experiment)
    ahead = sql_store.look_for_changes([], []).time + 3_600_000
    sql_store.db.write(lambda c: c.execute(update(runs).where(runs.c.run_id == run).values(change_stamp=ahead)))
    sql_store.set_tag(r.SetTag(run_id=run, key="t", value="1"))
    assert stamps(sql_store, experiment)[run] == ahead + 1


def test_runs_are_looked_up_by_their_ids_whenever_they_changed(sql_store, experiment):
    run, _ = new_run(sql_store, experiment), new_run(sql_store, experiment)
    far = sql_store.look_for_changes([], []).time + COMMIT_MILLISECONDS
    found = sql_store.look_for_changes([experiment], [run, "unknown"], far).runs
    assert [(item.run_id, item.experiment_id) for item in found] == [(run, str(experiment))]


def test_a_change_that_commits_late_is_seen(sql_store, experiment):
    """Two transactions: the one with the stamp that is not higher becomes visible after the other."""
    if sql_store.db.family == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    slow, fast = new_run(sql_store, experiment), new_run(sql_store, experiment)
    stamped, go_on = threading.Event(), threading.Event()

    def change_slowly(connection):
        connection.execute(update(runs).where(runs.c.run_id == slow).values(name="slow"))
        stamped.set()
        assert go_on.wait(60)

    thread = threading.Thread(target=sql_store.db.write, args=(change_slowly,))
    thread.start()
    assert stamped.wait(60)
    sql_store.set_tag(r.SetTag(run_id=fast, key="t", value="1"))
    between = stamps(sql_store, experiment)
    go_on.set()
    thread.join()
    after = stamps(sql_store, experiment, since=between[fast])
    assert after[fast] == between[fast] >= after[slow] > between[slow]  # both may be of one millisecond


def test_the_registry_and_the_experiments_have_marks(sql_store):
    name = uuid.uuid4().hex
    seen = [sql_store.look_for_changes([], [])]
    sql_store.create_registered_model(rm.CreateRegisteredModel(name=name))
    seen.append(sql_store.look_for_changes([], []))
    sql_store.set_registered_model_tag(rm.SetRegisteredModelTag(name=name, key="k", value="v"))
    seen.append(sql_store.look_for_changes([], []))
    assert len({item.registry for item in seen}) == 3
    assert len({item.experiments for item in seen}) == 1
    number = sql_store.create_experiment(e.CreateExperiment(name=name)).experiment_id
    seen.append(sql_store.look_for_changes([], []))
    sql_store.set_experiment_tag(e.SetExperimentTag(experiment_id=number, key="k", value="v"))
    seen.append(sql_store.look_for_changes([], []))
    sql_store.delete_experiment_tag(e.DeleteExperimentTag(experiment_id=number, key="k"))
    seen.append(sql_store.look_for_changes([], []))
    assert len({item.experiments for item in seen[2:]}) == 4
    assert len({item.registry for item in seen[2:]}) == 1


def test_a_look_reads_the_index_of_what_is_new(sql_store, experiment):
    if sql_store.db.family != "sqlite":
        pytest.skip("plans of the other databases follow their statistics")
    query = f"EXPLAIN QUERY PLAN SELECT run_id FROM runs WHERE experiment_id IN ({experiment}) AND change_stamp > 5"
    plan = sql_store.db.read(lambda c: c.execute(text(query)).all())
    assert any("ix_runs_change_stamp (experiment_id=? AND change_stamp>?)" in row.detail for row in plan), plan


def test_the_points_of_a_run_are_changes_once_they_are_applied(sql_store, experiment):
    run = new_run(sql_store, experiment)
    before = stamps(sql_store, experiment)[run]
    sql_store.log_batch(r.LogBatch(run_id=run, metrics=[Metric("m", 1.0, 1, 1)]))
    sql_store.apply_all()
    middle = stamps(sql_store, experiment)[run]
    sql_store.apply_all()
    assert before < middle == stamps(sql_store, experiment)[run]
