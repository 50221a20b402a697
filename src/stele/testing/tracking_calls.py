"""What the contracts of a tracking store share."""

from __future__ import annotations

import uuid

from stele.schema import metrics as m
from stele.schema import runs as r
from stele.schema.runs import Run
from stele.stores.base import TrackingStore

__all__ = ["history_of", "stored_run", "unique"]


def unique(prefix: str = "x") -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def stored_run(store: TrackingStore, run_id: str) -> Run:
    """A run as the store has it."""
    return store.get_run(r.GetRun(run_id=run_id)).run


def history_of(store: TrackingStore, run_id: str, key: str) -> list[tuple[int, int, float]]:
    """Time, step and value of every point, in order."""
    points = store.get_metric_history(m.GetMetricHistory(run_id=run_id, metric_key=key)).metrics
    return [(point.timestamp, point.step, point.value) for point in points]
