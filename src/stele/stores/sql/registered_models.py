"""Registered models, their tags and aliases in SQL.

Every change locks the row of the registered model first, so that versions get their numbers one after the other, an
alias points to one version at any time, and the events are in the order of the changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from stele import limits, settings
from stele.errors import AlreadyExists, Conflict, DoesNotExist, InvalidParameterValue, shown
from stele.schema import registered_models as rm
from stele.schema.codec import required
from stele.schema.experiments import Empty
from stele.stores.sql import dialect
from stele.stores.sql.core import StoreCore, now_ms
from stele.stores.sql.model_tables import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)
from stele.stores.sql.protections import demand_none, demand_unprotected
from stele.stores.sql.registry_events import Change, record
from stele.stores.sql.registry_rows import (
    found_registered,
    found_version,
    latest_versions,
    model_entities,
    normal_name,
    stage_number,
    version_entities,
)
from stele.stores.sql.registry_search import find_registered_models
from stele.stores.sql.search import set_time_limit

__all__ = ["RegisteredModelOperations", "checked_tags"]

_m = registered_models.c


class RegisteredModelOperations(StoreCore):
    """The part of the registry that is about models as a whole."""

    def create_registered_model(self, request: rm.CreateRegisteredModel) -> rm.RegisteredModelResponse:
        name = limits.check_registered_name(required(request.name, "name"))
        tags = checked_tags(request.tags)
        description = _checked_description(request.description)

        def work(connection: Connection) -> rm.RegisteredModelResponse:
            now = now_ms()
            row = {"name": name, "description": description, "creation_time": now, "last_update_time": now}
            if connection.scalar(select(exists().where(_m.name == name))):
                raise _taken(name)
            connection.execute(registered_models.insert(), row | {"last_version": 0})
            model = found_registered(connection, name)
            if tags:
                rows = [{"registered": model.registered, "key": key, "value": value} for key, value in tags.items()]
                connection.execute(registered_model_tags.insert(), rows)
            record(connection, model, Change("model_created"))
            return _response(connection, model)

        return self._unique(name, work)

    def get_registered_model(self, request: rm.RegisteredModelName) -> rm.RegisteredModelResponse:
        return self.db.read(lambda c: _response(c, found_registered(c, request.name)))

    def search_registered_models(self, request: rm.SearchRegisteredModels) -> rm.SearchRegisteredModelsResponse:
        limits.check_max_results(request.max_results, limits.MAX_MODELS_PAGE)
        now = now_ms()

        def work(connection: Connection) -> rm.SearchRegisteredModelsResponse:
            set_time_limit(connection, int(settings.SEARCH_SECONDS.get() * 1000))
            rows, token = find_registered_models(connection, request, now)
            models = model_entities(connection, rows)
            return rm.SearchRegisteredModelsResponse(registered_models=models, next_page_token=token)

        return self.db.read(work)

    def rename_registered_model(self, request: rm.RenameRegisteredModel) -> rm.RegisteredModelResponse:
        name = limits.check_registered_name(required(request.new_name, "new_name"), "new_name")

        def work(connection: Connection) -> rm.RegisteredModelResponse:
            model = found_registered(connection, request.name, lock=True)
            if connection.scalar(select(exists().where(_m.name == name, _m.registered != model.registered))):
                raise _taken(name)
            if name != model.name:
                demand_none(connection, model, "renamed")
            change(connection, model, name=name)
            now = now_ms()
            own = model_versions.c.registered == model.registered
            connection.execute(update(model_versions).where(own).values(last_update_time=now))
            renamed = found_registered(connection, name)
            record(connection, renamed, Change("model_renamed", before=model.name, after=name))
            return _response(connection, renamed)

        return self._unique(name, work)

    def update_registered_model(self, request: rm.UpdateRegisteredModel) -> rm.RegisteredModelResponse:
        description = _checked_description(request.description)

        def work(connection: Connection) -> rm.RegisteredModelResponse:
            model = found_registered(connection, request.name, lock=True)
            change(connection, model, description=description)
            record(connection, model, Change("model_updated", before=model.description, after=description))
            return _response(connection, found_registered(connection, model.name))

        return self.db.write(work)

    def delete_registered_model(self, request: rm.RegisteredModelName) -> Empty:
        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            demand_none(connection, model, "deleted")
            record(connection, model, Change("model_deleted"), request.reason)
            for table in (model_version_tags, registered_model_aliases, registered_model_tags, model_versions):
                connection.execute(delete(table).where(table.c.registered == model.registered))
            connection.execute(delete(registered_models).where(_m.registered == model.registered))
            return Empty()

        return self.db.write(work)

    def get_latest_versions(self, request: rm.GetLatestVersions) -> rm.SearchModelVersionsResponse:
        stages = [stage_number(stage) for stage in request.stages] or None

        def work(connection: Connection) -> rm.SearchModelVersionsResponse:
            model = found_registered(connection, request.name)
            rows = latest_versions(connection, [model.registered], stages)
            names = {model.registered: model.name}
            return rm.SearchModelVersionsResponse(
                model_versions=version_entities(connection, names, rows, aliases=True)
            )

        return self.db.read(work)

    def set_registered_model_tag(self, request: rm.SetRegisteredModelTag) -> Empty:
        tags = checked_tags([rm.RegisteredModelTag(required(request.key, "key"), request.value)])

        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            before = _tag(connection, model, request.key)
            rows = [{"registered": model.registered, "key": key, "value": value} for key, value in tags.items()]
            connection.execute(dialect.upsert(connection, registered_model_tags), rows)
            what = Change("model_tag_set", subject=request.key, before=before, after=request.value)
            record(connection, model, what)
            return Empty()

        return self.db.write(work)

    def delete_registered_model_tag(self, request: rm.RegisteredModelTagName) -> Empty:
        key = required(request.key, "key")

        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            before = _tag(connection, model, key)
            if before is not None:
                t = registered_model_tags.c
                connection.execute(delete(registered_model_tags).where(t.registered == model.registered, t.key == key))
                record(connection, model, Change("model_tag_deleted", subject=key, before=before))
            return Empty()

        return self.db.write(work)

    def set_registered_model_alias(self, request: rm.SetRegisteredModelAlias) -> Empty:
        alias = limits.check_alias(required(request.alias, "alias"))

        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            version = found_version(connection, model, request.version).version
            if request.expected_version is not None and pointed_to(connection, model, alias) != version:
                _demand(connection, model, alias, request.expected_version)
            move_alias(connection, model, alias, version, request.reason)
            return Empty()

        return self.db.write(work)

    def delete_registered_model_alias(self, request: rm.RegisteredModelAliasName) -> Empty:
        alias = limits.check_alias(required(request.alias, "alias"))

        def work(connection: Connection) -> Empty:
            model = found_registered(connection, request.name, lock=True)
            move_alias(connection, model, alias, None, request.reason)
            return Empty()

        return self.db.write(work)

    def get_model_version_by_alias(self, request: rm.RegisteredModelAliasName) -> rm.ModelVersionResponse:
        alias = required(request.alias, "alias")
        if alias.lower() != "latest":
            alias = limits.check_alias(alias)

        def work(connection: Connection) -> rm.ModelVersionResponse:
            model = found_registered(connection, request.name)
            if alias.lower() == "latest":
                newest = latest_versions(connection, [model.registered])
                version = max((row.version for row in newest), default=None)
                if version is None:
                    raise DoesNotExist(f"The registered model {shown(model.name)} has no version.")
            else:
                version = pointed_to(connection, model, alias)
            if version is None:
                # 400 and not 404: MLflow's client takes exactly this for an alias that is not there.
                raise InvalidParameterValue(f"The registered model {shown(model.name)} has no alias {shown(alias)}.")
            row = found_version(connection, model, version)
            (entity,) = version_entities(connection, {model.registered: model.name}, [row], aliases=True)
            return rm.ModelVersionResponse(model_version=entity)

        return self.db.read(work)

    def _unique(self, name: str, work: Any) -> rm.RegisteredModelResponse:
        """Run a write that may meet a name that another client has just taken."""

        def checked(connection: Connection) -> rm.RegisteredModelResponse:
            try:
                result: rm.RegisteredModelResponse = work(connection)
            except IntegrityError as e:
                raise _taken(name) from e
            return result

        return self.db.write(checked)


def change(connection: Connection, model: Any, **values: object) -> None:
    """Change columns of a registered model, and when it was changed last."""
    connection.execute(
        update(registered_models).where(_m.registered == model.registered).values(last_update_time=now_ms(), **values)
    )


def pointed_to(connection: Connection, model: Any, alias: str) -> int | None:
    """The version that an alias points to; None when the model has no such alias."""
    a = registered_model_aliases.c
    version: int | None = connection.scalar(select(a.version).where(a.registered == model.registered, a.alias == alias))
    return version


def move_alias(
    connection: Connection, model: Any, alias: str, version: int | None, reason: str, *, approved: bool = False
) -> None:
    """Let an alias of a locked model point to a version, or to none.

    Raises:
        PermissionDenied: It is protected, and the change was not approved.
    """
    before = pointed_to(connection, model, alias)
    if before == version:
        return
    if not approved:
        demand_unprotected(connection, model, "alias", alias)
    if version is None:
        a = registered_model_aliases.c
        connection.execute(delete(registered_model_aliases).where(a.registered == model.registered, a.alias == alias))
        record(connection, model, Change("alias_deleted", before, alias, before=str(before)), reason)
        return
    row = {"registered": model.registered, "alias": alias, "version": version}
    connection.execute(dialect.upsert(connection, registered_model_aliases), row)
    was = None if before is None else str(before)
    record(connection, model, Change("alias_set", version, alias, before=was, after=str(version)), reason)


def _demand(connection: Connection, model: Any, alias: str, expected: str) -> None:
    now = pointed_to(connection, model, alias)
    if (expected or None) != (None if now is None else str(now)):
        raise Conflict(
            f"The alias {shown(alias)} of {shown(model.name)} points to {f'version {now}' if now else 'nothing'} now, "
            f"not to {f'version {expected}' if expected else 'nothing'}; somebody else has moved it."
        )


def checked_tags(tags: Sequence[rm.RegisteredModelTag | rm.ModelVersionTag]) -> dict[str, str]:
    """Values by key; of a repeated key the last one.

    Raises:
        InvalidParameterValue: A key or value is not allowed.
    """
    checked: dict[str, str] = {}
    for i, tag in enumerate(tags):
        key = limits.check_key(tag.key, f"tags[{i}].key")
        checked[key] = limits.check_length(tag.value, limits.MAX_REGISTRY_TAG_CHARACTERS, f"tags[{i}].value")
    return checked


def _checked_description(description: str | None) -> str | None:
    return limits.check_length(description or "", limits.MAX_DESCRIPTION_CHARACTERS, "description") or None


def _tag(connection: Connection, model: Any, key: str) -> str | None:
    t = registered_model_tags.c
    value: str | None = connection.scalar(select(t.value).where(t.registered == model.registered, t.key == key))
    return value


def _response(connection: Connection, row: Any) -> rm.RegisteredModelResponse:
    return rm.RegisteredModelResponse(registered_model=model_entities(connection, [row])[0])


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists(f"A registered model named {shown(normal_name(name))} exists already.")
