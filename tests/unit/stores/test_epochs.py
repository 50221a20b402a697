"""Segments of different rewinds lie side by side: none is merged with another, and hidden ones are not read."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from series_oracle import key_number, new_experiment, new_run, small_blocks
from sqlalchemy import insert, select, update

from stele.schema import metrics as m
from stele.schema import rewinds as w
from stele.schema import runs as r
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.metrics import Metric
from stele.schema.rewinds import RewindRun
from stele.schema.series import GetSeries
from stele.stores.sql.cells import as_cells
from stele.stores.sql.column_blocks import BLOCK_POINTS
from stele.stores.sql.pyramid import CellSeries, read_cells
from stele.stores.sql.series_reader import read_points
from stele.stores.sql.tables import rewinds, segments


def log(store, run_id, first, last, value):
    metrics = [Metric("loss", value, step, step) for step in range(first, last)]
    store.log_batch(r.LogBatch(run_id=run_id, metrics=metrics))


@pytest.fixture
def rewound(sql_store, monkeypatch):
    """Steps 0 to 39; then step 20 and on were hidden by a rewind, and logged again with another value."""
    small_blocks(monkeypatch)
    experiment = new_experiment(sql_store)
    run_id, number = new_run(sql_store, experiment)
    log(sql_store, run_id, 0, 20, 1.0)
    sql_store.compact_run(number, whole=True, until=math.inf)
    shown = set(sql_store.db.read(lambda c: c.scalars(select(segments.c.id).where(segments.c.run == number)).all()))
    log(sql_store, run_id, 20, 40, 1.0)
    sql_store.compact_run(number, until=math.inf)

    def rewind(connection):
        later = (segments.c.run == number) & segments.c.id.not_in(shown) & (segments.c.first_step >= 20)
        connection.execute(update(segments).where(later).values(hidden_epoch=1))
        row = {"run": number, "epoch": 1, "step": 19, "principal": "p", "creation_time": 0}
        connection.execute(insert(rewinds).values(row))

    sql_store.db.write(rewind)
    log(sql_store, run_id, 15, 50, 2.0)
    sql_store.compact_run(number, whole=True, until=math.inf)
    return sql_store, number, key_number(sql_store, experiment, "loss")


def test_each_epoch_keeps_its_segments(rewound):
    store, number, _ = rewound
    rows = store.db.read(lambda c: c.execute(select(segments).where(segments.c.run == number)).all())
    assert {(row.epoch, row.hidden_epoch) for row in rows} == {(0, 0), (0, 1), (1, 0)}
    assert sum(row.points for row in rows if row.epoch == 1) == 35
    assert sum(row.points for row in rows if row.epoch == 0) == 40


def test_hidden_points_are_not_read(rewound):
    store, number, key = rewound
    points = store.db.read(lambda c: read_points(c, number, [key])[key])
    early, again = points[points.values == 1.0], points[points.values == 2.0]
    assert set(range(20)) <= set(early.steps.tolist())
    assert again.steps.tolist() == list(range(15, 50))
    [cells] = store.db.read(lambda c: list(read_cells(c, [CellSeries(number, key, 1)])))
    assert int(as_cells(cells)["points"].sum()) == len(points)


def test_a_chart_that_was_asked_for_before_shows_less_of_a_fork_that_was_rewound(sql_store):
    experiment = new_experiment(sql_store)
    run_id, number = new_run(sql_store, experiment)
    count = BLOCK_POINTS
    columns = list(range(count)), [0] * count, [0.5] * count
    sql_store.ingest(Ingest(client_id=run_id, sequence=1, series=[IngestSeries(run_id, "loss", *columns)]))
    sql_store.compact_run(number, whole=True, until=math.inf)
    fork = sql_store.create_run(r.CreateRun(experiment_id=experiment, fork_from=run_id)).run.info.run_id

    def last_steps():
        [found] = sql_store.get_series(GetSeries(run_ids=[fork], keys=["loss"], buckets=4)).series
        return found.last_x.data.tolist()

    assert last_steps()[-1] == count - 1
    for step in (count - 100, count - 200):
        sql_store.rewind_run(RewindRun(run_id=fork, step=step))
        assert last_steps()[-1] == step


def test_rewinding_takes_little_memory_however_many_points_there_are(sql_store, monkeypatch):
    """1.2 million points of 300 metrics."""
    monkeypatch.setattr("stele.stores.sql.epochs._POINTS_AT_ONCE", 50_000)
    run_id, number = new_run(sql_store, new_experiment(sql_store))
    for sequence in range(1, 9):
        column = memoryview(np.arange((sequence - 1) * 500, sequence * 500))
        values = memoryview(np.random.default_rng(sequence).normal(size=500))
        series = [IngestSeries(run_id, f"m{key}", column, column, values) for key in range(300)]
        sql_store.ingest(Ingest(client_id=f"c{number}", sequence=sequence, series=series))
    sql_store.apply_all()
    sql_store.compact_run(number, whole=True, until=math.inf)  # nothing is left for the thread that compacts
    tracemalloc.start()
    assert sql_store.rewind_run(w.RewindRun(run_id=run_id, step=2_499)).hidden_points == 450_000
    assert sql_store.undo_rewind(w.UndoRewind(run_id=run_id)).restored_points == 450_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24_000_000  # all points together are 28.8 MB, as cells 115 MB


def test_a_long_log_is_emptied_in_parts(sql_store, monkeypatch):
    monkeypatch.setattr("stele.stores.sql.epochs._POINTS_AT_ONCE", 15)
    run_id, number = new_run(sql_store, new_experiment(sql_store))
    for first in (0, 10, 5, 20, 30):
        log(sql_store, run_id, first, first + 10, float(first))
    assert sql_store.rewind_run(w.RewindRun(run_id=run_id, step=11)).hidden_points == 31
    assert sql_store.undo_rewind(w.UndoRewind(run_id=run_id)).restored_points == 31
    sql_store.compact_run(number, whole=True, until=math.inf)
    found = sql_store.get_metric_history(m.GetMetricHistory(run_id=run_id, metric_key="loss")).metrics
    expected = {(step, float(first)) for first in (0, 10, 5, 20, 30) for step in range(first, first + 10)}
    assert len(found) == 50
    assert {(point.step, point.value) for point in found} == expected
