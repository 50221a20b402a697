"""How many SQL statements an operation takes: the speed that does not depend on the machine."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from series_oracle import new_run
from sqlalchemy import text

from sql_statements import statements_sent
from stele.schema import datasets as d
from stele.schema import experiment_overview as eo
from stele.schema import experiments as e
from stele.schema import metrics as m
from stele.schema import run_changes as rc
from stele.schema import run_table as t
from stele.schema import runs as r
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.metrics import Metric
from stele.schema.runs import Param, RunTag
from stele.schema.series import GetSeries
from stele.stores.sql.column_blocks import BLOCK_POINTS
from stele.stores.sql.dialect import Prepared

_NOT_WORK = ("BEGIN", "SET ", "SELECT set_config", "SAVEPOINT", "RELEASE")


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements of this thread meanwhile, there when it is over; transaction control and lock waits apart."""
    statements: list[str] = []
    with statements_sent() as sent:
        yield statements
    statements += [statement for statement, _ in sent if not statement.startswith(_NOT_WORK)]


def batch(run_id: str, step: int = 0) -> r.LogBatch:
    return r.LogBatch(
        run_id=run_id,
        metrics=[Metric(f"m{i}", 0.5, step, step) for i in range(10)],
        params=[Param(f"p{i}", str(i)) for i in range(10)],
        tags=[RunTag(f"t{i}", str(step)) for i in range(5)],
    )


@pytest.fixture
def experiment(sql_store) -> str:
    name = f"statements {id(object())} {sql_store.db.family}"
    experiments = sql_store.search_experiments(e.SearchExperiments(filter=f"name = '{name}'")).experiments
    if experiments:
        return experiments[0].experiment_id
    return sql_store.create_experiment(e.CreateExperiment(name=name)).experiment_id


@pytest.fixture
def run(sql_store, experiment) -> str:
    return sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id


def test_create_run_takes_three(sql_store, experiment, run):
    with counted() as statements:
        sql_store.create_run(r.CreateRun(experiment_id=experiment))
    assert len(statements) == 3, statements


def test_log_batch_takes_six_at_most(sql_store, run):
    sql_store.log_batch(batch(run))
    with counted() as statements:
        sql_store.log_batch(batch(run, step=1))
    assert len(statements) <= 6, statements


def test_log_metric_takes_three(sql_store, run):
    request = r.LogMetric(run_id=run, key="m", value=1.0, timestamp=1)
    sql_store.log_metric(request)
    with counted() as statements:
        sql_store.log_metric(request)
    assert len(statements) == 3, statements


def test_get_run_takes_one(sql_store, run):
    sql_store.log_batch(batch(run))
    sql_store.get_run(r.GetRun(run_id=run))
    with counted() as statements:
        sql_store.get_run(r.GetRun(run_id=run))
    assert len(statements) == 1, statements


@pytest.mark.parametrize(
    ("filter_string", "order_by", "most"),
    [
        ("", [], 3),
        ("metrics.m1 > 0.1", ["metrics.m1 DESC"], 5),
        ("params.p1 = '1' AND tags.t1 != '9'", ["start_time"], 5),
        # A short page ordered by a param is read in phases: runs that have it, then those that lack it.
        ("metrics.m1 > 0 AND params.p2 LIKE '%2%' OR tags.t3 IS NULL", ["params.p1", "metrics.m2"], 6),
    ],
)
def test_search_takes_five_as_a_rule(sql_store, experiment, filter_string, order_by, most):
    for step in range(5):
        run_id = sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
        sql_store.log_batch(batch(run_id, step))
        dataset = d.DatasetInput(d.Dataset("data", str(step), "local", "{}"))
        sql_store.log_inputs(d.LogInputs(run_id=run_id, datasets=[dataset]))
    query = r.SearchRuns(experiment_ids=[experiment], filter=filter_string, order_by=order_by)
    found = sql_store.search_runs(query).runs
    assert found
    with counted() as statements:
        sql_store.search_runs(query)
    assert len(statements) <= most, statements


def test_a_page_takes_as_many_as_one_run(sql_store, experiment):
    query = r.SearchRuns(experiment_ids=[experiment], max_results=1)
    for _ in range(30):
        sql_store.create_run(r.CreateRun(experiment_id=experiment))
    with counted() as one:
        sql_store.search_runs(query)
    query.max_results = 100
    with counted() as many:
        assert len(sql_store.search_runs(query).runs) >= 30
    assert len(many) <= len(one)


def test_a_window_of_the_table_takes_three(sql_store, experiment):
    for step in range(10):
        run_id = sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
        sql_store.log_batch(batch(run_id, step))
    columns = [t.RunColumn("metric", "m1"), t.RunColumn("param", "p1"), t.RunColumn("tag", "t1")]
    query = t.QueryRunsTable(
        experiment_ids=[experiment],
        filter="metrics.m1 > 0 AND NOT params.p1 = '2'",
        order_by=["metrics.m2 DESC", "tags.t1"],
        columns=columns,
    )
    sql_store.list_run_keys(t.ListRunKeys(experiment_ids=[experiment]))  # which applies what was logged
    with counted() as first:
        assert sql_store.query_runs_table(query).rows
    # Pending logs, counts of changes, the runs, the tag of archived ones, two comparisons, two columns, the rows.
    assert len(first) <= 10, first
    query.offset = 5
    with counted() as second:
        sql_store.query_runs_table(query)
    assert len(second) == 3, second
    query.columns.append(t.RunColumn("metric", "m1", "max"))
    with counted() as with_figures:
        sql_store.query_runs_table(query)
    assert len(with_figures) == 4, with_figures


