"""Removing deleted runs and experiments for good, on the three databases."""

from __future__ import annotations

import math
import re
import tracemalloc
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import Engine, event, inspect, text

from sql_statements import statements_sent
from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import datasets as d
from stele.schema import experiments as e
from stele.schema import rewinds as w
from stele.schema import runs as r
from stele.schema import views as v
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.metrics import Metric
from stele.schema.runs import Param, RunTag
from stele.stores.sql import SqlStore, purge
from stele.stores.sql.purge import PurgeChoice


@pytest.fixture
def experiment(sql_store) -> str:
    return sql_store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id


def full_run(store: SqlStore, experiment: str, *, deleted: bool = True) -> str:
    """A run with rows in every table that has rows of runs."""
    parent = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    run_id = store.create_run(r.CreateRun(experiment_id=experiment, fork_from=parent)).run.info.run_id
    for step in range(3):
        metrics = [Metric(f"m{i}", step, step, step) for i in range(5)]
        store.log_batch(
            r.LogBatch(run_id=run_id, metrics=metrics, params=[Param("p", "1")], tags=[RunTag("t", str(step))])
        )
    inputs = [d.DatasetInput(d.Dataset("data", "abc", "local", "{}"), [d.InputTag("mlflow.data.context", "train")])]
    store.log_inputs(d.LogInputs(run_id=run_id, datasets=inputs, models=[d.LoggedModelInput("m-1")]))
    store.log_outputs(d.LogOutputs(run_id=run_id, models=[d.LoggedModelOutput("m-2", 0)]))
    store.rewind_run(w.RewindRun(run_id=run_id, step=1))
    store.search_runs(r.SearchRuns(experiment_ids=[experiment]))  # applies the log
    store.log_metric(r.LogMetric(run_id=run_id, key="late", value=1.0, timestamp=1))  # and leaves something in it
    if deleted:
        store.delete_run(r.DeleteRun(run_id=run_id))
    return run_id


def tables_of_runs(store: SqlStore) -> set[str]:
    """Every table in the database that has a column ``run``."""
    inspector = inspect(store.db.engine)
    return {
        table
        for table in inspector.get_table_names()
        if any(column["name"] == "run" for column in inspector.get_columns(table))
    }


def rows(store: SqlStore, table: str, column: str, value: int) -> int:
    query = text(f"SELECT count(*) FROM {table} WHERE {column} = :value")
    return store.db.read(lambda c: c.execute(query, {"value": value}).scalar_one())


def number_of(store: SqlStore, run_id: str) -> int:
    query = text("SELECT run FROM runs WHERE run_id = :run_id")
    return store.db.read(lambda c: c.execute(query, {"run_id": run_id}).scalar_one())


def choice(experiment: str) -> PurgeChoice:
    return PurgeChoice(experiment_ids=(int(experiment),))


def purge_all(store: SqlStore, wanted: PurgeChoice) -> None:
    while page := store.deleted_runs(wanted, 100):
        store.purge_runs(store.claim_runs([run.run for run in page]))


def test_every_table_of_the_database_is_emptied(sql_store, experiment):
    gone, kept = full_run(sql_store, experiment), full_run(sql_store, experiment, deleted=False)
    numbers = {run_id: number_of(sql_store, run_id) for run_id in (gone, kept)}
    tables = tables_of_runs(sql_store)
    assert tables >= {"runs", "ingest_log", "segments", "latest_metrics", "run_texts", "dataset_inputs", "dirty_runs"}
    before = {table: rows(sql_store, table, "run", numbers[kept]) for table in tables}
    assert all(before.values()), before
    purge_all(sql_store, choice(experiment))
    assert {table: rows(sql_store, table, "run", numbers[gone]) for table in tables} == dict.fromkeys(tables, 0)
    assert {table: rows(sql_store, table, "run", numbers[kept]) for table in tables} == before
    with pytest.raises(DoesNotExist):
        sql_store.get_run(r.GetRun(run_id=gone))
    run = sql_store.get_run(r.GetRun(run_id=kept)).run
    assert run.data.metrics["late"] == 1.0
    assert len(run.inputs.dataset_inputs) == 1


