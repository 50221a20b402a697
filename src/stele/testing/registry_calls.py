"""Calls of the registry as tests make them."""

from __future__ import annotations

from typing import Any

from stele.schema import registered_models as rm
from stele.stores.base import TrackingStore
from stele.testing.tracking_calls import unique

__all__ = [
    "aliased",
    "download_uri",
    "get_model",
    "get_version",
    "latest_versions",
    "new_model",
    "new_version",
    "set_alias",
    "to_stage",
]


def new_model(store: TrackingStore, name: str | None = None, **tags: str) -> str:
    """The name of a fresh registered model."""
    name = name or unique("model")
    listed = [rm.RegisteredModelTag(key, value) for key, value in tags.items()]
    return store.create_registered_model(rm.CreateRegisteredModel(name=name, tags=listed)).registered_model.name


def new_version(store: TrackingStore, name: str, source: str = "s3://bucket/model", **fields: Any) -> rm.ModelVersion:
    """A fresh version."""
    return store.create_model_version(rm.CreateModelVersion(name=name, source=source, **fields)).model_version


def get_version(store: TrackingStore, name: str, version: str) -> rm.ModelVersion:
    """A version as it is now."""
    return store.get_model_version(rm.ModelVersionName(name=name, version=version)).model_version


def get_model(store: TrackingStore, name: str) -> rm.RegisteredModel:
    """A registered model as it is now."""
    return store.get_registered_model(rm.RegisteredModelName(name=name)).registered_model


def set_alias(store: TrackingStore, name: str, alias: str, version: str, **fields: Any) -> None:
    """Let an alias point to a version."""
    request = rm.SetRegisteredModelAlias(name=name, alias=alias, version=version, **fields)
    store.set_registered_model_alias(request)


def aliased(store: TrackingStore, name: str, alias: str) -> str:
    """The version that an alias points to."""
    request = rm.RegisteredModelAliasName(name=name, alias=alias)
    return store.get_model_version_by_alias(request).model_version.version


def to_stage(
    store: TrackingStore, name: str, version: str, stage: str, *, archive: bool = False, reason: str = ""
) -> rm.ModelVersion:
    """Move a version to a stage."""
    request = rm.TransitionModelVersionStage(
        name=name, version=version, stage=stage, archive_existing_versions=archive, reason=reason
    )
    return store.transition_model_version_stage(request).model_version


def download_uri(store: TrackingStore, name: str, version: str) -> str:
    """Where the files of a version are."""
    return store.get_model_version_download_uri(rm.ModelVersionName(name=name, version=version)).artifact_uri


def latest_versions(store: TrackingStore, name: str, *stages: str) -> dict[str, str]:
    """The newest version of each stage."""
    found = store.get_latest_versions(rm.GetLatestVersions(name=name, stages=list(stages))).model_versions
    return {item.current_stage: item.version for item in found}
