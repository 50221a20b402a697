"""``stele db compact``."""

from __future__ import annotations

import math

from stele.schema import runs as r
from stele.schema.metrics import GetMetricHistory, Metric
from stele.stores.sql import SqlStore


def test_points_are_compressed_and_stay(cli, cli_json, tmp_path):
    uri = "sqlite:///stele.db"
    with SqlStore(uri, str(tmp_path)) as store:
        run_id = store.create_run(r.CreateRun(experiment_id="0")).run.info.run_id
        for start in range(0, 60_000, 1_000):
            points = [Metric("loss", math.sin(step), step, step) for step in range(start, start + 1_000)]
            store.log_batch(r.LogBatch(run_id=run_id, metrics=points))
        # A process that is killed leaves its points in the log.
        store.backlog.take(next(iter(store.points_in_logs())))
    found = cli_json("db", "compact", uri)
    assert (found["runs"], found["points"]) == (1, 60_000)
    assert found["bytes_after"] < found["bytes_before"] / 2
    again = cli("db", "compact", uri)
    assert "compacted 0 points of 0 runs; the file has" in again.stdout
    assert again.stderr == ""
    with SqlStore(uri, str(tmp_path)) as store:
        history = store.get_metric_history(GetMetricHistory(run_id=run_id, metric_key="loss")).metrics
        assert [point.value for point in history] == [math.sin(step) for step in range(60_000)]


def test_a_file_that_is_not_there_is_not_made(cli, tmp_path):
    assert "There is no file" in cli("db", "compact", "sqlite:///nothing.db", code=1).stderr
    assert not (tmp_path / "nothing.db").exists()
