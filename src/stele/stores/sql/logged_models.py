"""Logged models in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from stele import limits, settings
from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue, shown
from stele.schema import logged_models as lm
from stele.schema.codec import required
from stele.schema.experiments import Empty
from stele.stores.run_ids import new_model_id
from stele.stores.sql import dialect
from stele.stores.sql.core import StoreCore, active_experiment, experiment_number, now_ms
from stele.stores.sql.model_rows import fetch_models, found_model, model_entities
from stele.stores.sql.model_search import find_models
from stele.stores.sql.model_tables import MODEL_PENDING, logged_model_params, logged_model_tags, logged_models
from stele.stores.sql.run_names import random_run_name
from stele.stores.sql.search import set_time_limit
from stele.stores.sql.tables import STAGE_ACTIVE, STAGE_DELETED
from stele.stores.sql.texts import number_in

__all__ = ["LoggedModelOperations"]

_Entry = lm.LoggedModelParameter | lm.LoggedModelTag
_STATUS_NUMBERS = {name: number for number, name in lm.MODEL_STATUS_NAMES.items()}


class LoggedModelOperations(StoreCore):
    """The logged-model part of the wire.

    A deleted model is hidden from searches and reads, and nothing else: what belongs to it can still be written,
    because a training that measures it should not fail.
    """

    def create_logged_model(self, request: lm.CreateLoggedModel) -> lm.LoggedModelResponse:
        number = experiment_number(request.experiment_id)
        params, tags = _checked(request.params, "params"), _checked(request.tags, "tags")
        now = now_ms()
        model_id = limits.check_new_model_id(request.model_id) if request.model_id else new_model_id()
        row: dict[str, Any] = {
            "model_id": model_id,
            "experiment_id": number,
            "stage": STAGE_ACTIVE,
            "status": MODEL_PENDING,
            "creation_time": now,
            "last_update_time": now,
            "name": limits.check_model_name(request.name) if request.name else random_run_name(),
            "model_type": limits.check_length(request.model_type, limits.MAX_MODEL_TYPE_CHARACTERS, "model_type"),
            "source_run_id": request.source_run_id and limits.check_run_id(request.source_run_id, "source_run_id"),
        }

        def work(connection: Connection) -> lm.LoggedModelResponse:
            if request.model_id and (existing := _same_model(connection, model_id, number)):
                return existing
            experiment = active_experiment(connection, number)
            row["artifact_uri"] = f"{experiment.artifact_location.rstrip('/')}/models/{model_id}/artifacts"
            inserted = connection.execute(logged_models.insert(), row)
            model = int(inserted.inserted_primary_key[0])  # type: ignore[index]  # an insert of one row has it
            if params:
                connection.execute(logged_model_params.insert(), _param_rows(model, params))
            if tags:
                connection.execute(logged_model_tags.insert(), _rows(model, tags))
            return _response(connection, found_model(connection, model_id))

        return self.db.write(work)

    def get_logged_model(self, request: lm.LoggedModelId) -> lm.LoggedModelResponse:
        def work(connection: Connection) -> lm.LoggedModelResponse:
            return _response(connection, found_model(connection, request.model_id, deleted=request.allow_deleted))

        return self.db.read(work)

    def search_logged_models(self, request: lm.SearchLoggedModels) -> lm.SearchLoggedModelsResponse:
        numbers = [experiment_number(i, "experiment_ids") for i in dict.fromkeys(request.experiment_ids)]
        limits.check_max_results(request.max_results, limits.MAX_PAGE)
        now = now_ms()

        def work(connection: Connection) -> lm.SearchLoggedModelsResponse:
            set_time_limit(connection, int(settings.SEARCH_SECONDS.get() * 1000))
            found, token = find_models(connection, request, numbers, now)
            models = fetch_models(connection, found, limits.MAX_MODEL_POINTS_IN_SEARCH)
            return lm.SearchLoggedModelsResponse(models=models, next_page_token=token)

        return self.db.read(work)

    def finalize_logged_model(self, request: lm.FinalizeLoggedModel) -> lm.LoggedModelResponse:
        status = request.status if isinstance(request.status, int) else _STATUS_NUMBERS[request.status]
        digest = None if request.digest is None else limits.check_digest(request.digest)

        def work(connection: Connection) -> lm.LoggedModelResponse:
            row = found_model(connection, request.model_id, lock=True)
            if digest is not None and row.digest not in (None, digest):
                raise InvalidParameterValue(
                    f"The files of the logged model {shown(request.model_id)} were logged with the digest "
                    f"{row.digest}; {shown(digest)} cannot replace it."
                )
            changes = {"status": status, "last_update_time": now_ms(), "digest": row.digest or digest}
            connection.execute(update(logged_models).where(logged_models.c.model == row.model).values(**changes))
            return _response(connection, found_model(connection, request.model_id))

        return self.db.write(work)

    def delete_logged_model(self, request: lm.LoggedModelId) -> Empty:
        def work(connection: Connection) -> Empty:
            row = found_model(connection, request.model_id, lock=True)
            if row.stage != STAGE_DELETED:
                now = now_ms()
                changes = {"stage": STAGE_DELETED, "deleted_time": now, "last_update_time": now}
                connection.execute(update(logged_models).where(logged_models.c.model == row.model).values(**changes))
            return Empty()

        return self.db.write(work)

    def set_logged_model_tags(self, request: lm.SetLoggedModelTags) -> Empty:
        tags = _checked(request.tags, "tags", repeated=True)

        def work(connection: Connection) -> Empty:
            row = found_model(connection, request.model_id, lock=True)
            if tags:
                connection.execute(dialect.upsert(connection, logged_model_tags), _rows(row.model, tags))
            return Empty()

        return self.db.write(work)

    def delete_logged_model_tag(self, request: lm.DeleteLoggedModelTag) -> Empty:
        key = required(request.tag_key, "tag_key")

        def work(connection: Connection) -> Empty:
            row = found_model(connection, request.model_id, lock=True)
            t = logged_model_tags.c
            if not connection.execute(delete(logged_model_tags).where(t.model == row.model, t.key == key)).rowcount:
                raise DoesNotExist(f"The logged model {shown(request.model_id)} has no tag {shown(key)}.")
            return Empty()

        return self.db.write(work)

    def log_logged_model_params(self, request: lm.LogLoggedModelParams) -> Empty:
        params = _checked(request.params, "params")

        def work(connection: Connection) -> Empty:
            row = found_model(connection, request.model_id, lock=True)
            stored = _stored(connection, logged_model_params, row.model)
            for key, value in params.items():
                if stored.get(key, value) != value:
                    raise InvalidParameterValue(
                        f"Param {shown(key)} of the logged model {shown(request.model_id)} has the value "
                        f"{shown(stored[key])} and cannot become {shown(value)}: a param is written once."
                    )
            fresh = {key: value for key, value in params.items() if key not in stored}
            if fresh:
                connection.execute(logged_model_params.insert(), _param_rows(row.model, fresh))
            return Empty()

        return self.db.write(work)


def _same_model(connection: Connection, model_id: str, experiment: int) -> lm.LoggedModelResponse | None:
    """The model that a client creates again because it saw no answer; None when there is none."""
    try:
        row = found_model(connection, model_id, deleted=True)
    except DoesNotExist:
        return None
    if row.experiment_id != experiment:
        raise AlreadyExists(f"The logged model {shown(model_id)} exists in experiment {row.experiment_id}.")
    return _response(connection, row)


def _checked(items: Sequence[_Entry], path: str, *, repeated: bool = False) -> dict[str, str]:
    """Values by key; of a repeated key the last one, where that is allowed."""
    if len(items) > limits.MAX_MODEL_ENTRIES:
        raise InvalidParameterValue(f"{path} has {len(items)} entries, at most {limits.MAX_MODEL_ENTRIES} are allowed.")
    checked: dict[str, str] = {}
    for i, item in enumerate(items):
        key = required(item.key, f"{path}[{i}].key")
        limits.check_length(key, limits.MAX_KEY_CHARACTERS, f"{path}[{i}].key")
        if key in checked and not repeated:
            raise InvalidParameterValue(f"{path}[{i}].key {shown(key)} comes twice.")
        checked[key] = limits.check_length(item.value, limits.MAX_MODEL_VALUE_CHARACTERS, f"{path}[{i}].value")
    return checked


def _rows(model: int, values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"model": model, "key": key, "value": values[key]} for key in sorted(values)]


def _param_rows(model: int, values: dict[str, str]) -> list[dict[str, Any]]:
    return [row | {"number": number_in(row["value"])} for row in _rows(model, values)]


def _stored(connection: Connection, table: Table, model: int) -> dict[str, str]:
    query = select(table.c.key, table.c.value).where(table.c.model == model)
    return {row.key: row.value for row in connection.execute(query)}


def _response(connection: Connection, row: Any) -> lm.LoggedModelResponse:
    return lm.LoggedModelResponse(model=model_entities(connection, [row], limits.MAX_MODEL_POINTS)[0])
