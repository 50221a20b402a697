"""Runs with the curves that the benchmark of the web page looks at, in experiments of one store."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import ingest, points
from benchmarks.ingest import fill
from benchmarks.measure import Progress
from benchmarks.points import Columns, mix, wide
from benchmarks.setting import KEPT, Setting
from stele.schema.experiments import CreateExperiment, GetExperimentByName
from stele.schema.runs import CreateRun, SearchRuns
from stele.stores.sql import SqlStore
from stele.stores.sql.schema_version import HEAD

__all__ = ["LONG_RUNS", "MANY_POINTS", "MANY_RUNS", "WIDE_KEYS", "WIDE_STEPS", "CurveStore", "curve_store"]

LONG_RUNS = 10
MANY_RUNS, MANY_POINTS = 100, 10_000
WIDE_KEYS, WIDE_STEPS = 1_000, 200


class CurveStore(NamedTuple):
    """Where the curves are.

    Attributes:
        folder: Holds the database ``stele.db``.
        long: The experiment of ten runs with one very long series each.
        many: The experiment of a hundred runs with one series each.
        wide: The experiment of one run with a thousand metrics.
        wide_run: That run.
    """

    folder: Path
    long: str
    many: str
    wide: str
    wide_run: str


def curve_store(setting: Setting) -> CurveStore:
    """The store of curves; made unless it is there, which takes half a minute."""
    made_by = [Path(module.__file__ or "").read_bytes() for module in (ingest, points)]
    mark = hashlib.sha256(b"".join([*made_by, Path(__file__).read_bytes(), HEAD.encode()])).hexdigest()[:12]
    folder = KEPT / f"curves-{setting.sizes.page_points}-{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    path, unfinished = folder / "stele.db", folder / "unfinished.db"
    if not path.exists():
        for left in folder.glob("unfinished.db*"):
            left.unlink()
        with SqlStore(f"sqlite:///{unfinished}", str(folder)) as store:
            store.start_refresher()
            _make(store, setting.sizes.page_points)
        unfinished.rename(path)  # a closed store is one file
    with SqlStore(f"sqlite:///{path}", str(folder)) as store:
        long, many, thousand = (_experiment(store, name) for name in ("long", "many", "wide"))
        found = store.search_runs(SearchRuns(experiment_ids=[thousand], max_results=1)).runs
        return CurveStore(folder, long, many, thousand, found[0].info.run_id)


def _make(store: SqlStore, long_points: int) -> None:
    progress = Progress("making curves", LONG_RUNS + MANY_RUNS + 1)
    shapes = [
        *(("long", number, _loss(long_points, number)) for number in range(LONG_RUNS)),
        *(("many", number, _loss(MANY_POINTS, number)) for number in range(MANY_RUNS)),
        ("wide", 0, wide(WIDE_KEYS, WIDE_STEPS)),
    ]
    experiments = {
        name: store.create_experiment(CreateExperiment(name=name)).experiment_id for name in ("long", "many", "wide")
    }
    for done, (name, number, columns) in enumerate(shapes):
        progress.at(done)
        request = CreateRun(experiment_id=experiments[name], run_name=f"{name}-{number}", start_time=number + 1)
        fill(store, store.create_run(request).run.info.run_id, columns, points=10_000)


def _loss(count: int, seed: int) -> Columns:
    """The loss of a training alone, each run's at another height."""
    columns = mix(5 * count, seed)
    return columns._replace(values={"loss": columns.values["loss"] + np.float32(seed % 10) / 20})


def _experiment(store: SqlStore, name: str) -> str:
    return store.get_experiment_by_name(GetExperimentByName(experiment_name=name)).experiment.experiment_id
