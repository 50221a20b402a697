"""The same rows on PostgreSQL and MariaDB, beside those of SQLite."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.ingest import ingested, their_figures
from benchmarks.points import mix
from benchmarks.reads import BUCKETS, chart_ms, stored_series, to_numpy_ms
from benchmarks.results import Row
from benchmarks.setting import Setting
from compat.environments import CACHE
from services import fresh_database
from stele.stores.sql import SqlStore

__all__ = ["database_rows"]

_DRIVERS = ("psycopg", "psycopg-binary", "pymysql")
_SERVERS = {"PostgreSQL": "postgres", "MariaDB": "mariadb"}
_SHARE = 3
"""The others are to be no worse than SQLite by more than this."""


class _Figures(NamedTuple):
    points_a_second: float
    to_numpy_ms: float
    chart_ms: float


def database_rows(setting: Setting) -> Iterator[Row]:
    """SQLite sets the targets. A server that cannot be reached has a row that tells why."""
    sqlite = _measured(setting, *(f"sqlite:///{setting.folder}/{name}.db" for name in ("ingest", "read")))
    yield from _rows(setting, "SQLite", sqlite, None, None)
    drivers = _drivers(setting.theirs)
    for name, server in _SERVERS.items():
        try:
            with fresh_database(server) as first, fresh_database(server) as second:
                figures = _measured(setting, first, second)
            with fresh_database(server) as uri:
                points = mix(setting.sizes.their_ingest_points)
                theirs = their_figures(setting, uri, points, PYTHONPATH=str(drivers)).points_a_second
        except pytest.skip.Exception as e:
            yield Row(f"{name}: not measured. {e.msg}", "", None)
        else:
            yield from _rows(setting, name, figures, theirs, sqlite)


def _measured(setting: Setting, empty: str, other: str) -> _Figures:
    """The figures of a kind of database, given two that are empty."""
    sizes = setting.sizes
    rate = ingested(empty, mix(sizes.ingest_points)).points_a_second
    with SqlStore(other, str(setting.folder)) as store:
        store.start_refresher()
        history, long = (stored_series(store, points) for points in (sizes.history_points, sizes.database_points))
        return _Figures(rate, to_numpy_ms(store, history), chart_ms(store, [long], BUCKETS))


def _rows(
    setting: Setting, name: str, figures: _Figures, theirs: float | None, sqlite: _Figures | None
) -> Iterator[Row]:
    sizes = setting.sizes
    least = None if sqlite is None else sqlite.points_a_second / _SHARE
    read, chart = (None, None) if sqlite is None else (sqlite.to_numpy_ms * _SHARE, sqlite.chart_ms * _SHARE)
    yield Row(f"{name}: ingest of 1000-point batches, compacted", "points/s", figures.points_a_second, theirs, least)
    yield Row(f"{name}: {sizes.history_points:,} points to numpy", "ms", figures.to_numpy_ms, None, read)
    what = f"{name}: {sizes.database_points:,} points to {BUCKETS} buckets"
    yield Row(what, "ms", figures.chart_ms, None, chart)


def _drivers(theirs: Path) -> Path:
    """A directory with the drivers that we use, for MLflow; it stays beside MLflow's environment."""
    folder = CACHE / "drivers"
    if not (folder / "pymysql").exists():
        packages = [f"{name}=={version(name)}" for name in _DRIVERS]
        install = [str(theirs), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*install, "--target", str(folder), *packages], check=True)
    return folder
