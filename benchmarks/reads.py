"""Series on their way back: to arrays, to MLflow's JSON, to charts; in the store and over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np

import stele
from benchmarks.ingest import fill
from benchmarks.machine import memcpy_ms
from benchmarks.measure import median_ms, run_script
from benchmarks.points import rounded
from benchmarks.results import Row
from benchmarks.servers import Server, mlflow_server, stele_server
from benchmarks.setting import Setting, Sizes
from benchmarks.targets import CHART_MS, HISTORY_MS, TO_NUMPY_MS, charts_ms
from stele.schema.runs import CreateRun
from stele.schema.series import BucketSeries, GetSeries, PointSeries
from stele.stores.sql import SqlStore

__all__ = [
    "BUCKETS",
    "CHART_BUCKETS",
    "KEY",
    "Series",
    "chart_ms",
    "json_ms",
    "read_rows",
    "stored_series",
    "to_numpy_ms",
]

KEY = "accuracy"
_BATCH = 100_000
_ROUNDS = 15
BUCKETS = 2_000
CHART_BUCKETS = 400
_MILLION = 1_000_000
_THEIR_POINTS = 320
"""What MLflow's page asks for."""
_THEIR_ROUNDS = 3
_INTERVAL = "get-history-bulk-interval"


class Series(NamedTuple):
    """A series of one run; its key is ``KEY``."""

    run_id: str
    points: int


class _Chart(NamedTuple):
    """Milliseconds for many buckets of one long series, and for some of many runs."""

    long: float
    many: float


def read_rows(setting: Setting) -> Iterator[Row]:
    """Ours of a database with all the series, MLflow's of one with those that it can read in seconds."""
    sizes = setting.sizes
    theirs = _theirs(setting)
    with SqlStore(f"sqlite:///{setting.folder}/stele.db") as store:
        store.start_refresher()
        whole = stored_series(store, min(_MILLION, sizes.long_points))
        history = stored_series(store, sizes.history_points)
        long = stored_series(store, sizes.long_points)
        chart = [stored_series(store, sizes.chart_steps) for _ in range(sizes.chart_runs)]
        in_store = to_numpy_ms(store, whole)
        charts = _Chart(chart_ms(store, [long], BUCKETS), chart_ms(store, chart, CHART_BUCKETS))
    with stele_server(setting.folder) as server:
        over_http, charts_http = _through_server(server.url, whole, long, chart)
        whole_json = json_ms(server, history)

    what = f"{whole.points:,} points to numpy"
    size = f"MLflow: {sizes.history_points:,} points to objects"
    limit = memcpy_ms(whole.points)
    yield Row(f"{what}, store ({size})", "ms", in_store, theirs.history, TO_NUMPY_MS, limit=limit)
    yield Row(f"{what}, HTTP ({size})", "ms", over_http, theirs.history_http, 60, limit=limit)
    yield Row(
        f"MLflow's JSON of {history.points:,} points, whole answer, HTTP", "ms", whole_json, theirs.json, HISTORY_MS
    )
    what = f"{long.points:,} points to {BUCKETS} buckets"
    size = f"MLflow: {sizes.history_points:,} points to {_THEIR_POINTS}, HTTP"
    yield Row(f"{what}, store ({size})", "ms", charts.long, theirs.interval, CHART_MS)
    yield Row(f"{what}, HTTP ({size})", "ms", charts_http.long, theirs.interval, 12)
    what = f"{sizes.chart_runs} runs x {sizes.chart_steps:,} steps to {CHART_BUCKETS} buckets each"
    size = f"MLflow: {sizes.chart_runs} runs x {_their_chart_steps(sizes):,} steps to {_THEIR_POINTS}, HTTP"
    yield Row(f"{what}, store ({size})", "ms", charts.many, theirs.chart, charts_ms(sizes.chart_runs))
    yield Row(f"{what}, HTTP ({size})", "ms", charts_http.many, theirs.chart)


def stored_series(store: SqlStore, points: int) -> Series:
    """A new run with a compacted series of so many points."""
    run_id = store.create_run(CreateRun(experiment_id="0")).run.info.run_id
    fill(store, run_id, rounded(points), points=_BATCH)
    return Series(run_id, points)


