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
from benchmarks.results import Row
from benchmarks.search import searched, target_ms
from benchmarks.search_data import load
from benchmarks.servers import mlflow_server, stele_server
from benchmarks.setting import Setting
from compat.environments import CACHE
from services import fresh_database
from stele.stores.sql import SqlStore

__all__ = ["database_rows"]

_DRIVERS = ("psycopg", "psycopg-binary", "pymysql")
_SERVERS = {"PostgreSQL": "postgres", "MariaDB": "mariadb"}
_SHARE = 3
"""The others are to be no worse than SQLite by more than this."""
_BETTER = 20
"""And better than MLflow on the same database by this."""

_INGEST = "ingest of 1000-point batches, compacted"
_LOAD = "log-batch JSON of 1000 points, 8 clients"
_SMALL_LOAD = "log-batch JSON of 5 points, 32 clients (MLflow: 8)"

Fresh = Callable[[], AbstractContextManager[str]]
"""The URI of an empty database."""


class _Figure(NamedTuple):
    unit: str
    value: float
    p95: float | None = None
    target: float | None = None
    """Of SQLite's 95th percentile."""


def database_rows(setting: Setting) -> Iterator[Row]:
    """SQLite sets the targets. A server that cannot be reached has a row that tells why."""
    numbers = count()
    sqlite = dict(_figures(setting, lambda: nullcontext(f"sqlite:///{setting.folder}/sqlite{next(numbers)}.db")))
    for what, figure in sqlite.items():
        yield Row(f"SQLite: {what}", figure.unit, figure.value, p95=figure.p95)
    for name, server in _SERVERS.items():
        fresh = partial(fresh_database, server)
        try:
            figures, theirs = dict(_figures(setting, fresh)), dict(_theirs(setting, fresh))
        except pytest.skip.Exception as e:
            yield Row(f"{name}: not measured. {e.msg}", "", None)
            continue
        for what, figure in figures.items():
            target = _target(sqlite[what], theirs.get(what))
            yield Row(f"{name}: {what}", figure.unit, figure.value, theirs.get(what), target, p95=figure.p95)


def _target(sqlite: _Figure, theirs: float | None) -> float | None:
    """A third of what SQLite does, or is asked to do; or if that is more, twenty times what MLflow does."""
    if sqlite.unit.endswith("/s"):
        return max(sqlite.value / _SHARE, (theirs or 0.0) * _BETTER)
    if sqlite.p95 is not None:
        return sqlite.target and sqlite.target * _SHARE
    return sqlite.value * _SHARE


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
        yield _INGEST, _Figure("points/s", ingested(uri, points).points_a_second)
    with fresh() as uri:
        folder = setting.folder / f"served-{uri.rpartition('/')[2]}"
        yield f"{_INGEST}, HTTP", _Figure("points/s", through_server(folder, points, 1, uri))
    for size, name in WIDE_BATCHES.items():
        with fresh() as uri:
            rate = ingested_wide(uri, sizes.wide_steps, size)
            yield f"ingest into 10 000 keys of a run, {name} a batch, compacted", _Figure("points/s", rate)


def _loaded(setting: Setting, uri: str) -> Iterator[tuple[str, _Figure]]:
    with stele_server(setting.folder, uri) as server:
        many, small = (loaded(server, *kind, setting.sizes.request_seconds) for kind in (LARGE, SMALL))
    assert not many["refused"] + small["refused"], (many, small)
    yield _LOAD, _Figure("points/s", many["points_a_second"])
    yield _SMALL_LOAD, _Figure("requests/s", small["requests_a_second"])
    yield f"{_SMALL_LOAD}: p99", _Figure("ms", small["p99_ms"])


def _read(setting: Setting, uri: str) -> Iterator[tuple[str, _Figure]]:
    sizes = setting.sizes
    with SqlStore(uri, str(setting.folder)) as store:
        store.start_refresher()
        history, long = (stored_series(store, points) for points in (sizes.history_points, sizes.database_points))
        chart = [stored_series(store, sizes.chart_steps) for _ in range(sizes.chart_runs)]
        yield f"{history.points:,} points to numpy", _Figure("ms", to_numpy_ms(store, history))
        yield f"{long.points:,} points to {BUCKETS} buckets", _Figure("ms", chart_ms(store, [long], BUCKETS))
        what = f"{sizes.chart_runs} runs x {sizes.chart_steps:,} steps to {CHART_BUCKETS} buckets each"
        yield what, _Figure("ms", chart_ms(store, chart, CHART_BUCKETS))
    with stele_server(setting.folder, uri) as server:
        yield f"MLflow's JSON of {history.points:,} points, HTTP", _Figure("ms", json_ms(server, history))


def _searched(setting: Setting, uri: str) -> Iterator[tuple[str, _Figure]]:
    runs = setting.sizes.searched_runs[0]
    with SqlStore(uri, str(setting.folder)) as store:
        store.db.write(lambda connection: load(connection, runs))
        if store.db.family == "postgresql":  # which it does by itself, but not within the first minute
            store.db.write(lambda connection: connection.execute(text("ANALYZE")))
        for name, samples in searched(store, setting.sizes.search_rounds).items():
            target = target_ms(name, runs)
            figure = _Figure("ms", percentile(samples, 0.5), percentile(samples, 0.95), target)
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
