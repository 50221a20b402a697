"""The registry: registered models, their versions, aliases and stages, as messages."""

from __future__ import annotations

from msgspec import Struct, field

from stele.schema.codec import Int64, Message

__all__ = [
    "CreateModelVersion",
    "CreateRegisteredModel",
    "GetLatestVersions",
    "ModelVersion",
    "ModelVersionName",
    "ModelVersionResponse",
    "ModelVersionTag",
    "ModelVersionTagName",
    "RegisteredModel",
    "RegisteredModelAlias",
    "RegisteredModelAliasName",
    "RegisteredModelName",
    "RegisteredModelResponse",
    "RegisteredModelTag",
    "RegisteredModelTagName",
    "RenameRegisteredModel",
    "SearchModelVersions",
    "SearchModelVersionsResponse",
    "SearchRegisteredModels",
    "SearchRegisteredModelsResponse",
    "SetModelVersionTag",
    "SetRegisteredModelAlias",
    "SetRegisteredModelTag",
    "TransitionModelVersionStage",
    "UpdateModelVersion",
    "UpdateRegisteredModel",
]


class RegisteredModelTag(Struct, frozen=True, gc=False):
    """One tag of a registered model."""

    key: str
    value: str = field(default_factory=str)


class ModelVersionTag(Struct, frozen=True, gc=False):
    """One tag of a model version."""

    key: str
    value: str = field(default_factory=str)


class RegisteredModelAlias(Struct, frozen=True, gc=False):
    """A name that points to one version."""

    alias: str
    version: str


class ModelVersion(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """One version of a registered model. Times are milliseconds since 1970."""

    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    source: str
    status: str
    description: str = field(default_factory=str)
    run_id: str = field(default_factory=str)
    run_link: str = field(default_factory=str)
    status_message: str = ""
    tags: list[ModelVersionTag] = []
    aliases: list[str] = []


class RegisteredModel(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """A name under which versions of a model are kept."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""
    latest_versions: list[ModelVersion] = []
    tags: list[RegisteredModelTag] = []
    aliases: list[RegisteredModelAlias] = []


class RegisteredModelName(Message):
    name: str


class RegisteredModelResponse(Message):
    registered_model: RegisteredModel


class CreateRegisteredModel(Message):
    name: str
    tags: list[RegisteredModelTag] = []
    description: str = ""


class RenameRegisteredModel(Message):
    name: str
    new_name: str


class UpdateRegisteredModel(Message):
    name: str
    description: str = ""


class SearchRegisteredModels(Message):
    filter: str = ""
    max_results: Int64 = 100
    order_by: list[str] = []
    page_token: str = ""


class SearchRegisteredModelsResponse(Message):
    registered_models: list[RegisteredModel] = []
    next_page_token: str = ""


class GetLatestVersions(Message):
    name: str
    stages: list[str] = []


class SetRegisteredModelTag(Message):
    name: str
    key: str
    value: str = ""


class RegisteredModelTagName(Message):
    name: str
    key: str


class SetRegisteredModelAlias(Message):
    name: str
    alias: str
    version: str


class RegisteredModelAliasName(Message):
    name: str
    alias: str


class CreateModelVersion(Message):
    name: str
    source: str
    run_id: str = ""
    tags: list[ModelVersionTag] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class ModelVersionName(Message):
    name: str
    version: str


class ModelVersionResponse(Message):
    model_version: ModelVersion


class UpdateModelVersion(Message):
    name: str
    version: str
    description: str = ""


class TransitionModelVersionStage(Message):
    name: str
    version: str
    stage: str
    archive_existing_versions: bool = False


class SetModelVersionTag(Message):
    name: str
    version: str
    key: str
    value: str = ""


class ModelVersionTagName(Message):
    name: str
    version: str
    key: str


class SearchModelVersions(Message):
    filter: str = ""
    max_results: Int64 = 200_000
    order_by: list[str] = []
    page_token: str = ""


class SearchModelVersionsResponse(Message):
    """A page of versions."""

    model_versions: list[ModelVersion] = []
    next_page_token: str = ""


class GetModelVersionDownloadUriResponse(Message):
    artifact_uri: str
