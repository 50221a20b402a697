"""Calls about logged models as tests make them."""

from __future__ import annotations

from typing import Any

from stele.schema import logged_models as lm
from stele.schema import runs as r
from stele.stores.base import TrackingStore

__all__ = [
    "finalize",
    "found_names",
    "get_model",
    "log_params",
    "measure",
    "new_model",
    "search",
    "set_tags",
]


def new_model(store: TrackingStore, experiment: str, name: str = "model") -> lm.LoggedModel:
    """A fresh model."""
    return store.create_logged_model(lm.CreateLoggedModel(experiment_id=experiment, name=name)).model


def get_model(store: TrackingStore, model_id: str) -> lm.LoggedModel:
    """A model as it is now."""
    return store.get_logged_model(lm.LoggedModelId(model_id=model_id)).model


def finalize(store: TrackingStore, model_id: str, status: Any, digest: str | None = None) -> lm.LoggedModel:
    """A model after its status is set, and its digest where there is one."""
    request = lm.FinalizeLoggedModel(model_id=model_id, status=status, digest=digest)
    return store.finalize_logged_model(request).model


def set_tags(store: TrackingStore, model_id: str, **tags: str) -> None:
    """Set tags."""
    listed = [lm.LoggedModelTag(key, value) for key, value in tags.items()]
    store.set_logged_model_tags(lm.SetLoggedModelTags(model_id=model_id, tags=listed))


def log_params(store: TrackingStore, model_id: str, **params: str) -> None:
    """Write params."""
    listed = [lm.LoggedModelParameter(key, value) for key, value in params.items()]
    store.log_logged_model_params(lm.LogLoggedModelParams(model_id=model_id, params=listed))


def measure(
    store: TrackingStore,
    run: str,
    model: str,
    value: float,
    *,
    timestamp: int = 1,
    step: int = 0,
    dataset: tuple[str | None, str | None] = (None, None),
) -> None:
    """Log a point of the metric ``acc`` of a model, perhaps with the name and digest of a dataset."""
    name, digest = dataset
    store.log_metric(
        r.LogMetric(
            run_id=run,
            key="acc",
            value=value,
            timestamp=timestamp,
            step=step,
            model_id=model,
            dataset_name=name,
            dataset_digest=digest,
        )
    )


def search(store: TrackingStore, experiment: str, **fields: Any) -> lm.SearchLoggedModelsResponse:
    """A page of models of an experiment."""
    return store.search_logged_models(lm.SearchLoggedModels(experiment_ids=[experiment], **fields))


def found_names(store: TrackingStore, experiment: str, **fields: Any) -> list[str]:
    """The names on such a page."""
    return [model.name for model in search(store, experiment, **fields).models]