def test_only_what_is_deleted_is_chosen(sql_store, experiment):
    runs = [full_run(sql_store, experiment, deleted=i > 0) for i in range(4)]
    found = sql_store.deleted_runs(choice(experiment), 10)
    assert [run.run_id for run in found] == runs[1:]
    assert sql_store.count_deleted_runs(choice(experiment)) == 3
    assert found[0].artifact_uri.endswith(f"{runs[1]}/artifacts")
    early = PurgeChoice(deleted_before=found[0].deleted_time, experiment_ids=(int(experiment),))
    assert [run.run_id for run in sql_store.deleted_runs(early, 10)][:1] == [runs[1]]
    assert sql_store.deleted_runs(PurgeChoice(deleted_before=1, experiment_ids=(int(experiment),)), 10) == []
    assert [run.run_id for run in sql_store.deleted_runs(PurgeChoice(run_ids=(runs[2],)), 10)] == [runs[2]]


def test_pages_are_a_partition(sql_store, experiment):
    runs = {full_run(sql_store, experiment) for _ in range(5)}
    pages, last = [], None
    while page := sql_store.deleted_runs(choice(experiment), 2, last):
        pages.append([run.run_id for run in page])
        last = page[-1]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {run_id for page in pages for run_id in page} == runs


def test_what_is_named_must_be_there_and_deleted(sql_store, experiment):
    run_id = full_run(sql_store, experiment, deleted=False)
    with pytest.raises(InvalidParameterValue, match="is in use"):
        sql_store.check_purge(PurgeChoice(run_ids=(run_id,)))
    with pytest.raises(InvalidParameterValue, match="is in use"):
        sql_store.check_purge(choice(experiment))
    with pytest.raises(DoesNotExist):
        sql_store.check_purge(PurgeChoice(run_ids=("nothing",)))
    with pytest.raises(DoesNotExist):
        sql_store.check_purge(PurgeChoice(experiment_ids=(999_999,)))


def test_a_run_that_was_restored_is_left_alone(sql_store, experiment):
    run_id = full_run(sql_store, experiment)
    number = number_of(sql_store, run_id)
    sql_store.restore_run(r.RestoreRun(run_id=run_id))
    assert sql_store.claim_runs([number]) == []
    sql_store.purge_runs([number])
    assert sql_store.get_run(r.GetRun(run_id=run_id)).run.data.metrics["late"] == 1.0


def test_a_purge_that_was_interrupted_is_carried_on(sql_store, experiment, monkeypatch):
    runs = [full_run(sql_store, experiment) for _ in range(3)]
    numbers = [number_of(sql_store, run_id) for run_id in runs]
    monkeypatch.setattr(purge, "ROWS_AT_ONCE", 7)
    sql_store.claim_runs(numbers)
    steps = 0

    class Crash(Exception):
        pass

    def die(connection, cursor, statement, parameters, context, many):
        nonlocal steps
        if statement.startswith("DELETE"):
            steps += 1
            if steps > 5:
                raise Crash

    event.listen(Engine, "before_cursor_execute", die)
    with pytest.raises(Crash):
        sql_store.purge_runs(numbers)
    event.remove(Engine, "before_cursor_execute", die)
    long_ago = PurgeChoice(deleted_before=1, experiment_ids=(int(experiment),))
    assert len(sql_store.deleted_runs(long_ago, 10)) == 3  # claimed: no age protects them any more
    purge_all(sql_store, long_ago)
    for table in tables_of_runs(sql_store):
        for number in numbers:
            assert rows(sql_store, table, "run", number) == 0


