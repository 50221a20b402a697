"""What a process remembers of runs that are removed: on SQLite the next run may get the number of one of them."""

from __future__ import annotations

import uuid

from stele.schema import experiments as e
from stele.schema import run_table as t
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.schema.runs import Param
from stele.schema.series import GetSeries
from stele.stores.sql import SqlStore
from stele.stores.sql.purge import PurgeChoice

STEPS = 2_000


def trained(store: SqlStore, experiment: str, value: float) -> str:
    """A run whose points are compacted."""
    run_id = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    metrics = [Metric("loss", value, step, step) for step in range(STEPS)]
    for start in range(0, STEPS, 1_000):
        store.log_batch(r.LogBatch(run_id=run_id, metrics=metrics[start : start + 1_000]))
    store.log_batch(r.LogBatch(run_id=run_id, params=[Param("lr", str(value))]))
    store.compact_all(lambda _points: None)
    return run_id


def seen(store: SqlStore, experiments: list[str]) -> dict[str, list[tuple[str, float]]]:
    """Each run with its loss: as it is found by search, by the table of runs, and in a chart."""
    order, lr = ["metrics.loss DESC"], "params.lr > 0"
    found = store.search_runs(r.SearchRuns(experiment_ids=experiments, filter=lr, order_by=order)).runs
    columns = [t.RunColumn(kind="metric", key="loss")]
    table = store.query_runs_table(
        t.QueryRunsTable(experiment_ids=experiments, filter=lr, order_by=order, columns=columns)
    )
    run_ids = [run.info.run_id for run in found]
    charts = store.get_series(GetSeries(run_ids=run_ids, keys=["loss"], buckets=10)).series if run_ids else []
    return {
        "search": [(run.info.run_id, run.data.metrics["loss"]) for run in found],
        "table": [(row.run_id, row.values[0]) for row in table.rows],
        "chart": [(series.run_id, series.last.data[-1]) for series in charts],
    }


def test_a_run_is_not_taken_for_a_removed_one(sql_store, other):
    first, second = (
        sql_store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id for _ in range(2)
    )
    for value, (old, new) in enumerate([(first, first), (first, second), (second, first)], start=1):
        removed = trained(sql_store, old, value)
        assert {name: rows[0] for name, rows in seen(other, [old]).items()} == dict.fromkeys(
            ("search", "table", "chart"), (removed, value)
        )
        sql_store.delete_run(r.DeleteRun(run_id=removed))
        wanted = PurgeChoice(experiment_ids=(int(old),))
        sql_store.purge_runs(sql_store.claim_runs([run.run for run in sql_store.deleted_runs(wanted, 100)]))
        run_id = trained(sql_store, new, value + 10)
        for store in (other, sql_store):
            for experiments in ([first], [second], [first, second]):
                rows = seen(store, experiments)
                assert all(removed not in dict(each) for each in rows.values())
                assert [each[0] for each in rows.values() if each] == [(run_id, value + 10)] * (
                    3 if new in experiments else 0
                )
        sql_store.delete_run(r.DeleteRun(run_id=run_id))
