"""Experiments and the messages about them."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct, field

from stele.schema.codec import Int64, Message
from stele.schema.display import experiment_html, experiment_text
from stele.schema.enums import ViewTypeName

__all__ = [
    "CreateExperiment",
    "CreateExperimentResponse",
    "DeleteExperiment",
    "DeleteExperimentTag",
    "Empty",
    "Experiment",
    "ExperimentTag",
    "GetExperiment",
    "GetExperimentByName",
    "GetExperimentResponse",
    "RestoreExperiment",
    "SearchExperiments",
    "SearchExperimentsResponse",
    "SetExperimentTag",
    "UpdateExperiment",
]


class Empty(Message):
    """``{}``."""


class ExperimentTag(Struct, frozen=True, gc=False):
    """One tag of an experiment."""

    key: str
    value: str = field(default_factory=str)


class Experiment(Struct, omit_defaults=True, frozen=True):
    """A named group of runs. Times are milliseconds since 1970; ``lifecycle_stage`` is ``active`` or ``deleted``."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    tag_list: list[ExperimentTag] = field(name="tags", default_factory=list)
    creation_time: int | None = None
    last_update_time: int | None = None
    workspace: str = field(default_factory=lambda: "default")

    DEFAULT_EXPERIMENT_NAME: ClassVar[str] = "Default"

    @property
    def tags(self) -> dict[str, str]:
        """Tag values by key."""
        return {tag.key: tag.value for tag in self.tag_list}

    def __repr__(self) -> str:
        return experiment_text(self)

    def _repr_html_(self) -> str:
        return experiment_html(self)


class CreateExperiment(Message):
    name: str
    artifact_location: str = ""
    tags: list[ExperimentTag] = []


class CreateExperimentResponse(Message):
    experiment_id: str


class GetExperiment(Message):
    experiment_id: str


class GetExperimentByName(Message):
    experiment_name: str


class GetExperimentResponse(Message):
    experiment: Experiment


class DeleteExperiment(Message):
    experiment_id: str


class RestoreExperiment(Message):
    experiment_id: str


class UpdateExperiment(Message):
    experiment_id: str
    new_name: str


class SetExperimentTag(Message):
    experiment_id: str
    key: str
    value: str = ""


class DeleteExperimentTag(Message):
    experiment_id: str
    key: str


class SearchExperiments(Message):
    """``max_results`` 1 to 50 000, absent means 1 000."""

    max_results: Int64 = 1000
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: ViewTypeName = "ACTIVE_ONLY"


class SearchExperimentsResponse(Message):
    experiments: list[Experiment] = []
    next_page_token: str = ""
