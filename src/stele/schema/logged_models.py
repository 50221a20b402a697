"""Logged models: the messages of MLflow 3."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from stele.schema.codec import Int64, Message
from stele.schema.metrics import Metric

__all__ = [
    "CreateLoggedModel",
    "DeleteLoggedModelTag",
    "FinalizeLoggedModel",
    "LogLoggedModelParams",
    "LoggedModel",
    "LoggedModelData",
    "LoggedModelId",
    "LoggedModelInfo",
    "LoggedModelParameter",
    "LoggedModelResponse",
    "LoggedModelTag",
    "SearchLoggedModels",
    "SearchLoggedModelsResponse",
    "SetLoggedModelTags",
]

LoggedModelStatusName = Literal["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED", 1, 2, 3]


class LoggedModelTag(Struct, frozen=True, gc=False):
    """One tag of a logged model."""

    key: str
    value: str = field(default_factory=str)


class LoggedModelParameter(Struct, frozen=True, gc=False):
    """One parameter of a logged model. Written once."""

    key: str
    value: str = field(default_factory=str)


class LoggedModelInfo(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """What a logged model is. Times are milliseconds since 1970."""

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


class LoggedModelData(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """Parameters of a logged model and the metrics that were measured on it."""

    params: list[LoggedModelParameter] = []
    metrics: list[Metric] = []


class LoggedModel(Struct, frozen=True):
    """A model as an entity of its own, made by a run or outside of one."""

    info: LoggedModelInfo
    data: LoggedModelData


class LoggedModelResponse(Message):
    model: LoggedModel


class CreateLoggedModel(Message):
    experiment_id: str
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[LoggedModelParameter] = []
    tags: list[LoggedModelTag] = []


class LoggedModelId(Message):
    model_id: str
    allow_deleted: bool = False


class FinalizeLoggedModel(Message):
    model_id: str
    status: LoggedModelStatusName


class SetLoggedModelTags(Message):
    model_id: str
    tags: list[LoggedModelTag] = []


class DeleteLoggedModelTag(Message):
    model_id: str
    tag_key: str


class LogLoggedModelParams(Message):
    model_id: str
    params: list[LoggedModelParameter] = []


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


class SearchLoggedModelsResponse(Message):
    models: list[LoggedModel] = []
    next_page_token: str = ""