def test_columns_that_are_known_take_two(sql_store, experiment):
    run_id = sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    sql_store.log_batch(batch(run_id))
    sql_store.list_run_keys(t.ListRunKeys(experiment_ids=[experiment]))  # which applies what was logged
    column, group = t.RunColumn("metric", "m1", "min"), t.RunColumn("tag", "t1")
    selection = {"experiment_ids": [experiment], "filter": "params.p1 = '1'"}
    for count in (10, 2):
        with counted() as statements:
            sql_store.group_runs(t.GroupRuns(group_by=[group], aggregates=[column], **selection))
            assert len(statements) <= count, statements
        with counted() as statements:
            sql_store.describe_values(t.DescribeValues(column=column, **selection))
        assert len(statements) == 2, statements


def test_an_overview_takes_as_many_for_any_number(sql_store, experiment):
    for _ in range(5):
        number = sql_store.create_experiment(e.CreateExperiment(name=f"overview {uuid.uuid4().hex}")).experiment_id
        sql_store.create_run(r.CreateRun(experiment_id=number))
    with counted() as first:
        assert len(sql_store.describe_experiments(eo.DescribeExperiments()).experiments) > 5
    assert len(first) <= 8, first
    with counted() as again:
        sql_store.describe_experiments(eo.DescribeExperiments())
    assert len(again) == 5, again


def test_a_bulk_change_takes_as_many_for_any_number(sql_store, experiment):
    runs = [sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id for _ in range(50)]
    for action, most in (("archive", 8), ("unarchive", 5), ("delete", 4), ("restore", 4)):
        with counted() as statements:
            assert sql_store.change_runs(rc.ChangeRuns(run_ids=runs, action=action)).changed == 50
        assert len(statements) <= most, (action, statements)


def test_history_takes_three(sql_store, run):
    sql_store.log_batch(batch(run))
    with counted() as statements:
        sql_store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key="m1"))
    assert len(statements) == 3, statements


def test_series_take_one_and_another_one_for_each_that_is_there(sql_store, run):
    sql_store.log_batch(batch(run))
    request = GetSeries(run_ids=[run, "another"], keys=["m1", "m2", "unknown"])
    with counted() as statements:
        assert len(sql_store.get_series(request).series) == 2
    assert len(statements) == 3, statements


def test_series_are_found_by_their_runs(sql_store, run):
    if sql_store.db.family != "sqlite":
        pytest.skip("plans of the other databases follow their statistics")
    sql_store.log_batch(batch(run))
    with statements_sent() as sent:
        sql_store.get_series(GetSeries(run_ids=[run], keys=["m1"]))
    statement, values = next((text, values) for text, values in sent if "entity_keys" in text)
    plan = sql_store.db.read(lambda c: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    assert "SEARCH runs USING INDEX" in plan[0].detail, plan
    assert "run_id=?" in plan[0].detail, plan


@pytest.fixture
def charted(sql_store, experiment) -> GetSeries:
    """Four buckets of a short and a long series of each of three runs."""
    runs = [new_run(sql_store, experiment) for _ in range(3)]
    for run_id, number in runs:
        count = BLOCK_POINTS + 10
        series = [
            IngestSeries(run_id, key, list(range(length)), [0] * length, [0.5] * length)
            for key, length in (("short", 10), ("long", count))
        ]
        sql_store.ingest(Ingest(client_id=run_id, sequence=1, series=series))
        sql_store.compact_run(number, whole=True, until=math.inf)
    return GetSeries(run_ids=[run_id for run_id, _ in runs], keys=["short", "long"], buckets=4)


def test_a_chart_of_many_series_takes_three(sql_store, charted):
    """One for which there are, one for the short series, one for the long ones; cells of segments are remembered."""
    sql_store.get_series(charted)
    with counted() as statements:
        assert len(sql_store.get_series(charted).series) == 6
    assert len(statements) == 3, statements


def test_segments_of_a_chart_are_found_by_run_and_key(sql_store, charted):
    if sql_store.db.family != "sqlite":
        pytest.skip("plans of the other databases follow their statistics")
    with statements_sent() as sent:
        sql_store.get_series(charted)
    looked_up = [each for each in sent if "run_forks" in each[0]]
    assert len(looked_up) == 2
    for statement, values in looked_up:
        explain = f"EXPLAIN QUERY PLAN {statement}"
        plan = sql_store.db.read(lambda c, query=explain, given=values: c.exec_driver_sql(query, given).all())
        details = [row.detail for row in plan if "segments" in row.detail]
        assert details == ["SEARCH segments USING INDEX ix_segments_find (run=? AND first_key<?)"] * 2


def test_postgresql_sends_the_bytes_of_prepared_statements_as_they_are(sql_store):
    if sql_store.db.family != "postgresql":
        pytest.skip("the others know no other way")
    query = text("SELECT CAST('\\x00ff' AS bytea), 1, 'text', CAST(0.5 AS float8)")
    expected = (b"\x00\xff", 1, "text", 0.5)
    with sql_store.db.engine.connect() as connection:
        prepared, plain = Prepared(query)(connection, {}), connection.execute(query)
        assert (prepared.cursor.pgresult.fformat(0), plain.cursor.pgresult.fformat(0)) == (1, 0)
        assert (tuple(prepared.one()), tuple(plain.one())) == (expected, expected)


def test_points_of_a_group_take_three(sql_store, experiment):
    runs = [sql_store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id for _ in range(20)]
    requests = [r.LogBatch(run_id=run, metrics=[Metric("m0", 0.5, 1, 1)]) for run in runs]
    sql_store.log_points(requests)  # the number of the name is known from here on
    with counted() as statements:
        assert sql_store.log_points(requests) == [None] * 20
    assert len(statements) == (4 if sql_store.db.family == "mysql" else 3), statements
