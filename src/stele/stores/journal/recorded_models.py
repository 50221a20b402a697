"""Logged models as a journal knows them, before a store does."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from stele.schema import logged_models as lm
from stele.stores.journal.journal import Journal
from stele.stores.journal.replay import artifact_directory, requests_of

__all__ = ["new_model", "recorded_models"]


def new_model(journal: Journal, request: lm.CreateLoggedModel, now: int) -> lm.LoggedModel:
    """What is known of a model that was made without a server, at a time in milliseconds since 1970."""
    info = lm.LoggedModelInfo(
        model_id=request.model_id,
        experiment_id=request.experiment_id,
        name=request.name,
        creation_timestamp_ms=now,
        last_updated_timestamp_ms=now,
        artifact_uri=artifact_directory(journal, request.model_id),
        status=lm.MODEL_STATUS_NAMES[lm.LoggedModelStatus.PENDING.to_int()],
        model_type=request.model_type,
        source_run_id=request.source_run_id,
        tags=request.tags,
    )
    return lm.LoggedModel(info, lm.LoggedModelData(params=request.params))


def recorded_models(journal: Journal) -> dict[str, lm.LoggedModel]:
    """The models that were made in a journal, by id."""
    found: dict[str, lm.LoggedModel] = {}
    for request in requests_of(journal):
        if isinstance(request, lm.CreateLoggedModel):
            found[request.model_id] = new_model(journal, request, 0)
        elif (model := found.get(getattr(request, "model_id", ""))) is not None:
            found[model.model_id] = _changed(model, request)
    return found


def _changed(model: lm.LoggedModel, request: Any) -> lm.LoggedModel:
    info, data = model.info, model.data
    match request:
        case lm.FinalizeLoggedModel(status=status, digest=digest):
            name = lm.MODEL_STATUS_NAMES[status] if isinstance(status, int) else status
            info = replace(info, status=name, digest=digest or info.digest)
        case lm.SetLoggedModelTags(tags=tags):
            info = replace(info, tags=_merged(info.tags, tags))
        case lm.LogLoggedModelParams(params=params):
            data = replace(data, params=_merged(data.params, params))
    return lm.LoggedModel(info, data)


def _merged(old: list[Any], new: list[Any]) -> list[Any]:
    return list({item.key: item for item in (*old, *new)}.values())
