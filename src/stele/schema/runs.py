"""Runs and the messages about them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from stele.errors import InvalidParameterValue
from stele.schema.codec import Int64, Message, required
from stele.schema.datasets import RunInputs, RunOutputs
from stele.schema.display import run_html, run_text
from stele.schema.enums import RunStatusName, ViewTypeName
from stele.schema.metrics import Metric

__all__ = [
    "CreateRun",
    "CreateRunResponse",
    "DeleteRun",
    "DeleteTag",
    "GetRun",
    "GetRunResponse",
    "LogBatch",
    "LogMetric",
    "LogModel",
    "LogParam",
    "Param",
    "RestoreRun",
    "Run",
    "RunData",
    "RunInfo",
    "RunRequest",
    "RunTag",
    "SearchRuns",
    "SearchRunsResponse",
    "SetTag",
    "UpdateRun",
    "UpdateRunResponse",
]


class Param(Struct, frozen=True, gc=False):
    """A parameter. Written once; its value is a text."""

    key: str
    value: str = field(default_factory=str)


class RunTag(Struct, frozen=True, gc=False):
    """One tag of a run."""

    key: str
    value: str = field(default_factory=str)


class RunInfo(Struct, omit_defaults=True, frozen=True, gc=False):
    """What a run is, without its data. Times are milliseconds since 1970, ``status`` a name of :class:`RunStatus`."""

    run_id: str
    experiment_id: str
    user_id: str
    status: str
    start_time: int
    end_time: int | None = None
    # A default_factory, unlike a default, is always written.
    lifecycle_stage: str = field(default_factory=lambda: "active")
    artifact_uri: str = field(default_factory=str)
    run_name: str = field(default_factory=str)
    run_uuid: str = field(default_factory=str)

    def __post_init__(self) -> None:
        # Old clients read the id under its old name.
        msgspec.structs.force_setattr(self, "run_uuid", self.run_id)


class RunData(Struct, omit_defaults=True, frozen=True):
    """Latest metrics, params and tags: as lists on the wire, as dictionaries in Python."""

    metric_list: list[Metric] = field(name="metrics", default_factory=list)
    param_list: list[Param] = field(name="params", default_factory=list)
    tag_list: list[RunTag] = field(name="tags", default_factory=list)

    @property
    def metrics(self) -> dict[str, float]:
        """Latest value by key."""
        return {metric.key: metric.value for metric in self.metric_list}

    @property
    def params(self) -> dict[str, str]:
        """Value by key."""
        return {param.key: param.value for param in self.param_list}

    @property
    def tags(self) -> dict[str, str]:
        """Value by key."""
        return {tag.key: tag.value for tag in self.tag_list}

    def to_dictionary(self) -> dict[str, Any]:
        """Metrics, params and tags by name."""
        return {"metrics": self.metrics, "params": self.params, "tags": self.tags}


class Run(Struct, omit_defaults=True, frozen=True):
    """One execution of training code with everything that was logged."""

    info: RunInfo
    data: RunData
    inputs: RunInputs | None = None
    outputs: RunOutputs | None = None

    def to_dictionary(self) -> dict[str, Any]:
        """Info, data, inputs and outputs as plain dictionaries."""
        result: dict[str, Any] = {"info": msgspec.to_builtins(self.info), "data": self.data.to_dictionary()}
        if self.inputs is not None:
            result["inputs"] = msgspec.to_builtins(self.inputs)
        if self.outputs is not None:
            result["outputs"] = msgspec.to_builtins(self.outputs)
        return result

    def __repr__(self) -> str:
        return run_text(self)

    def _repr_html_(self) -> str:
        return run_html(self)


class RunRequest(Message):
    """A request about one run, named by ``run_id`` or by its old name ``run_uuid``."""

    run_id: str = ""
    run_uuid: str = ""

    def __post_init__(self) -> None:
        if not self.run_id:
            if not self.run_uuid:
                raise InvalidParameterValue("run_id is missing or empty.")
            self.run_id = self.run_uuid


class CreateRun(Message):
    """Times are milliseconds since 1970.

    ``run_id`` is chosen by a client that has to know it before the store does: 32 lower-case hexadecimal digits, at
    random. Creating that run again returns it.

    ``fork_from`` is a run whose points up to ``fork_step`` are the beginning of the new run's series. They are shared,
    not copied, and stay as they are now, whatever happens to that run.
    """

    experiment_id: str
    run_id: str = ""
    fork_from: str = ""
    fork_step: Int64 | None = None
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 = 0
    tags: list[RunTag] = []


class CreateRunResponse(Message):
    run: Run


class GetRun(RunRequest):
    pass


class GetRunResponse(Message):
    run: Run


class UpdateRun(RunRequest):
    """Any subset of the fields; an empty name is ignored."""

    status: RunStatusName | None = None
    end_time: Int64 | None = None
    run_name: str = ""


class UpdateRunResponse(Message):
    run_info: RunInfo


class DeleteRun(RunRequest):
    pass


class RestoreRun(RunRequest):
    pass


class LogMetric(RunRequest, kw_only=True):
    key: str
    value: float
    timestamp: Int64
    step: Int64 = 0
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None

    def as_batch(self) -> LogBatch:
        """The batch of this point alone."""
        measured = self.model_id, self.dataset_name, self.dataset_digest
        metric = Metric(required(self.key, "key"), self.value, self.timestamp, self.step, *measured)
        return LogBatch(run_id=self.run_id, metrics=[metric])


class LogParam(RunRequest, kw_only=True):
    key: str
    value: str = ""


class SetTag(RunRequest, kw_only=True):
    key: str
    value: str = ""


class DeleteTag(RunRequest, kw_only=True):
    key: str


class LogBatch(RunRequest):
    """At most 1 000 metrics, 100 params, 100 tags and 1 000 of all together."""

    metrics: list[Metric] = []
    params: list[Param] = []
    tags: list[RunTag] = []

    def as_batch(self) -> LogBatch:
        """Itself, so that a batch and a point are handled alike."""
        return self


class LogModel(RunRequest, kw_only=True):
    """The way clients before MLflow 3 record a model: a JSON text, kept in the tag ``mlflow.log-model.history``."""

    model_json: str


class SearchRuns(Message):
    """``max_results`` 1 to 50 000."""

    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: ViewTypeName = "ACTIVE_ONLY"
    max_results: Int64 = 1000
    order_by: list[str] = []
    page_token: str = ""


class SearchRunsResponse(Message):
    runs: list[Run] = []
    next_page_token: str = ""
