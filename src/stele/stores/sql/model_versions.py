"""Versions of registered models, their stages and tags in SQL."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, select, update

from stele import limits, settings
from stele.errors import InvalidParameterValue
from stele.schema import registered_models as rm
from stele.schema.codec import required
from stele.schema.experiments import Empty
from stele.stores.sql import dialect
from stele.stores.sql.core import StoreCore, actor, now_ms
from stele.stores.sql.model_rows import found_model
from stele.stores.sql.model_tables import (
    ARCHIVED,
    NO_STAGE,
    PRODUCTION,
    STAGING,
    logged_model_tags,
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
)
from stele.stores.sql.protections import demand_unprotected
from stele.stores.sql.registered_models import change, checked_tags
from stele.stores.sql.registry_events import Change, record
from stele.stores.sql.registry_rows import (
    STAGE_NAMES,
    found_registered,
    found_version,
    stage_number,
    version_entities,
    version_number,
)
from stele.stores.sql.registry_search import find_model_versions
from stele.stores.sql.search import set_time_limit
from stele.stores.sql.version_sources import PROMPT_TAG, resolve_source

__all__ = ["ModelVersionOperations"]

VERSIONS_TAG = "mlflow.modelVersions"
"""Tag of a logged model: the versions that it is, as JSON."""

_v = model_versions.c


class ModelVersionOperations(StoreCore):
    """The part of the registry that is about single versions."""

    def create_model_version(self, request: rm.CreateModelVersion) -> rm.ModelVersionResponse:
        tags = checked_tags(request.tags)
        run_id = request.run_id and limits.check_run_id(request.run_id)
        description = limits.check_length(request.description, limits.MAX_DESCRIPTION_CHARACTERS, "description")
        run_link = limits.check_length(request.run_link, limits.MAX_SOURCE_CHARACTERS, "run_link")
        required(request.source, "source")

        def work(connection: Connection) -> rm.ModelVersionResponse:
            model = found_registered(connection, request.name, lock=True)
            is_prompt = tags.get(PROMPT_TAG) == "true" or _is_prompt(connection, model)
            source = resolve_source(connection, request.source, run_id, request.model_id, is_prompt=is_prompt)
            number, now = model.last_version + 1, now_ms()
            row = {
                "registered": model.registered,
                "version": number,
                "model_stage": NO_STAGE,
                "creation_time": now,
                "last_update_time": now,
                "description": description,
                "user_id": actor()[: limits.MAX_USER_ID_CHARACTERS],
                "run_link": run_link,
            }
            connection.execute(model_versions.insert(), row | source._asdict())
            change(connection, model, last_version=number)
            if tags:
                connection.execute(model_version_tags.insert(), _tag_rows(model, number, tags))
            if source.model_id:
                _note_on_logged_model(connection, source.model_id, model.name, number)
            record(connection, model, Change("version_created", number, after=source.source))
            return _response(connection, model, number, aliases=False)

        return self.db.write(work)

    def get_model_version(self, request: rm.ModelVersionName) -> rm.ModelVersionResponse:
        def work(connection: Connection) -> rm.ModelVersionResponse:
            number = version_number(request.version)
            return _response(connection, found_registered(connection, request.name), number)

        return self.db.read(work)

    def get_model_version_download_uri(self, request: rm.ModelVersionName) -> rm.GetModelVersionDownloadUriResponse:
        def work(connection: Connection) -> rm.GetModelVersionDownloadUriResponse:
            model = found_registered(connection, request.name)
            return rm.GetModelVersionDownloadUriResponse(
                artifact_uri=found_version(connection, model, request.version).location
            )

        return self.db.read(work)

    def search_model_versions(self, request: rm.SearchModelVersions) -> rm.SearchModelVersionsResponse:
        limits.check_max_results(request.max_results, limits.MAX_VERSIONS_PAGE)
        now = now_ms()

        def work(connection: Connection) -> rm.SearchModelVersionsResponse:
            set_time_limit(connection, int(settings.SEARCH_SECONDS.get() * 1000))
            names, rows, token = find_model_versions(connection, request, now)
            return rm.SearchModelVersionsResponse(
                model_versions=version_entities(connection, names, rows), next_page_token=token
            )

        return self.db.read(work)

    def update_model_version(self, request: rm.UpdateModelVersion) -> rm.ModelVersionResponse:
        description = request.description
        if description is not None:
            limits.check_length(description, limits.MAX_DESCRIPTION_CHARACTERS, "description")

        def work(connection: Connection) -> rm.ModelVersionResponse:
            model = found_registered(connection, request.name, lock=True)
            row = found_version(connection, model, request.version)
            _set(connection, row, description=description)
            what = Change("version_updated", row.version, before=row.description, after=description)
            record(connection, model, what)
            return _response(connection, model, row.version)

        return self.db.write(work)

    def transition_model_version_stage(self, request: rm.TransitionModelVersionStage) -> rm.ModelVersionResponse:
        stage = stage_number(request.stage)
        if request.archive_existing_versions and stage not in (STAGING, PRODUCTION):
            raise InvalidParameterValue(
                f"archive_existing_versions goes with Staging and Production only, not with {STAGE_NAMES[stage]}."
            )

        def work(connection: Connection) -> rm.ModelVersionResponse:
            model = found_registered(connection, request.name, lock=True)
            row = found_version(connection, model, request.version)
            if request.archive_existing_versions:
                others = select(model_versions).where(
                    _v.registered == model.registered, _v.model_stage == stage, _v.version != row.version
                )
                for other in connection.execute(others).all():
                    move_stage(connection, model, other, ARCHIVED, request.reason)
            move_stage(connection, model, row, stage, request.reason)
            return _response(connection, model, row.version)

        return self.db.write(work)

    def delete_model_version(self, request: rm.ModelVersionName) -> Empty:
        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            row = found_version(connection, model, request.version)
            _demand_deletable(connection, model, row)
            record(connection, model, Change("version_deleted", row.version, before=row.source), request.reason)
            for table in (model_version_tags, registered_model_aliases, model_versions):
                own = (table.c.registered == model.registered, table.c.version == row.version)
                connection.execute(delete(table).where(*own))
            change(connection, model)
            return Empty()

        return self.db.write(work)

    def set_model_version_tag(self, request: rm.SetModelVersionTag) -> Empty:
        tags = checked_tags([rm.ModelVersionTag(required(request.key, "key"), request.value)])

        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            row = found_version(connection, model, request.version)
            before = _tag(connection, row, request.key)
            connection.execute(dialect.upsert(connection, model_version_tags), _tag_rows(model, row.version, tags))
            what = Change("version_tag_set", row.version, request.key, before, request.value)
            record(connection, model, what)
            return Empty()

        return self.db.write(work)

    def delete_model_version_tag(self, request: rm.ModelVersionTagName) -> Empty:
        key = required(request.key, "key")

        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            row = found_version(connection, model, request.version)
            before = _tag(connection, row, key)
            if before is not None:
                connection.execute(delete(model_version_tags).where(*_tag_place(row, key)))
                record(connection, model, Change("version_tag_deleted", row.version, key, before))
            return Empty()

        return self.db.write(work)


def move_stage(
    connection: Connection, model: Any, row: Any, stage: int, reason: str, *, approved: bool = False
) -> None:
    """Move a version of a locked model to a stage.

    Raises:
        PermissionDenied: Its stage or the new one is protected, and the change was not approved.
    """
    if not approved and stage != row.model_stage:
        for one in (row.model_stage, stage):
            demand_unprotected(connection, model, "stage", STAGE_NAMES[one])
    _set(connection, row, model_stage=stage)
    change(connection, model)
    before, after = STAGE_NAMES[row.model_stage], STAGE_NAMES[stage]
    record(connection, model, Change("stage_changed", row.version, after, before, after), reason)


def _demand_deletable(connection: Connection, model: Any, row: Any) -> None:
    """Let a version go, or not.

    Raises:
        PermissionDenied: A protected alias points to it, or it is in a protected stage.
    """
    demand_unprotected(connection, model, "stage", STAGE_NAMES[row.model_stage])
    a = registered_model_aliases.c
    query = select(a.alias).where(a.registered == model.registered, a.version == row.version)
    for alias in connection.scalars(query).all():
        demand_unprotected(connection, model, "alias", alias)


def _set(connection: Connection, row: Any, **values: object) -> None:
    connection.execute(
        update(model_versions)
        .where(_v.registered == row.registered, _v.version == row.version)
        .values(last_update_time=now_ms(), **values)
    )


def _note_on_logged_model(connection: Connection, model_id: str, name: str, number: int) -> None:
    """Let the logged model say which versions it is, as MLflow's pages read it."""
    model = found_model(connection, model_id, lock=True)
    t = logged_model_tags.c
    text = connection.scalar(select(t.value).where(t.model == model.model, t.key == VERSIONS_TAG))
    try:
        known = json.loads(text or "[]")
    except ValueError:  # whoever may tag the model wrote something else there
        known = []
    listed = [*(known if isinstance(known, list) else []), {"name": name, "version": number}]
    row = {"model": model.model, "key": VERSIONS_TAG, "value": json.dumps(listed)}
    connection.execute(dialect.upsert(connection, logged_model_tags), row)


def _is_prompt(connection: Connection, model: Any) -> bool:
    t = registered_model_tags.c
    query = select(t.value).where(t.registered == model.registered, t.key == PROMPT_TAG)
    return bool(connection.scalar(query) == "true")


def _tag_rows(model: Any, number: int, tags: dict[str, str]) -> list[dict[str, Any]]:
    place = {"registered": model.registered, "version": number}
    return [place | {"key": key, "value": tags[key]} for key in sorted(tags)]


def _tag_place(row: Any, key: str) -> tuple[Any, ...]:
    t = model_version_tags.c
    return (t.registered == row.registered, t.version == row.version, t.key == key)


def _tag(connection: Connection, row: Any, key: str) -> str | None:
    value: str | None = connection.scalar(select(model_version_tags.c.value).where(*_tag_place(row, key)))
    return value


def _response(connection: Connection, model: Any, number: int, *, aliases: bool = True) -> rm.ModelVersionResponse:
    row = found_version(connection, model, number)
    (entity,) = version_entities(connection, {model.registered: model.name}, [row], aliases=aliases)
    return rm.ModelVersionResponse(model_version=entity)