def test_an_experiment_goes_with_all_its_rows(sql_store, experiment):
    run_id = full_run(sql_store, experiment)
    sql_store.set_experiment_tag(e.SetExperimentTag(experiment_id=experiment, key="team", value="risk"))
    sql_store.create_view(v.CreateView(experiment_id=experiment, name="mine", state="{}"))
    number = int(experiment)
    assert not sql_store.purge_experiment(number)  # in use
    sql_store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
    assert [found.experiment_id for found in sql_store.deleted_experiments(choice(experiment))] == [number]
    assert sql_store.deleted_experiments(PurgeChoice(run_ids=(run_id,))) == []
    assert sql_store.deleted_experiments(PurgeChoice(deleted_before=1)) == []
    assert sql_store.has_runs(number)
    assert not sql_store.purge_experiment(number)  # has runs
    purge_all(sql_store, choice(experiment))
    assert sql_store.purge_experiment(number)
    inspector = inspect(sql_store.db.engine)
    for table in inspector.get_table_names():
        if any(column["name"] == "experiment_id" for column in inspector.get_columns(table)):
            assert rows(sql_store, table, "experiment_id", number) == 0, table
    with pytest.raises(DoesNotExist):
        sql_store.get_experiment(e.GetExperiment(experiment_id=experiment))


def test_a_number_of_a_removed_dataset_is_not_given_to_another(tmp_path):
    with SqlStore(f"sqlite:///{tmp_path}/store.db", str(tmp_path)) as store:
        described = []
        for name in ("first", "second"):
            experiment = store.create_experiment(e.CreateExperiment(name=name)).experiment_id
            run_id = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
            dataset = d.DatasetInput(d.Dataset(name, "abc", "local", name))
            store.log_inputs(d.LogInputs(run_id=run_id, datasets=[dataset]))
            inputs = store.get_run(r.GetRun(run_id=run_id)).run.inputs
            described.append(inputs.dataset_inputs[0].dataset.source)
            store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
            purge_all(store, choice(experiment))
            (gone,) = store.deleted_experiments(choice(experiment))
            assert store.purge_experiment(gone.experiment_id)
        assert described == ["first", "second"]


def test_many_keys_of_an_experiment_go_in_parts(sql_store, experiment, monkeypatch):
    full_run(sql_store, experiment)
    sql_store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
    monkeypatch.setattr(purge, "ROWS_AT_ONCE", 2)
    purge_all(sql_store, choice(experiment))
    with counted_rows() as most:
        assert sql_store.purge_experiment(int(experiment))
    assert 0 < max(most) <= 2


def test_an_experiment_that_went_in_part_is_not_restored(sql_store, other, experiment, monkeypatch):
    """What it has left would be named by numbers that other processes remember, and that stand for nothing."""
    full_run(sql_store, experiment)
    sql_store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
    purge_all(sql_store, choice(experiment))
    monkeypatch.setattr(purge, "ROWS_AT_ONCE", 2)
    assert other.db.write(partial(purge._purge_some_of_experiment, number=int(experiment))) is None
    with pytest.raises(DoesNotExist):
        sql_store.restore_experiment(e.RestoreExperiment(experiment_id=experiment))
    [found] = other.deleted_experiments(PurgeChoice(deleted_before=1, experiment_ids=(int(experiment),)))
    assert other.purge_experiment(found.experiment_id)
    assert sql_store.deleted_experiments(choice(experiment)) == []


def test_names_of_a_removed_experiment_are_not_those_of_another(sql_store, other):
    """A process that was there before goes on with what it remembers of numbers."""
    for key in ("loss", "accuracy", "f1"):
        experiment = sql_store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id
        run_id = sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
        sql_store.log_metric(r.LogMetric(run_id=run_id, key=key, value=1.0, timestamp=1))
        [run] = other.search_runs(r.SearchRuns(experiment_ids=[experiment])).runs  # which applies the log
        assert run.data.metrics == {key: 1.0}
        other.log_metric(r.LogMetric(run_id=run_id, key=key, value=2.0, timestamp=2))  # and now it knows the name
        other.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
        purge_all(sql_store, choice(experiment))
        assert sql_store.purge_experiment(int(experiment))


