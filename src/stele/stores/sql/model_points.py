"""Points of metrics that were measured on logged models.

They are kept beside the run's own series, one row each: a model has few of them, and may have them from several runs
and on several datasets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Select, func, select

from stele.errors import InvalidParameterValue, shown
from stele.schema.metrics import Metric
from stele.stores.sql import dialect
from stele.stores.sql.model_tables import logged_model_metrics, logged_models
from stele.stores.sql.ordered_values import ordered, restored
from stele.stores.sql.parts import parts

__all__ = ["known_models", "model_points", "record_points"]

_NUMBERS = struct.Struct("<qqd")
_c = logged_model_metrics.c


def known_models(connection: Connection, metrics: Iterable[Metric]) -> dict[str, int]:
    """The row numbers of the models that points name, by id, locked against removal; unknown ones are left out."""
    wanted = sorted({metric.model_id for metric in metrics if metric.model_id})
    query = select(logged_models.c.model_id, logged_models.c.model).order_by(logged_models.c.model)
    found: dict[str, int] = {}
    for part in parts(wanted):
        rows = connection.execute(query.where(logged_models.c.model_id.in_(part)).with_for_update(read=True))
        found |= {row.model_id: row.model for row in rows}
    return found


def record_points(connection: Connection, run_id: str, metrics: Sequence[Metric]) -> None:
    """Keep those points of a run that name a model with that model; the same point again changes nothing.

    Raises:
        InvalidParameterValue: There is no such model.
    """
    measured = [metric for metric in metrics if metric.model_id]
    if not measured:
        return
    models = known_models(connection, measured)
    for metric in measured:
        if metric.model_id not in models:
            raise unknown_model(metric)
    rows = {
        (row["model"], row["identity"]): row
        for row in (_row(models[str(metric.model_id)], run_id, metric) for metric in measured)
    }
    # One order for all writers, or two of them deadlock.
    connection.execute(
        dialect.insert_ignore(connection, logged_model_metrics), [rows[identity] for identity in sorted(rows)]
    )


def unknown_model(metric: Metric) -> InvalidParameterValue:
    """The error for a point that names a model that is not there."""
    return InvalidParameterValue(
        f"The metric {shown(metric.key)} names the logged model {shown(metric.model_id)}, which does not exist."
    )


def _row(model: int, run_id: str, metric: Metric) -> dict[str, Any]:
    value, special = ordered(float(metric.value))
    names = [metric.key, run_id, metric.dataset_name or "", metric.dataset_digest or ""]
    identity = blake2b("\0".join(names).encode(), digest_size=16)
    identity.update(_NUMBERS.pack(metric.timestamp, metric.step, value or 0.0) + bytes([special]))
    return {
        "model": model,
        "identity": identity.hexdigest(),
        "key": metric.key,
        "timestamp": metric.timestamp,
        "step": metric.step,
        "value": value,
        "special": special,
        "run_id": run_id,
        "dataset_name": metric.dataset_name or "",
        "dataset_digest": metric.dataset_digest or "",
    }


def model_points(connection: Connection, models: dict[int, str], most: int) -> dict[int, list[Metric]]:
    """The points of models, by key, timestamp and step.

    Args:
        connection: Where to read.
        models: Row number and id of each.
        most: A model with more points than this shows the last one of each series only.
    """
    found: dict[int, list[Metric]] = {model: [] for model in models}
    counted = select(_c.model, func.count()).group_by(_c.model)
    for part in parts(models):
        counts = {row[0]: row[1] for row in connection.execute(counted.where(_c.model.in_(part)))}
        short = [model for model, count in counts.items() if count <= most]
        for model in counts.keys() - set(short):
            found[model] = [_metric(row, models[model]) for row in connection.execute(_last_points(model))]
        query = select(logged_model_metrics).where(_c.model.in_(short))
        rows = connection.execute(query.order_by(_c.model, _c.key, _c.timestamp, _c.step, _c.identity)) if short else ()
        for row in rows:
            found[row.model].append(_metric(row, models[row.model]))
    return found


def _last_points(model: int) -> Select[Any]:
    series = (_c.key, _c.run_id, _c.dataset_name, _c.dataset_digest)
    place = func.row_number().over(
        partition_by=series, order_by=(_c.timestamp.desc(), _c.step.desc(), _c.identity.desc())
    )
    points = select(logged_model_metrics, place.label("place")).where(_c.model == model).subquery()
    p = points.c
    return select(points).where(p.place == 1).order_by(p.key, p.timestamp, p.step, p.identity)


def _metric(row: Any, model_id: str) -> Metric:
    return Metric(
        row.key,
        restored(row.value, row.special),
        row.timestamp,
        row.step,
        model_id,
        row.dataset_name or None,
        row.dataset_digest or None,
        row.run_id or None,
    )
