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
    """One version of a registered model. Times are milliseconds since 1970.

    ``aliases`` are told where one version is asked for, not in searches. ``model_id`` names the logged model that the
    version is.
    """

    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    source: str
    status: str
    description: str | None = None
    run_id: str = field(default_factory=str)
    run_link: str = field(default_factory=str)
    status_message: str = ""
    user_id: str = ""
    model_id: str = ""
    tag_list: list[ModelVersionTag] = field(name="tags", default_factory=list)
    aliases: list[str] = []

    @property
    def tags(self) -> dict[str, str]:
        """Tag values by key."""
        return {tag.key: tag.value for tag in self.tag_list}


class RegisteredModel(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """A name under which versions of a model are kept."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str | None = None
    latest_versions: list[ModelVersion] = []
    tag_list: list[RegisteredModelTag] = field(name="tags", default_factory=list)
    alias_list: list[RegisteredModelAlias] = field(name="aliases", default_factory=list)

    @property
    def tags(self) -> dict[str, str]:
        """Tag values by key."""
        return {tag.key: tag.value for tag in self.tag_list}

    @property
    def aliases(self) -> dict[str, str]:
        """Versions by alias."""
        return {alias.alias: alias.version for alias in self.alias_list}


class RegisteredModelName(Message):
    name: str
    reason: str = ""


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
    description: str | None = None


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
    """Let an alias point to a version.

    ``reason`` goes into the event. With ``expected_version`` the alias moves only if that is where it points now; an
    empty one stands for an alias that is not there.
    """

    name: str
    alias: str
    version: str
    reason: str = ""
    expected_version: str | None = None


class RegisteredModelAliasName(Message):
    name: str
    alias: str
    reason: str = ""


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
    reason: str = ""


class ModelVersionResponse(Message):
    model_version: ModelVersion


class UpdateModelVersion(Message):
    name: str
    version: str
    description: str | None = None


class TransitionModelVersionStage(Message):
    name: str
    version: str
    stage: str
    archive_existing_versions: bool = False
    reason: str = ""


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
