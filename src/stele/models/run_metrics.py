"""The metrics of a run that become metrics of a model which it logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec.structs import replace

from stele import limits
from stele.client.client import Client
from stele.errors import EndpointNotFound
from stele.schema.metrics import Metric
from stele.schema.series import PointSeries, Series

__all__ = ["link_metrics"]


def link_metrics(client: Client, run_id: str, model_id: str, step: int, *, is_offline: bool) -> None:
    """Record what a run measured at a step as measured on a model.

    These are all points with that step, as MLflow links them. Step 0 is also what a model has that was logged without
    a step, when the run was done: of metrics without a point there, it gets the latest value.

    Args:
        client: Of the store that has both.
        run_id: The run.
        model_id: The model.
        step: At which the model was made.
        is_offline: Whether all of it is in a journal, which gives whole histories only.
    """
    latest = client.get_run(run_id).data.metric_list
    if not latest:
        return
    keys = [point.key for point in latest]
    points = None if is_offline else _points_at(client, run_id, keys, step)
    unique = points is None
    if points is None:
        points = list(islice(_points_of_history(client, run_id, keys, step), limits.MAX_MODEL_POINTS))
    if step == 0:
        found = {point.key for point in points}
        points += [point for point in latest if point.key not in found]
    if unique:  # MLflow's server takes one value of a metric for a model, step and millisecond
        points = list({(point.key, point.step, point.timestamp): point for point in points}.values())
    linked = [replace(point, model_id=model_id) for point in points]
    client.log_batch(run_id, metrics=linked, synchronous=True)


def _points_at(client: Client, run_id: str, keys: list[str], step: int) -> list[Metric] | None:
    """The points with a step; None when the server is MLflow's, which gives whole histories only."""
    try:
        found = client.get_series([run_id], keys, start=step, end=step)
        return list(islice(_points_in(found), limits.MAX_MODEL_POINTS))
    except EndpointNotFound:
        return None


def _points_in(found: Iterable[Series]) -> Iterator[Metric]:
    for series in found:
        if isinstance(series, PointSeries):
            for step, timestamp, value in zip(
                series.steps.data, series.timestamps.data, series.values.data, strict=True
            ):
                yield Metric(series.key, value, timestamp, step)


def _points_of_history(client: Client, run_id: str, keys: list[str], step: int) -> Iterator[Metric]:
    for key in keys:
        yield from (point for point in client.get_metric_history(run_id, key) if point.step == step)
