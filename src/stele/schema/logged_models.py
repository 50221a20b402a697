"""Logged models: the messages of MLflow 3."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field

from stele.errors import InvalidParameterValue, shown
from stele.limits import check_model_name
from stele.schema.codec import Int64, Message
from stele.schema.metrics import Metric

__all__ = [
    "CreateLoggedModel",
    "DeleteLoggedModelTag",
    "FinalizeLoggedModel",
    "ListLoggedModelArtifacts",
    "LogLoggedModelParams",
    "LoggedModel",
    "LoggedModelData",
    "LoggedModelDataset",
    "LoggedModelId",
    "LoggedModelInfo",
    "LoggedModelOrder",
    "LoggedModelParameter",
    "LoggedModelRegistration",
    "LoggedModelResponse",
    "LoggedModelStatus",
    "LoggedModelTag",
    "SearchLoggedModels",
    "SearchLoggedModelsResponse",
    "SetLoggedModelTags",
]

LoggedModelStatusName = Literal["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED", 1, 2, 3]

MODEL_STATUS_NAMES = {1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}
"""Number on the wire -> name on the wire."""


class LoggedModelStatus(StrEnum):
    """Whether the files of a logged model are complete, in the words of Python's users."""

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"

    def to_int(self) -> int:
        """The number on the wire."""
        return list(LoggedModelStatus).index(self)

    @classmethod
    def from_int(cls, status_int: int) -> LoggedModelStatus:
        """The status with a number of the wire.

        Raises:
            InvalidParameterValue: There is none.
        """
        if status_int not in range(len(cls)):
            raise InvalidParameterValue(f"{shown(status_int)} is no status of a logged model. Allowed are 0 to 3.")
        return list(cls)[status_int]

    @staticmethod
    def is_finalized(status: LoggedModelStatus) -> bool:
        """Whether nothing more is expected to be written."""
        return status in (LoggedModelStatus.READY, LoggedModelStatus.FAILED)


class LoggedModelTag(Struct, frozen=True, gc=False):
    """One tag of a logged model."""

    key: str
    value: str = field(default_factory=str)


class LoggedModelParameter(Struct, frozen=True, gc=False):
    """One parameter of a logged model. Written once."""

    key: str
    value: str = field(default_factory=str)


class LoggedModelRegistration(Struct, frozen=True, gc=False):
    """A version of a registered model that this logged model is."""

    name: str
    version: str


