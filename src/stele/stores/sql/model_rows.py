"""From rows of ``logged_models`` to entities: one statement for each table that they are spread over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from stele.errors import DoesNotExist, shown
from stele.schema import logged_models as lm
from stele.schema.codec import required
from stele.stores.sql.model_points import model_points
from stele.stores.sql.model_tables import (
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_versions,
    registered_models,
)
from stele.stores.sql.parts import parts
from stele.stores.sql.tables import STAGE_DELETED

__all__ = ["fetch_models", "found_model", "model_entities", "no_model"]


def found_model(connection: Connection, model_id: str, *, lock: bool = False, deleted: bool = True) -> Any:
    """The row of a logged model.

    Args:
        connection: Where to read.
        model_id: Its id.
        lock: Whether to hold it until the transaction ends.
        deleted: Whether a deleted one counts.

    Raises:
        DoesNotExist: There is none.
    """
    query = select(logged_models).where(logged_models.c.model_id == required(model_id, "model_id"))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None or (row.stage == STAGE_DELETED and not deleted):
        raise no_model(model_id)
    return row


def no_model(model_id: str) -> DoesNotExist:
    """The error for a model that is not there."""
    return DoesNotExist(f"No logged model has the id {shown(model_id)}.")


def fetch_models(connection: Connection, numbers: Sequence[int], most_points: int) -> list[lm.LoggedModel]:
    """The models with these row numbers, in their order; ``most_points`` as in :func:`model_points`."""
    rows = {
        row.model: row
        for part in parts(numbers)
        for row in connection.execute(select(logged_models).where(logged_models.c.model.in_(part)))
    }
    return model_entities(connection, [rows[number] for number in numbers if number in rows], most_points)


def model_entities(connection: Connection, rows: Sequence[Any], most_points: int) -> list[lm.LoggedModel]:
    """The entities of rows."""
    models = {row.model: row.model_id for row in rows}
    params, tags = _texts(connection, logged_model_params, models), _texts(connection, logged_model_tags, models)
    points = model_points(connection, models, most_points)
    registered = _registrations(connection, list(models.values()))
    return [
        lm.LoggedModel(
            _info(row, [lm.LoggedModelTag(key, value) for key, value in tags[row.model]], registered[row.model_id]),
            lm.LoggedModelData(
                params=[lm.LoggedModelParameter(key, value) for key, value in params[row.model]],
                metrics=points[row.model],
            ),
        )
        for row in rows
    ]


def _texts(connection: Connection, table: Table, models: dict[int, str]) -> dict[int, list[tuple[str, str]]]:
    """Key and value of each row of a narrow table by model, in the order of the keys."""
    found: dict[int, list[tuple[str, str]]] = {model: [] for model in models}
    query = select(table).order_by(table.c.model, table.c.key)
    for part in parts(models):
        for row in connection.execute(query.where(table.c.model.in_(part))):
            found[row.model].append((row.key, row.value))
    return found


def _registrations(connection: Connection, model_ids: list[str]) -> dict[str, list[lm.LoggedModelRegistration]]:
    """The versions that each logged model is, by name and number."""
    found: dict[str, list[lm.LoggedModelRegistration]] = {model_id: [] for model_id in model_ids}
    v, m = model_versions.c, registered_models.c
    query = select(v.model_id, m.name, v.version).join(registered_models, m.registered == v.registered)
    for part in parts(model_ids):
        for row in connection.execute(query.where(v.model_id.in_(part)).order_by(m.name, v.version)):
            found[row.model_id].append(lm.LoggedModelRegistration(row.name, str(row.version)))
    return found


def _info(
    row: Any, tags: list[lm.LoggedModelTag], registrations: list[lm.LoggedModelRegistration]
) -> lm.LoggedModelInfo:
    return lm.LoggedModelInfo(
        model_id=row.model_id,
        experiment_id=str(row.experiment_id),
        name=row.name,
        creation_timestamp_ms=row.creation_time,
        last_updated_timestamp_ms=row.last_update_time,
        artifact_uri=row.artifact_uri,
        status=lm.MODEL_STATUS_NAMES[row.status],
        model_type=row.model_type,
        source_run_id=row.source_run_id,
        tags=tags,
        registrations=registrations,
        digest=row.digest,
    )
