"""Searching a large store: the same runs in both, a page of 100 runs with everything that was logged to them."""

from __future__ import annotations

import json
import select
import statistics
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measure import percentile, times_ms
from benchmarks.results import Row
from benchmarks.search_data import QUERIES
from benchmarks.search_stores import EXPERIMENT, our_search_store, search_folder, their_search_store
from benchmarks.setting import Setting
from stele.schema.runs import SearchRuns
from stele.stores.sql import SqlStore

__all__ = ["search_rows", "searched", "target_ms"]

_MLFLOW_SECONDS = 60
_MLFLOW_RUNS = 100_000
"""With more runs it would take hours."""
_BROAD = frozenset({"Q8", "Q10", "Q11", "Q12"})
"""Queries that AND several comparisons, none of which finds few runs."""
_TARGETS_MS = {100_000: {False: 3.0, True: 20.0}, 1_000_000: {False: 5.0, True: 200.0}}
"""By number of runs, and by whether the query is broad."""


def search_rows(setting: Setting) -> Iterator[Row]:
    """Every query of the list, at each number of runs."""
    for runs in setting.sizes.searched_runs:
        folder = search_folder(setting, runs)
        found = _ours(folder, runs, setting.sizes.search_rounds)
        other = _theirs(setting.theirs, folder) if runs <= _MLFLOW_RUNS else {}
        for query in QUERIES:
            text = " ".join([query.filter_string or "(all)", *(f"ORDER BY {key}" for key in query.order_by)])
            samples = found[query.name]
            yield Row(
                f"{query.name} {text}, {runs:,} runs",
                "ms",
                statistics.median(samples),
                other.get(query.name),
                target_ms(query.name, runs),
                p95=percentile(samples, 0.95),
            )


def _ours(folder: Path, runs: int, rounds: int) -> dict[str, list[float]]:
    """The milliseconds of every search, by the name of its query."""
    path = our_search_store(folder, runs)
    with SqlStore(f"sqlite:///{path}", str(folder)) as store:
        return searched(store, rounds)


def target_ms(query: str, runs: int) -> float | None:
    """What the 95th percentile of a search of so many runs may take; None for numbers of runs without a target."""
    return _TARGETS_MS.get(runs, {}).get(query in _BROAD)


def searched(store: SqlStore, rounds: int) -> dict[str, list[float]]:
    """The milliseconds of every search in a store with the runs of the benchmark, by the name of its query."""
    samples = {}
    for query in QUERIES:
        request = SearchRuns(
            experiment_ids=[EXPERIMENT],
            filter=query.filter_string,
            order_by=list(query.order_by),
            max_results=100,
        )
        samples[query.name] = times_ms(partial(store.search_runs, request), rounds, warm=2)
    return samples


def _theirs(python: Path, folder: Path) -> dict[str, float]:
    """MLflow's figures by query; infinite for one that was stopped, absent for one it cannot parse."""
    script = str(Path(__file__).with_name("mlflow_search.py"))
    their_search_store(python, folder)
    result: dict[str, float] = {}
    waiting = [
        [query.name, query.filter_string, list(query.order_by)]
        for query in QUERIES
        if " OR " not in query.filter_string
    ]
    while waiting:
        process = subprocess.Popen(
            [str(python), script, "search", str(folder), EXPERIMENT, json.dumps(waiting)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout
        while waiting:
            ready, _, _ = select.select([process.stdout], [], [], _MLFLOW_SECONDS)
            line = process.stdout.readline() if ready else ""
            name = str(waiting.pop(0)[0])
            result[name] = float(line) if line else float("inf")
            if not line:
                break
        process.kill()
        process.wait()
    return result
