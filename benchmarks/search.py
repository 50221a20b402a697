"""Searching a large store: the same runs in both, a page of 100 runs with everything that was logged to them."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, median_ms
from benchmarks.search_data import QUERIES, load
from stele.schema.runs import SearchRuns
from stele.stores.sql import SqlStore

__all__ = ["search_rows"]

_MLFLOW_SECONDS = 60
_TARGET_MS = 20


def search_rows(theirs: Path, folder: Path, runs: int) -> Iterator[Row]:
    """Every query of the list."""
    uri = f"sqlite:///{folder}/search.db"
    with SqlStore(uri, str(folder)) as store:
        experiment = "1"
        store.db.write(lambda connection: load(connection, runs, experiment_id=int(experiment)))
        found = {query.name: _ours(store, experiment, query.filter_string, query.order_by) for query in QUERIES}
    other = _theirs(theirs, folder, experiment)
    for query in QUERIES:
        text = " ".join([query.filter_string or "(all)", *(f"ORDER BY {key}" for key in query.order_by)])
        target = _TARGET_MS if runs >= 100_000 else None
        yield Row(f"{query.name} {text}, {runs:,} runs", "ms", found[query.name], other.get(query.name), target)


def _ours(store: SqlStore, experiment: str, filter_string: str, order_by: tuple[str, ...]) -> float:
    request = SearchRuns(experiment_ids=[experiment], filter=filter_string, order_by=list(order_by), max_results=100)
    return median_ms(lambda: store.search_runs(request), 15, warm=2)


def _theirs(python: Path, folder: Path, experiment: str) -> dict[str, float]:
    """MLflow's figures by query; infinite for one that was stopped, absent for one it cannot parse."""
    script = str(Path(__file__).with_name("mlflow_search.py"))
    subprocess.run([str(python), script, "load", str(folder), experiment], check=True)
    result: dict[str, float] = {}
    waiting = [
        [query.name, query.filter_string, list(query.order_by)]
        for query in QUERIES
        if " OR " not in query.filter_string
    ]
    while waiting:
        process = subprocess.Popen(
            [str(python), script, "search", str(folder), experiment, json.dumps(waiting)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout
        while waiting:
            ready, _, _ = select.select([process.stdout], [], [], _MLFLOW_SECONDS)
            line = process.stdout.readline() if ready else ""
            name = waiting.pop(0)[0]
            result[name] = float(line) if line else float("inf")
            if not line:
                break
        process.kill()
        process.wait()
    return result
