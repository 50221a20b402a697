"""Experiments with what goes on in them."""

from __future__ import annotations

from msgspec import Struct

from stele.schema.codec import Int64, Message
from stele.schema.enums import ViewTypeName
from stele.schema.experiments import Experiment

__all__ = ["DescribeExperiments", "DescribeExperimentsResponse", "ExperimentOverview"]


class DescribeExperiments(Message):
    """``filter`` and ``order_by`` are those of a search for experiments; ``max_results`` 1 to 1 000."""

    filter: str = ""
    order_by: list[str] = []
    view: ViewTypeName = "ACTIVE_ONLY"
    max_results: Int64 = 1000
    page_token: str = ""


class ExperimentOverview(Struct, frozen=True):
    """An experiment, and its active runs.

    ``runs`` counts them by status. ``owner`` is the tag ``stele.owner``, else the user of the first run. ``archived``
    says whether it has the tag ``stele.archived_at``. ``last_activity`` is the latest start or end of a run,
    milliseconds since 1970. ``activity`` counts the runs that were started on each of the last 28 days in UTC, today's
    last.
    """

    experiment: Experiment
    runs: dict[str, int]
    archived: bool
    owner: str
    last_activity: int | None
    activity: list[int]


class DescribeExperimentsResponse(Message):
    """A page of experiments; ``total`` counts those of the view, ``matched`` those that the filter leaves."""

    experiments: list[ExperimentOverview]
    total: int
    matched: int
    next_page_token: str = ""
