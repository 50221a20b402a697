"""Datasets, and which runs read and wrote what."""

from __future__ import annotations

from msgspec import Struct, field

from stele.schema.codec import Int64, Message

__all__ = [
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "InputTag",
    "LogInputs",
    "LogOutputs",
    "LoggedModelInput",
    "LoggedModelOutput",
    "RunInputs",
    "RunOutputs",
    "SearchDatasets",
    "SearchDatasetsResponse",
]


class Dataset(Struct, omit_defaults=True, frozen=True):
    """A description of data; ``source``, ``schema`` and ``profile`` are JSON, ``digest`` has up to 36 characters."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class InputTag(Struct, frozen=True, gc=False):
    """One tag of the link between a run and a dataset, such as ``mlflow.data.context``."""

    key: str
    value: str


class DatasetInput(Struct, omit_defaults=True, frozen=True):
    """A dataset that a run read."""

    dataset: Dataset
    tags: list[InputTag] = field(default_factory=list)


class LoggedModelInput(Struct, frozen=True):
    """A logged model that a run used."""

    model_id: str


class LoggedModelOutput(Struct, frozen=True):
    """A logged model that a run made, at a step."""

    model_id: str
    step: Int64 = field(default_factory=int)


class RunInputs(Struct, omit_defaults=True, frozen=True):
    """What a run read."""

    dataset_inputs: list[DatasetInput] = field(default_factory=list)
    model_inputs: list[LoggedModelInput] = field(default_factory=list)


class RunOutputs(Struct, omit_defaults=True, frozen=True):
    """What a run made."""

    model_outputs: list[LoggedModelOutput] = field(default_factory=list)


class LogInputs(Message):
    run_id: str
    datasets: list[DatasetInput] = []
    models: list[LoggedModelInput] = []


class LogOutputs(Message):
    run_id: str
    models: list[LoggedModelOutput]


class SearchDatasets(Message):
    """The datasets of up to 20 experiments."""

    experiment_ids: list[str]


class DatasetSummary(Struct, omit_defaults=True, frozen=True):
    """A dataset and one context in which the runs of an experiment read it."""

    experiment_id: str
    name: str
    digest: str
    context: str | None = None


class SearchDatasetsResponse(Message):
    dataset_summaries: list[DatasetSummary] = []