def test_names_stay_with_an_experiment_in_use(sql_store, experiment):
    full_run(sql_store, experiment)
    before = rows(sql_store, "entity_keys", "experiment_id", int(experiment))
    for run in sql_store.search_runs(r.SearchRuns(experiment_ids=[experiment])).runs:
        sql_store.delete_run(r.DeleteRun(run_id=run.info.run_id))
    purge_all(sql_store, choice(experiment))
    assert not sql_store.has_runs(int(experiment))
    assert rows(sql_store, "entity_keys", "experiment_id", int(experiment)) == before > 0


@contextmanager
def counted_rows() -> Iterator[list[int]]:
    """How many rows each DELETE removes meanwhile."""
    counts: list[int] = []

    def note(_connection, cursor, statement, _parameters, _context, _many):
        if statement.startswith("DELETE"):
            counts.append(cursor.rowcount)

    event.listen(Engine, "after_cursor_execute", note)
    try:
        yield counts
    finally:
        event.remove(Engine, "after_cursor_execute", note)


def test_a_long_run_goes_without_being_read(sql_store, experiment, monkeypatch):
    """200 000 points, most in segments: no statement reads one, no transaction removes more than its share."""
    run_id = sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    number = number_of(sql_store, run_id)

    def log(start: int, end: int) -> None:
        for first in range(start, end, 1_000):
            points = [Metric("loss", float(step), step, step) for step in range(first, first + 1_000)]
            sql_store.log_batch(r.LogBatch(run_id=run_id, metrics=points))

    log(0, 150_000)
    sql_store.compact_run(number, until=math.inf)
    log(150_000, 210_000)
    sql_store.delete_run(r.DeleteRun(run_id=run_id))
    monkeypatch.setattr(purge, "ROWS_AT_ONCE", 50)
    monkeypatch.setattr(purge, "ROWS_OF_POINTS_AT_ONCE", 20)
    assert rows(sql_store, "ingest_log", "run", number) == 60
    assert rows(sql_store, "segments", "run", number) >= 5
    sql_store.deleted_runs(choice(experiment), 1)  # what is imported or compiled once does not count
    tracemalloc.start()
    with counted_rows() as counts, statements_sent() as statements:
        purge_all(sql_store, choice(experiment))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not [statement for statement, _ in statements if re.search(r"\b(records|data)\b", statement)]
    assert max(counts) <= 20
    assert sum(counts) >= 66
    assert peak < 2_000_000  # the points alone would take 5 MB
    assert rows(sql_store, "ingest_log", "run", number) == 0


def test_freed_pages_of_a_file_go_back_to_the_disk(tmp_path):
    with SqlStore(f"sqlite:///{tmp_path}/stele.db", str(tmp_path / "files")) as store:
        run_id = store.create_run(r.CreateRun(experiment_id="0")).run.info.run_id
        for start in range(0, 300_000, 1_000):
            points = [Metric("loss", math.sin(step), step, step) for step in range(start, start + 1_000)]
            store.log_batch(r.LogBatch(run_id=run_id, metrics=points))
        store.delete_run(r.DeleteRun(run_id=run_id))
    before = (tmp_path / "stele.db").stat().st_size
    with SqlStore(f"sqlite:///{tmp_path}/stele.db", str(tmp_path / "files")) as store:
        purge_all(store, PurgeChoice())
        pages = [store.reclaim_pages()]
        while pages[-1]:
            pages.append(store.reclaim_pages())
    assert max(pages) <= purge.PAGES_AT_ONCE
    assert (tmp_path / "stele.db").stat().st_size < before / 5


