"""Runs for tests of the table, and its calls as tests make them."""

from __future__ import annotations

import math
import random
import uuid
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from stele.schema import experiments as e
from stele.schema import run_table as t
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.schema.run_table import RunColumn
from stele.stores.base import TrackingStore

__all__ = [
    "LOSS",
    "OPTIMIZER",
    "OPTIMIZERS",
    "TEAM",
    "CrowdContract",
    "ids",
    "many_runs",
    "new_experiment",
    "new_run",
    "table",
]

LOSS, OPTIMIZER, TEAM = RunColumn("metric", "loss"), RunColumn("param", "optimizer"), RunColumn("tag", "team")
OPTIMIZERS = ("adam", "Adam", "adam ", "sgd", "", "ä", "漢", "\U0001f600", "a" * 300, "a" * 299 + "b")

_CROWDS: WeakKeyDictionary[TrackingStore, str] = WeakKeyDictionary()
"""The experiment with :func:`many_runs` of each store."""


def new_experiment(store: TrackingStore) -> str:
    """The id of an experiment without runs."""
    return store.create_experiment(e.CreateExperiment(name=f"table-{uuid.uuid4().hex}")).experiment_id


def new_run(
    store: TrackingStore,
    experiment: str,
    *,
    start: int = 0,
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    metrics: dict[str, float] | None = None,
    parent: str = "",
) -> str:
    """The id of a run with what was logged to it."""
    tags = dict(tags or {}) | ({t.PARENT_TAG: parent} if parent else {})
    request = r.CreateRun(experiment_id=experiment, start_time=start, tags=[r.RunTag(*tag) for tag in tags.items()])
    run_id = store.create_run(request).run.info.run_id
    batch = r.LogBatch(
        run_id=run_id,
        params=[r.Param(*param) for param in (params or {}).items()],
        metrics=[Metric(key, value, 1, 1) for key, value in (metrics or {}).items()],
    )
    store.log_batch(batch)
    return run_id


def many_runs(store: TrackingStore, experiment: str) -> None:
    """Runs of all kinds, the same ones each time."""
    chance = random.Random(5)  # noqa: S311  # not a secret
    # A search orders texts that differ by a trailing space as its database does.
    choices = {"optimizer": OPTIMIZERS, "p": [text for text in OPTIMIZERS if text != "adam "]}
    for place in range(40):
        metrics = {"loss": chance.choice((0.5, 1.5, -2.0, math.nan, math.inf, -math.inf)), "other": chance.random()}
        run_id = new_run(
            store,
            experiment,
            start=1_000 + chance.randrange(8),
            params={key: chance.choice(texts) for key, texts in choices.items() if chance.random() < 0.8},
            tags={"team": chance.choice(("x", "y"))} if chance.random() < 0.8 else {},
            metrics={key: value for key, value in metrics.items() if chance.random() < 0.8},
        )
        status = chance.choice(("RUNNING", "FINISHED", "FAILED", "KILLED"))
        end = chance.choice((None, 2_000, 3_000))
        store.update_run(r.UpdateRun(run_id=run_id, status=status, end_time=end, run_name=f"run {place % 7}"))  # type: ignore[arg-type]
        if chance.random() < 0.2:
            store.delete_run(r.DeleteRun(run_id=run_id))


def table(store: TrackingStore, experiment: str, **arguments: Any) -> t.QueryRunsTableResponse:
    """A window."""
    return store.query_runs_table(t.QueryRunsTable(experiment_ids=[experiment], **arguments))


def ids(response: t.QueryRunsTableResponse) -> list[str]:
    """The run ids of a window."""
    return [row.run_id for row in response.rows]


class CrowdContract:
    """What the parts of the contract work on; a test module defines ``store``."""

    @pytest.fixture
    def experiment(self, store: TrackingStore) -> str:
        return new_experiment(store)

    @pytest.fixture
    def crowd(self, store: TrackingStore) -> str:
        """An experiment with many runs, which no test changes."""
        if store not in _CROWDS:
            _CROWDS[store] = new_experiment(store)
            many_runs(store, _CROWDS[store])
        return _CROWDS[store]
