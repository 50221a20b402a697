"""Which changes webhooks are told of, and in which words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from stele.stores.sql.model_tables import model_version_tags, model_versions, registered_model_tags
from stele.stores.sql.version_sources import PROMPT_TAG
from stele.stores.sql.webhooks import enqueue, is_anybody_told

__all__ = ["announce_change", "announce_run"]

# Kind of a change -> what it is called for a model, and for a prompt.
_NAMES = {
    "model_created": ("registered_model.created", "prompt.created"),
    "version_created": ("model_version.created", "prompt_version.created"),
    "version_tag_set": ("model_version_tag.set", "prompt_version_tag.set"),
    "version_tag_deleted": ("model_version_tag.deleted", "prompt_version_tag.deleted"),
    "model_tag_set": ("", "prompt_tag.set"),
    "model_tag_deleted": ("", "prompt_tag.deleted"),
    "alias_set": ("model_version_alias.created", "prompt_alias.created"),
    "alias_deleted": ("model_version_alias.deleted", "prompt_alias.deleted"),
    "stage_changed": ("model_version_stage.changed", ""),
}


def announce_change(connection: Connection, model: Any, change: Any, reason: str) -> None:
    """Tell webhooks of a change of the registry.

    Args:
        connection: The transaction of the change.
        model: The row of the registered model.
        change: The :class:`~stele.stores.sql.registry_events.Change`.
        reason: Why.
    """
    if change.kind not in _NAMES or not is_anybody_told(connection):
        return
    tags = _tags(connection, model)
    event = _NAMES[change.kind][tags.get(PROMPT_TAG) == "true"]
    if event:
        enqueue(connection, event, lambda: _data(connection, model, tags, change, reason))


def announce_run(connection: Connection, run_id: str, run_name: str, experiment_id: int, status: str) -> None:
    """Tell webhooks that a run is over, in the transaction that ends it."""
    data = {"run_id": run_id, "run_name": run_name, "experiment_id": str(experiment_id), "status": status}
    enqueue(connection, "run.finished", lambda: data)


def _data(connection: Connection, model: Any, tags: dict[str, str], change: Any, reason: str) -> dict[str, Any]:
    about: dict[str, Any] = {"name": model.name}
    version = "" if change.version is None else str(change.version)
    match change.kind:
        case "model_created":
            return about | {"tags": tags, "description": model.description or ""}
        case "version_created":
            return about | _version(connection, model, change.version)
        case "alias_set" | "alias_deleted":
            return about | {"alias": change.subject, "version": version}
        case "stage_changed":
            stages = {"from_stage": change.before, "to_stage": change.after, "reason": reason}
            return about | {"version": version} | stages
        case _:
            own = {"version": version} if version else {}
            return about | own | {"key": change.subject, "value": change.after or ""}


def _tags(connection: Connection, model: Any) -> dict[str, str]:
    t = registered_model_tags.c
    rows = connection.execute(select(t.key, t.value).where(t.registered == model.registered))
    return {row.key: row.value for row in rows}


def _version(connection: Connection, model: Any, number: int) -> dict[str, Any]:
    v, t = model_versions.c, model_version_tags.c
    own = (v.registered == model.registered, v.version == number)
    row = connection.execute(select(v.source, v.run_id, v.description).where(*own)).one()
    tags = connection.execute(select(t.key, t.value).where(t.registered == model.registered, t.version == number))
    return {
        "version": str(number),
        "source": row.source,
        "run_id": row.run_id,
        "tags": {tag.key: tag.value for tag in tags},
        "description": row.description or "",
    }
