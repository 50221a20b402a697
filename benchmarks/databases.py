"""The same rows on PostgreSQL and MariaDB, beside those of SQLite and of MLflow on the same database."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import text

from benchmarks.ingest import WIDE_BATCHES, ingested, ingested_wide, their_figures, through_server
from benchmarks.load import LARGE, SMALL, THEIR_SMALL, loaded
from benchmarks.measure import percentile
from benchmarks.points import mix
from benchmarks.reads import BUCKETS, CHART_BUCKETS, chart_ms, json_ms, stored_series, to_numpy_ms
from benchmarks.results import Limit, Row
from benchmarks.search import searched, target_ms
from benchmarks.search_data import load
from benchmarks.servers import mlflow_server, stele_server
from benchmarks.setting import Setting
from benchmarks.targets import (
    CHART_MS,
    HISTORY_MS,
    HTTP_INGEST,
    INGEST,
    JSON_POINTS,
    SMALL_P99_MS,
    SMALL_REQUESTS,
    TO_NUMPY_MS,
    WIDE_INGEST,
    charts_ms,
)
from compat.environments import CACHE
from services import fresh_database
from stele.stores.sql import SqlStore

__all__ = ["database_rows"]

_DRIVERS = ("psycopg", "psycopg-binary", "pymysql")
_SERVERS = {"PostgreSQL": "postgres", "MariaDB": "mariadb"}
_SHARE = 3
_BETTER = 20
"""The others may be worse than SQLite is to be by the one, and are to be better than MLflow on them by the other."""

_INGEST = "ingest of 1000-point batches, compacted"
_LOAD = "log-batch JSON of 1000 points, 8 clients"
_SMALL_LOAD = "log-batch JSON of 5 points, 32 clients (MLflow: 8)"

Fresh = Callable[[], AbstractContextManager[str]]
"""The URI of an empty database."""


class _Figure(NamedTuple):
    """What was measured on a database, and what SQLite is asked to do, where it is asked."""

    unit: str
    value: float
    target: float | None
    p95: float | None = None


def database_rows(setting: Setting) -> Iterator[Row]:
    """Each figure beside that of SQLite. A server that cannot be reached has a row that tells why."""
    numbers = count()
    sqlite = dict(_figures(setting, lambda: nullcontext(f"sqlite:///{setting.folder}/sqlite{next(numbers)}.db")))
    for name, server in _SERVERS.items():
        fresh = partial(fresh_database, server)
        try:
            figures, theirs = dict(_figures(setting, fresh)), dict(_theirs(setting, fresh))
        except pytest.skip.Exception as e:
            yield Row(f"{name}: not measured. {e.msg}", "", None)
            continue
        for what, figure in figures.items():
            target = _target(figure, theirs.get(what))
            beside = Limit(sqlite[what].value, "SQLite")
            yield Row(f"{name}: {what}", figure.unit, figure.value, theirs.get(what), target, figure.p95, beside)


def _target(figure: _Figure, theirs: float | None) -> float | None:
    """A third of what SQLite is asked to do; of rates also twenty times what MLflow does on this database."""
    if figure.target is None or not figure.unit.endswith("/s"):
        return figure.target and figure.target * _SHARE
    return max(figure.target / _SHARE, (theirs or 0.0) * _BETTER)


def _figures(setting: Setting, fresh: Fresh) -> Iterator[tuple[str, _Figure]]:
    """What is measured on a kind of database."""
    yield from _written(setting, fresh)
    with fresh() as uri:
        yield from _loaded(setting, uri)
    with fresh() as uri:
        yield from _read(setting, uri)
    with fresh() as uri:
        yield from _searched(setting, uri)


def _written(setting: Setting, fresh: Fresh) -> Iterator[tuple[str, _Figure]]:
    sizes = setting.sizes
    points = mix(sizes.ingest_points)
    with fresh() as uri:
        yield _INGEST, _Figure("points/s", ingested(uri, points).points_a_second, INGEST)
    with fresh() as uri:
        folder = setting.folder / f"served-{uri.rpartition('/')[2]}"
        yield f"{_INGEST}, HTTP", _Figure("points/s", through_server(folder, points, 1, uri), HTTP_INGEST)
    for size, name in WIDE_BATCHES.items():
        with fresh() as uri:
            rate = ingested_wide(uri, sizes.wide_steps, size)
            yield f"ingest into 10 000 keys of a run, {name} a batch, compacted", _Figure("points/s", rate, WIDE_INGEST)


def _loaded(setting: Setting, uri: str) -> Iterator[tuple[str, _Figure]]:
    with stele_server(setting.folder, uri) as server:
        many, small = (loaded(server, *kind, setting.sizes.request_seconds) for kind in (LARGE, SMALL))
    assert not many["refused"] + small["refused"], (many, small)
    yield _LOAD, _Figure("points/s", many["points_a_second"], JSON_POINTS)
    yield _SMALL_LOAD, _Figure("requests/s", small["requests_a_second"], SMALL_REQUESTS)
    yield f"{_SMALL_LOAD}: p99", _Figure("ms", small["p99_ms"], SMALL_P99_MS)


def _read(setting: Setting, uri: str) -> Iterator[tuple[str, _Figure]]:
    sizes = setting.sizes
    with SqlStore(uri, str(setting.folder)) as store:
        store.start_refresher()
        history, long = (stored_series(store, points) for points in (sizes.history_points, sizes.database_points))
        chart = [stored_series(store, sizes.chart_steps) for _ in range(sizes.chart_runs)]
        target = TO_NUMPY_MS * history.points / 1_000_000
        yield f"{history.points:,} points to numpy", _Figure("ms", to_numpy_ms(store, history), target)
        yield f"{long.points:,} points to {BUCKETS} buckets", _Figure("ms", chart_ms(store, [long], BUCKETS), CHART_MS)
        what = f"{sizes.chart_runs} runs x {sizes.chart_steps:,} steps to {CHART_BUCKETS} buckets each"
        yield what, _Figure("ms", chart_ms(store, chart, CHART_BUCKETS), charts_ms(sizes.chart_runs))
    with stele_server(setting.folder, uri) as server:
        yield f"MLflow's JSON of {history.points:,} points, HTTP", _Figure("ms", json_ms(server, history), HISTORY_MS)


def _searched(setting: Setting, uri: str) -> Iterator[tuple[str, _Figure]]:
    runs = setting.sizes.searched_runs[0]
    with SqlStore(uri, str(setting.folder)) as store:
        store.db.write(lambda connection: load(connection, runs))
        if store.db.family == "postgresql":  # which it does by itself, but not within the first minute
            store.db.write(lambda connection: connection.execute(text("ANALYZE")))
        for name, samples in searched(store, setting.sizes.search_rounds).items():
            figure = _Figure("ms", percentile(samples, 0.5), target_ms(name, runs), percentile(samples, 0.95))
            yield f"search {name}, {runs:,} runs", figure


def _theirs(setting: Setting, fresh: Fresh) -> Iterator[tuple[str, float]]:
    """MLflow's figures, by the same names as ours."""
    drivers = str(_drivers(setting.theirs))
    points = mix(setting.sizes.their_ingest_points)
    with fresh() as uri:
        yield _INGEST, their_figures(setting, uri, points, PYTHONPATH=drivers).points_a_second
    with fresh() as uri, mlflow_server(setting.theirs, setting.folder, uri, PYTHONPATH=drivers) as server:
        yield f"{_INGEST}, HTTP", their_figures(setting, server.url, points).points_a_second
        many, small = (loaded(server, *kind, setting.sizes.request_seconds) for kind in (LARGE, THEIR_SMALL))
        yield _LOAD, many["points_a_second"]
        yield _SMALL_LOAD, small["requests_a_second"]
        yield f"{_SMALL_LOAD}: p99", small["p99_ms"]


def _drivers(theirs: Path) -> Path:
    """A directory with the drivers that we use, for MLflow; it stays beside MLflow's environment."""
    folder = CACHE / "drivers"
    if not (folder / "pymysql").exists():
        packages = [f"{name}=={version(name)}" for name in _DRIVERS]
        install = [str(theirs), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*install, "--target", str(folder), *packages], check=True)
    return folder