class LoggedModelInfo(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """What a logged model is. Times are milliseconds since 1970.

    ``digest`` is ``sha256:`` and 64 hexadecimal digits, over the manifest of the files as they were logged; absent when
    nobody told it.
    """

    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: str
    status: str
    model_type: str = field(default_factory=str)
    source_run_id: str = field(default_factory=str)
    status_message: str = ""
    tags: list[LoggedModelTag] = []
    registrations: list[LoggedModelRegistration] = []
    digest: str | None = None


class LoggedModelData(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """Parameters of a logged model and the metrics that were measured on it."""

    params: list[LoggedModelParameter] = []
    metrics: list[Metric] = []


class LoggedModel(Struct, frozen=True):
    """A model as an entity of its own, made by a run or outside of one.

    The properties are MLflow's names for what ``info`` and ``data`` hold.
    """

    info: LoggedModelInfo
    data: LoggedModelData

    @property
    def model_id(self) -> str:
        """``m-`` and 32 hexadecimal digits."""
        return self.info.model_id

    @property
    def model_uri(self) -> str:
        """The address under which the model is loaded."""
        return f"models:/{self.info.model_id}"

    @property
    def experiment_id(self) -> str:
        """The experiment that the model belongs to."""
        return self.info.experiment_id

    @property
    def name(self) -> str:
        """Its name, which other models may have too."""
        return self.info.name

    @property
    def artifact_location(self) -> str:
        """Where its files are."""
        return self.info.artifact_uri

    @property
    def creation_timestamp(self) -> int:
        """When it was made, in milliseconds since 1970."""
        return self.info.creation_timestamp_ms

    @property
    def last_updated_timestamp(self) -> int:
        """When its status changed last, in milliseconds since 1970."""
        return self.info.last_updated_timestamp_ms

    @property
    def model_type(self) -> str:
        """What kind of model it is; any text."""
        return self.info.model_type

    @property
    def source_run_id(self) -> str:
        """The run that made it; empty when none did."""
        return self.info.source_run_id

    @property
    def status(self) -> LoggedModelStatus:
        """Whether its files are complete."""
        return _STATUS.get(self.info.status, LoggedModelStatus.UNSPECIFIED)

    @property
    def status_message(self) -> str:
        """More about the status."""
        return self.info.status_message

    @property
    def digest(self) -> str | None:
        """See :class:`LoggedModelInfo`."""
        return self.info.digest

    @property
    def tags(self) -> dict[str, str]:
        """Tags by key."""
        return {tag.key: tag.value for tag in self.info.tags}

    @property
    def params(self) -> dict[str, str]:
        """Parameters by key."""
        return {param.key: param.value for param in self.data.params}

    @property
    def metrics(self) -> list[Metric]:
        """Points that were measured on the model."""
        return self.data.metrics

    def to_dictionary(self) -> dict[str, Any]:
        """Everything under MLflow's names."""
        names = (
            "experiment_id model_id name artifact_location creation_timestamp last_updated_timestamp model_type "
            "source_run_id status status_message tags params metrics"
        ).split()
        return {name: getattr(self, name) for name in names}


_STATUS = {
    "LOGGED_MODEL_PENDING": LoggedModelStatus.PENDING,
    "LOGGED_MODEL_READY": LoggedModelStatus.READY,
    "LOGGED_MODEL_UPLOAD_FAILED": LoggedModelStatus.FAILED,
}


class LoggedModelResponse(Message):
    model: LoggedModel


class CreateLoggedModel(Message):
    """A model whose files will follow.

    ``model_id`` is chosen by a client that has to know it before the store does: ``m-`` and 32 lower-case hexadecimal
    digits, at random. Creating that model again returns it.
    """

    experiment_id: str
    model_id: str = ""
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[LoggedModelParameter] = []
    tags: list[LoggedModelTag] = []


class LoggedModelId(Message):
    model_id: str
    allow_deleted: bool = False


class FinalizeLoggedModel(Message):
    """Says that the files are complete, or will not be; ``digest`` as in :class:`LoggedModelInfo`, told once."""

    model_id: str
    status: LoggedModelStatusName
    digest: str | None = None


class SetLoggedModelTags(Message):
    model_id: str
    tags: list[LoggedModelTag] = []


class DeleteLoggedModelTag(Message):
    model_id: str
    tag_key: str


class LogLoggedModelParams(Message):
    model_id: str
    params: list[LoggedModelParameter] = []


class ListLoggedModelArtifacts(Message):
    """The direct children of a directory below the artifact root of a logged model."""

    model_id: str
    artifact_directory_path: str = ""
    page_token: str = ""


class LoggedModelDataset(Message):
    """Restricts metric conditions of a search to one dataset."""

    dataset_name: str
    dataset_digest: str = ""


class LoggedModelOrder(Message):
    """One key of the order of a search."""

    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLoggedModels(Message):
    experiment_ids: list[str]
    filter: str = ""
    datasets: list[LoggedModelDataset] = []
    max_results: Int64 = 50
    order_by: list[LoggedModelOrder] = []
    page_token: str = ""

    @classmethod
    def newest_of_run(cls, experiment_id: str, run_id: str, name: str) -> SearchLoggedModels:
        """For the newest logged model of a run by its name, which is how ``runs:/<run id>/<name>`` names it.

        Raises:
            InvalidParameterValue: No model can have the name.
        """
        check_model_name(name)
        return cls([experiment_id], f"name = '{name}' AND source_run_id = '{run_id}'", max_results=1)


class SearchLoggedModelsResponse(Message):
    models: list[LoggedModel] = []
    next_page_token: str = ""
