"""Logs are applied outside of the transaction that writes, and by whoever is first."""

from __future__ import annotations

import numpy as np
import pytest
from series_oracle import key_number, new_experiment, new_run

from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.schema.rewinds import RewindRun
from stele.stores.sql import summaries
from stele.stores.sql.summaries import (
    any_pending,
    apply_pending,
    is_pending,
    pending_changes,
    store_changes,
    summaries_of,
)


def log(store, run_id, steps, value=1.0):
    store.log_batch(r.LogBatch(run_id=run_id, metrics=[Metric("loss", value, step, step) for step in steps]))


@pytest.fixture
def logged(sql_store):
    experiment = new_experiment(sql_store)
    run_id, number = new_run(sql_store, experiment)
    log(sql_store, run_id, range(10))
    return sql_store, run_id, number, key_number(sql_store, experiment, "loss")


def changes_of(store, number):
    return store.db.read(lambda c: pending_changes(c, store.keys, [number]))


def counted(store, number):
    found = store.db.read(lambda c: summaries_of(c, [number]))[number]
    return found["points"].tolist(), found["step"].tolist()


def test_what_comes_between_reading_and_writing_stays_to_be_applied(logged):
    store, run_id, number, _ = logged
    changes = changes_of(store, number)
    log(store, run_id, range(10, 15))
    assert store.db.write(lambda c: store_changes(c, [number], changes)) == []  # all that was there is applied
    assert counted(store, number) == ([10], [9])
    assert store.db.read(lambda c: is_pending(c, number))
    assert store.get_run(r.GetRun(run_id=run_id)).run.data.metric_list[0].step == 14
    assert counted(store, number) == ([15], [14])
    assert not store.db.read(lambda c: is_pending(c, number))


def test_whoever_is_second_changes_nothing(logged):
    store, run_id, number, _ = logged
    changes = changes_of(store, number)
    log(store, run_id, range(10, 15))
    assert store.db.write(lambda c: apply_pending(c, store.keys, [number])) == []
    assert store.db.write(lambda c: store_changes(c, [number], changes)) == []
    assert counted(store, number) == ([15], [14])


def test_whoever_is_second_and_knew_more_has_something_left(logged):
    store, run_id, number, _ = logged
    first = changes_of(store, number)
    log(store, run_id, range(10, 15))
    second = changes_of(store, number)
    assert store.db.write(lambda c: store_changes(c, [number], first)) == []
    assert store.db.write(lambda c: store_changes(c, [number], second)) == [number]
    assert counted(store, number) == ([10], [9])
    assert store.db.write(lambda c: apply_pending(c, store.keys, [number])) == []
    assert counted(store, number) == ([15], [14])


def test_a_log_that_is_too_long_for_once_is_applied_in_parts(sql_store, monkeypatch):
    monkeypatch.setattr(summaries, "APPLIED_POINTS", 12)
    experiment = new_experiment(sql_store)
    made = [new_run(sql_store, experiment) for _ in range(2)]
    for start in (0, 10, 20):
        for run_id, _ in made:
            log(sql_store, run_id, range(start, start + 10))
    numbers = [number for _, number in made]
    changes = sql_store.db.read(lambda c: pending_changes(c, sql_store.keys, numbers))
    assert sorted(sql_store.db.write(lambda c: store_changes(c, numbers, changes))) == numbers
    sql_store.apply_logs(numbers)
    assert not any(sql_store.db.read(lambda c: [is_pending(c, number) for number in numbers]))
    assert [counted(sql_store, number) for number in numbers] == [([30], [29])] * 2


def test_a_rewind_in_between_is_not_undone(logged):
    store, run_id, number, _ = logged
    changes = changes_of(store, number)
    store.rewind_run(RewindRun(run_id=run_id, step=4))
    assert store.db.write(lambda c: store_changes(c, [number], changes)) == []
    assert counted(store, number) == ([5], [4])


def test_a_run_that_is_gone_is_no_longer_pending(logged):
    store, _, number, _ = logged
    changes = changes_of(store, number)
    missing = number + 1_000_000
    assert store.db.write(lambda c: store_changes(c, [missing], changes)) == []
    assert counted(store, number) == ([], [])


def test_all_that_was_logged_before_is_applied(sql_store):
    experiment = new_experiment(sql_store)
    made = [new_run(sql_store, experiment) for _ in range(250)]
    for place, (run_id, _) in enumerate(made):
        log(sql_store, run_id, range(place % 5 + 1))
    sql_store.apply_all()
    assert not sql_store.db.read(any_pending)
    found = sql_store.db.read(lambda c: summaries_of(c, [number for _, number in made]))
    points = np.concatenate([found[number]["points"] for _, number in made])
    assert points.tolist() == [place % 5 + 1 for place in range(250)]


def test_a_mean_too_small_for_a_double_fails_no_search(sql_store):
    experiment = new_experiment(sql_store)
    for value in (5e-324, 2.0):
        run_id, _ = new_run(sql_store, experiment)
        log(sql_store, run_id, range(3), 0.0 if value < 1 else value)
        log(sql_store, run_id, [3], value)
    query = r.SearchRuns(experiment_ids=[experiment], filter="mean(metrics.loss) > 1", order_by=["mean(metrics.loss)"])
    assert [run.info.run_id for run in sql_store.search_runs(query).runs] == [run_id]
