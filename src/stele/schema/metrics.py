"""Metric points and the messages about series of them."""

from __future__ import annotations

from msgspec import Struct, field

from stele.schema.codec import Int64, Message

__all__ = [
    "GetMetricHistory",
    "GetMetricHistoryBulk",
    "GetMetricHistoryBulkInterval",
    "GetMetricHistoryBulkResponse",
    "GetMetricHistoryResponse",
    "Metric",
    "MetricWithRunId",
]


class Metric(Struct, omit_defaults=True, frozen=True, gc=False):
    """One point: ``timestamp`` in milliseconds since 1970, ``step`` any 64-bit integer, ``value`` any double or NaN."""

    key: str
    value: float
    timestamp: Int64
    step: Int64 = field(default_factory=int)
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None
    run_id: str | None = None


class MetricWithRunId(Struct, omit_defaults=True, frozen=True, gc=False):
    """A point of one of several runs."""

    key: str
    value: float
    timestamp: int
    step: int
    run_id: str


class GetMetricHistory(Message):
    """The points of one series; without ``max_results`` all of them."""

    metric_key: str
    run_id: str = ""
    run_uuid: str = ""
    page_token: str = ""
    max_results: Int64 | None = None


class GetMetricHistoryResponse(Message):
    metrics: list[Metric] = []
    next_page_token: str = ""


class GetMetricHistoryBulk(Message):
    """The points of one key in 1 to 100 runs, at most ``max_results`` (up to 25 000) in all."""

    metric_key: str
    run_id: list[str]
    max_results: Int64 = 25_000


class GetMetricHistoryBulkInterval(Message):
    """As the bulk history, thinned evenly to ``max_results`` (up to 2 500) points a run; both ends are kept."""

    metric_key: str
    run_ids: list[str]
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: Int64 = 2_500


class GetMetricHistoryBulkResponse(Message):
    metrics: list[MetricWithRunId] = []
