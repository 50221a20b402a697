"""Large stores: what a page needs of runs with millions of points, beside the same of runs with few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.ingest import fill
from benchmarks.measure import Progress, median_ms
from benchmarks.points import mix
from benchmarks.results import Limit, Row
from benchmarks.setting import Setting
from benchmarks.targets import INGEST
from stele.schema.runs import CreateRun, GetRun, SearchRuns
from stele.schema.series import GetSeries
from stele.stores.sql import SqlStore

__all__ = ["large_rows"]

_RUNS = 100
_FEW_POINTS = 5_000
_CHARTED_RUNS = 10
_CHART_BUCKETS = 400
_ROUNDS = 25
_TOLERANCE = 1.5
"""How much slower "as fast as" may be, on a machine that wobbles."""


class _Page(NamedTuple):
    """Milliseconds of what a page of runs, of one run and a chart ask for."""

    search_runs: float
    get_run: float
    chart: float


def large_rows(setting: Setting) -> Iterator[Row]:
    """Two stores of 100 runs: one with few points, and one that is measured half full and filled."""
    sizes = setting.sizes
    if not sizes.large_points:
        return
    with _opened(setting.folder / "few.db") as store:
        few_runs = _new_runs(store)
        _add(store, few_runs, _FEW_POINTS, 0)
        few = _page(store, few_runs)
    with _opened(setting.folder / "many.db") as store:
        runs = _new_runs(store)
        before = store.file_bytes()
        seconds = _add(store, runs, sizes.large_points, 0)
        many = _page(store, runs)
        seconds += _add(store, runs, sizes.huge_points - sizes.large_points, sizes.large_points)
        while store.reclaim_pages():
            pass
        grown = store.file_bytes() - before
    for name, ours, alone in zip(_Page._fields, many, few, strict=True):
        what = f"{_WHAT[name]} of {_RUNS} runs with {sizes.large_points:,} points"
        yield Row(what, "ms", ours, None, alone * _TOLERANCE, limit=Limit(alone, f"with {_FEW_POINTS:,} points"))
    what = f"{sizes.huge_points:,} points in {_RUNS} runs, 1000-point batches, FULL, compacted, store"
    yield Row(what, "s", seconds, None, sizes.huge_points / INGEST)
    yield Row(what, "points/s", sizes.huge_points / seconds, None, INGEST)
    yield Row(what, "bytes/point", grown / sizes.huge_points, None, 3.0)


_WHAT = {
    "search_runs": "search_runs, page of 100,",
    "get_run": "get_run",
    "chart": f"chart of {_CHARTED_RUNS} series, {_CHART_BUCKETS} buckets,",
}


def _opened(path: Path) -> SqlStore:
    store = SqlStore(f"sqlite:///{path}", str(path.parent))
    store.start_refresher()
    return store


def _new_runs(store: SqlStore) -> list[str]:
    made = (store.create_run(CreateRun(experiment_id="0", start_time=number)) for number in range(_RUNS))
    return [response.run.info.run_id for response in made]


def _add(store: SqlStore, runs: Sequence[str], points: int, already: int) -> float:
    """Log so many more points to all runs together; returns the seconds."""
    seconds = 0.0
    progress = Progress("logging points", points)
    for number, run_id in enumerate(runs):
        progress.at(number * points // len(runs))
        columns = mix(points // len(runs), seed=number)
        first = already // len(runs) // len(columns.values)
        later = columns._replace(steps=columns.steps + first, timestamps=columns.timestamps + first * 100)
        seconds += fill(store, run_id, later)
    return seconds


def _page(store: SqlStore, runs: Sequence[str]) -> _Page:
    listing = SearchRuns(experiment_ids=["0"], order_by=["start_time DESC"], max_results=_RUNS)
    one = GetRun(run_id=runs[_RUNS // 2])
    chart = GetSeries(run_ids=list(runs[:_CHARTED_RUNS]), keys=["loss"], buckets=_CHART_BUCKETS)
    return _Page(
        median_ms(lambda: store.search_runs(listing), _ROUNDS),
        median_ms(lambda: store.get_run(one), _ROUNDS),
        median_ms(lambda: store.get_series(chart), _ROUNDS),
    )