@pytest.mark.parametrize("table", ["latest_metrics", "ingest_log", "run_texts"])
def test_rows_are_found_by_an_index(tmp_path, table):
    with SqlStore(f"sqlite:///{tmp_path}/stele.db", str(tmp_path)) as store:
        target = next(each for each in purge._RUN_TABLES if each.name == table)
        plans: list[str] = []

        def work(connection):
            def note(_connection, cursor, statement, parameters, _context, _many):
                if statement.startswith("DELETE"):
                    plan = connection.connection.driver_connection.execute(
                        f"EXPLAIN QUERY PLAN {statement}", parameters
                    )
                    plans.extend(row[3] for row in plan)

            event.listen(connection, "before_cursor_execute", note)
            purge.delete_some(connection, target, target.c.run.in_([1, 2]), 10)

        store.db.write(work)
        assert plans
        assert not [step for step in plans if step.startswith("SCAN") and "SUBQUERY" not in step], plans


def test_a_run_whose_removal_has_begun_is_not_restored(sql_store, experiment):
    """Its files may be gone already; a restored row would point to nothing."""
    claimed, kept = full_run(sql_store, experiment), full_run(sql_store, experiment)
    number = next(run.run for run in sql_store.deleted_runs(PurgeChoice(run_ids=[claimed]), 1))
    assert sql_store.claim_runs([number]) == [number]
    with pytest.raises(DoesNotExist):
        sql_store.restore_run(r.RestoreRun(run_id=claimed))
    sql_store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
    sql_store.restore_experiment(e.RestoreExperiment(experiment_id=experiment))
    stages = {run: sql_store.get_run(r.GetRun(run_id=run)).run.info.lifecycle_stage for run in (claimed, kept)}
    assert stages == {claimed: "deleted", kept: "active"}
    sql_store.purge_runs([number])
    with pytest.raises(DoesNotExist):
        sql_store.get_run(r.GetRun(run_id=claimed))


def test_a_run_goes_after_those_that_were_forked_from_it(sql_store, experiment):
    parent = sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    fork = sql_store.create_run(r.CreateRun(experiment_id=experiment, fork_from=parent)).run.info.run_id
    sql_store.delete_run(r.DeleteRun(run_id=parent))
    assert sql_store.deleted_runs(PurgeChoice(experiment_ids=(int(experiment),)), 10) == []
    with pytest.raises(InvalidParameterValue, match=fork):
        sql_store.check_purge(PurgeChoice(run_ids=(parent,)))
    sql_store.delete_run(r.DeleteRun(run_id=fork))
    for run_id in (fork, parent):
        [found] = sql_store.deleted_runs(PurgeChoice(experiment_ids=(int(experiment),)), 10)
        assert found.run_id == run_id
        sql_store.purge_runs(sql_store.claim_runs([found.run]))


def test_a_run_that_was_forked_after_it_was_chosen_stays(sql_store, experiment):
    parent = full_run(sql_store, experiment)
    [chosen] = sql_store.deleted_runs(PurgeChoice(run_ids=(parent,)), 10)
    sql_store.restore_run(r.RestoreRun(run_id=parent))
    sql_store.create_run(r.CreateRun(experiment_id=experiment, fork_from=parent))
    sql_store.delete_run(r.DeleteRun(run_id=parent))
    assert sql_store.claim_runs([chosen.run]) == []


def test_senders_that_are_long_gone_are_forgotten(sql_store, experiment, monkeypatch):
    monkeypatch.setattr(purge, "ROWS_AT_ONCE", 2)
    run_id = sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id

    def send(sender: str) -> bool:
        series = [IngestSeries(run_id, "loss", [1], [1], [0.5])]
        return sql_store.ingest(Ingest(client_id=sender, sequence=1, series=series)).repeated_batch

    senders = [uuid.uuid4().hex for _ in range(5)]
    assert [send(sender) for sender in senders] == [False] * 5
    assert sql_store.forget_senders(1) == 0
    assert [send(sender) for sender in senders] == [True] * 5
    assert sql_store.forget_senders(2**62) >= 5
    assert [send(sender) for sender in senders] == [False] * 5
