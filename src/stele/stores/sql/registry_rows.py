"""From rows of the registry to entities, and how they are looked up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.schema import registered_models as rm
from stele.schema.codec import required
from stele.stores.sql.model_tables import (
    ARCHIVED,
    NO_STAGE,
    PRODUCTION,
    STAGING,
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)
from stele.stores.sql.parts import parts

__all__ = [
    "STAGE_NAMES",
    "found_registered",
    "found_version",
    "latest_versions",
    "model_entities",
    "no_version",
    "normal_name",
    "stage_number",
    "version_entities",
    "version_number",
]

STAGE_NAMES = {NO_STAGE: "None", STAGING: "Staging", PRODUCTION: "Production", ARCHIVED: "Archived"}
_STAGE_NUMBERS = {name.lower(): number for number, name in STAGE_NAMES.items()}
_VERSION = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_MAX_VERSION = 2**31 - 1
_v = model_versions.c


def normal_name(name: str, path: str = "name") -> str:
    """The name as it is stored, for looking it up.

    Raises:
        InvalidParameterValue: It is missing.
    """
    return unicodedata.normalize("NFC", required(name, path))


def version_number(version: str) -> int:
    """The number in a version.

    Raises:
        InvalidParameterValue: It is none.
    """
    if not _VERSION.fullmatch(required(version, "version")):
        raise InvalidParameterValue(f"version {shown(version)} is not a whole number, such as '3'.")
    return int(version)


def stage_number(stage: str) -> int:
    """The number of a stage that was given by name, in any case.

    Raises:
        InvalidParameterValue: There is no such stage.
    """
    if required(stage, "stage").lower() not in _STAGE_NUMBERS:
        raise InvalidParameterValue(f"stage {shown(stage)} is not one of {', '.join(STAGE_NAMES.values())}.")
    return _STAGE_NUMBERS[stage.lower()]


def found_registered(connection: Connection, name: str, *, lock: bool = False) -> Any:
    """The row of a registered model. Locked, nobody else changes the model or a version of it.

    Raises:
        DoesNotExist: There is none.
    """
    query = select(registered_models).where(registered_models.c.name == normal_name(name))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None or row.name != normal_name(name):  # MySQL's = ignores trailing spaces
        raise DoesNotExist(f"No registered model has the name {shown(name)}.")
    return row


def found_version(connection: Connection, model: Any, version: str | int) -> Any:
    """The row of a version of a model.

    Raises:
        DoesNotExist: There is none.
        InvalidParameterValue: The version is no number.
    """
    number = version if isinstance(version, int) else version_number(version)
    row = None
    if 0 < number <= _MAX_VERSION:
        query = select(model_versions).where(_v.registered == model.registered, _v.version == number)
        row = connection.execute(query).one_or_none()
    if row is None:
        raise no_version(model.name, number)
    return row


def no_version(name: str, number: int) -> DoesNotExist:
    """The error for a version that is not there."""
    return DoesNotExist(f"The registered model {shown(name)} has no version {number}.")


def model_entities(connection: Connection, rows: Sequence[Any]) -> list[rm.RegisteredModel]:
    """The entities of registered models, with their latest versions, tags and aliases."""
    numbers = [row.registered for row in rows]
    t, a = registered_model_tags.c, registered_model_aliases.c
    tags: dict[int, list[rm.RegisteredModelTag]] = {number: [] for number in numbers}
    aliases: dict[int, list[rm.RegisteredModelAlias]] = {number: [] for number in numbers}
    for part in parts(numbers):
        for row in connection.execute(select(registered_model_tags).where(t.registered.in_(part)).order_by(t.key)):
            tags[row.registered].append(rm.RegisteredModelTag(row.key, row.value))
        query = select(registered_model_aliases).where(a.registered.in_(part)).order_by(a.alias)
        for row in connection.execute(query):
            aliases[row.registered].append(rm.RegisteredModelAlias(row.alias, str(row.version)))
    latest: dict[int, list[rm.ModelVersion]] = {number: [] for number in numbers}
    names = {row.registered: row.name for row in rows}
    found = latest_versions(connection, numbers)
    for row, version in zip(found, version_entities(connection, names, found), strict=True):
        latest[row.registered].append(version)
    return [
        rm.RegisteredModel(
            name=row.name,
            creation_timestamp=row.creation_time,
            last_updated_timestamp=row.last_update_time,
            description=row.description or None,
            latest_versions=latest[row.registered],
            tag_list=tags[row.registered],
            alias_list=aliases[row.registered],
        )
        for row in rows
    ]


def latest_versions(connection: Connection, numbers: Iterable[int], stages: Sequence[int] | None = None) -> list[Any]:
    """The rows with the highest version of each model and stage, by version."""
    found: list[Any] = []
    for part in parts(numbers):
        newest = select(_v.registered, func.max(_v.version)).where(_v.registered.in_(part))
        if stages is not None:
            newest = newest.where(_v.model_stage.in_(stages))
        places = [(row[0], row[1]) for row in connection.execute(newest.group_by(_v.registered, _v.model_stage))]
        for some in parts(places):
            rows = select(model_versions).where(_among(model_versions, some)).order_by(_v.registered, _v.version)
            wanted = set(some)
            found += [row for row in connection.execute(rows) if (row.registered, row.version) in wanted]
    return found


def _among(table: Table, places: Sequence[tuple[int, int]]) -> ColumnElement[bool]:
    """Rows of these models and versions, and perhaps of some more: SQLite has no index for pairs in a list."""
    models, numbers = {place[0] for place in places}, {place[1] for place in places}
    return and_(table.c.registered.in_(sorted(models)), table.c.version.in_(sorted(numbers)))


def version_entities(
    connection: Connection, names: dict[int, str], rows: Sequence[Any], *, aliases: bool = False
) -> list[rm.ModelVersion]:
    """The entities of versions.

    Args:
        connection: Where to read.
        names: The name of each model by its row number.
        rows: Rows of ``model_versions``.
        aliases: Whether to tell the aliases.
    """
    places = [(row.registered, row.version) for row in rows]
    t, a = model_version_tags.c, registered_model_aliases.c
    tags: dict[tuple[int, int], list[rm.ModelVersionTag]] = {place: [] for place in places}
    pointing: dict[tuple[int, int], list[str]] = {place: [] for place in places}
    for part in parts(places):
        query = select(model_version_tags).where(_among(model_version_tags, part)).order_by(t.key)
        for row in connection.execute(query):
            if (row.registered, row.version) in tags:
                tags[row.registered, row.version].append(rm.ModelVersionTag(row.key, row.value))
        if aliases:
            found = select(registered_model_aliases).where(_among(registered_model_aliases, part)).order_by(a.alias)
            for row in connection.execute(found):
                if (row.registered, row.version) in pointing:
                    pointing[row.registered, row.version].append(row.alias)
    return [
        rm.ModelVersion(
            name=names[row.registered],
            version=str(row.version),
            creation_timestamp=row.creation_time,
            last_updated_timestamp=row.last_update_time,
            current_stage=STAGE_NAMES[row.model_stage],
            source=row.source,
            status="READY",
            description=row.description,
            run_id=row.run_id,
            run_link=row.run_link,
            user_id=row.user_id,
            model_id=row.model_id,
            tag_list=tags[row.registered, row.version],
            aliases=pointing[row.registered, row.version],
        )
        for row in rows
    ]