def to_numpy_ms(store: SqlStore, series: Series) -> float:
    """Milliseconds to read a series into three arrays."""
    request = GetSeries(run_ids=[series.run_id], keys=[KEY], max_points=series.points)

    def read() -> None:
        (found,) = store.get_series(request).series
        assert isinstance(found, PointSeries)
        arrays = [np.asarray(column.data) for column in (found.steps, found.timestamps, found.values)]
        assert [len(array) for array in arrays] == [series.points] * 3

    return median_ms(read, _ROUNDS)


def chart_ms(store: SqlStore, series: Sequence[Series], buckets: int) -> float:
    """Milliseconds to sum series up in buckets."""
    request = GetSeries(run_ids=[item.run_id for item in series], keys=[KEY], buckets=buckets)

    def read() -> None:
        found = [item for item in store.get_series(request).series if isinstance(item, BucketSeries)]
        assert sum(int(np.asarray(item.counts.data).sum()) for item in found) == sum(item.points for item in series)

    return median_ms(read, _ROUNDS)


def json_ms(server: Server, series: Series) -> float:
    """Milliseconds until the last byte of MLflow's JSON of a series."""
    return _get_ms(server, "get-history", [("run_id", series.run_id), ("metric_key", KEY)], _ROUNDS)


def _through_server(url: str, whole: Series, long: Series, chart: Sequence[Series]) -> tuple[float, _Chart]:
    """What a script sees: milliseconds to arrays, and to buckets."""
    stele.set_tracking_uri(url)
    try:
        whole_ms = median_ms(lambda: stele.metric_history(whole.run_id, KEY, output_format="numpy"), _ROUNDS)
        charts = []
        for series, buckets in (([long], BUCKETS), (chart, CHART_BUCKETS)):
            read = partial(
                stele.metric_history,
                [item.run_id for item in series],
                KEY,
                buckets=buckets,
                output_format="numpy",
            )
            charts.append(median_ms(read, _ROUNDS))
    finally:
        stele.set_tracking_uri("")
    return whole_ms, _Chart(*charts)


def _get_ms(server: Server, path: str, parameters: Sequence[tuple[str, object]], rounds: int) -> float:
    """Milliseconds until the last byte of an answer of JSON; it must hold metrics."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    target = f"/ajax-api/2.0/mlflow/metrics/{path}?{urlencode(parameters)}"

    def get() -> bytes:
        connection.request("GET", target)
        return connection.getresponse().read()

    assert json.loads(get())["metrics"], target
    milliseconds = median_ms(get, rounds, warm=0)
    connection.close()
    return milliseconds


class _Theirs(NamedTuple):
    """MLflow's milliseconds."""

    history: float
    history_http: float
    json: float
    interval: float
    chart: float


def _theirs(setting: Setting) -> _Theirs:
    sizes, database = setting.sizes, f"{setting.folder}/mlflow.db"

    def script(*arguments: object) -> Any:
        return run_script(setting.theirs, "mlflow_points.py", *(str(item) for item in arguments))

    (run_id,) = script("fill", database, 1, sizes.history_points)
    chart = script("fill", database, sizes.chart_runs, _their_chart_steps(sizes))
    interval = [("metric_key", "loss"), ("max_results", _THEIR_POINTS)]
    with mlflow_server(setting.theirs, setting.folder) as server:
        return _Theirs(
            history=script("history", f"sqlite:///{database}", run_id)["seconds"] * 1000,
            history_http=script("history", server.url, run_id)["seconds"] * 1000,
            json=_get_ms(server, "get-history", [("run_id", run_id), ("metric_key", "loss")], _THEIR_ROUNDS),
            interval=_get_ms(server, _INTERVAL, [("run_ids", run_id), *interval], _THEIR_ROUNDS),
            chart=_get_ms(server, _INTERVAL, [*(("run_ids", item) for item in chart), *interval], _THEIR_ROUNDS),
        )


def _their_chart_steps(sizes: Sizes) -> int:
    return sizes.history_points // sizes.chart_runs
