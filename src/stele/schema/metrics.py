"""Metric points and the messages about series of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from msgspec import Struct, field

from stele.schema.codec import Int64, Message
from stele.schema.columns import Columnar, json_numbers

__all__ = [
    "GetMetricHistory",
    "GetMetricHistoryBulk",
    "GetMetricHistoryBulkInterval",
    "GetMetricHistoryBulkResponse",
    "GetMetricHistoryResponse",
    "Metric",
    "MetricColumns",
    "MetricRows",
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


class MetricColumns(NamedTuple):
    """Points of one series, without a run where the request has named it."""

    key: str
    timestamps: list[int]
    steps: list[int]
    values: list[float]
    run_id: str | None = None


class _Row(Struct, gc=False):
    """A :class:`Metric` as it is written: with these fields alone it takes half the time."""

    key: str
    value: float | str
    timestamp: int
    step: int


class _RowWithRunId(_Row, gc=False):
    run_id: str


class MetricRows(Columnar, Sequence[Any]):
    """Points as MLflow's messages list them: :class:`Metric`, or :class:`MetricWithRunId` where there is a run.

    The objects are made when somebody looks at them; JSON is written without them.
    """

    __slots__ = ("_items", "_series")

    def __init__(self, series: Sequence[MetricColumns]) -> None:
        self._series = series
        self._items: list[Any] | None = None

    def to_json(self) -> list[Any]:
        """One row per point; values that are no numbers for JSON as strings."""
        return self._rows(_Row, _RowWithRunId, written=True)

    def _objects(self) -> list[Any]:
        if self._items is None:
            self._items = self._rows(Metric, MetricWithRunId, written=False)
        return self._items

    def _rows(self, plain: type[Any], with_run: type[Any], *, written: bool) -> list[Any]:
        rows: list[Any] = []
        for key, timestamps, steps, values, run_id in self._series:
            shown = json_numbers(values) if written else values
            if run_id is None:
                rows += map(plain, repeat(key), shown, timestamps, steps)
            else:
                rows += map(with_run, repeat(key), shown, timestamps, steps, repeat(run_id))
        return rows

    def __len__(self) -> int:
        return sum(len(columns.values) for columns in self._series)

    def __getitem__(self, place: Any) -> Any:
        return self._objects()[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._objects())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._objects() == list(other)

    __hash__ = None  # type: ignore[assignment]  # it compares by what it holds


class GetMetricHistory(Message):
    """The points of one series; without ``max_results`` all of them."""

    metric_key: str
    run_id: str = ""
    run_uuid: str = ""
    page_token: str = ""
    max_results: Int64 | None = None


class GetMetricHistoryResponse(Message):
    metrics: Sequence[Metric] = []
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
    metrics: Sequence[MetricWithRunId] = []
