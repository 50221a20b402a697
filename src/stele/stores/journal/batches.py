"""From records to messages: batches of points in columns, and requests joined with their neighbours."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from stele import limits
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.metrics import Metric
from stele.schema.runs import LogBatch

__all__ = ["Points", "joined", "log_batches"]


class Points(Struct, frozen=True):
    """The points of one series that a batch has.

    Attributes:
        series: Its number in the journal.
        run_id: The run.
        key: The metric.
        numbers: Numbers of the records.
        columns: Steps, milliseconds since 1970 and values of the points, as the message has them.
    """

    series: int
    run_id: str
    key: str
    numbers: Any
    columns: IngestSeries

    @classmethod
    def of(cls, records: Any, numbers: Any, name: Callable[[int], tuple[str, str]]) -> list[Points]:
        """The points of records, by series; records that say nothing are left out."""
        import numpy as np

        said = records["series"] != 0
        if not said.all():
            records, numbers = records[said], numbers[said]
        order = np.argsort(records["series"], kind="stable")
        records, numbers = records[order], numbers[order]
        series = records["series"]
        edges = [0, *(np.flatnonzero(series[1:] != series[:-1]) + 1).tolist(), len(series)]
        return [
            cls._one(records[low:high], numbers[low:high], name(int(series[low])))
            for low, high in itertools.pairwise(edges)
            if low < high
        ]

    @classmethod
    def _one(cls, records: Any, numbers: Any, name: tuple[str, str]) -> Points:
        columns = IngestSeries(
            *name, records["step"].tolist(), records["timestamp"].tolist(), records["value"].tolist()
        )
        return cls(int(records["series"][0]), *name, numbers, columns)

    def thinned(self, stride: int) -> Points:
        """Every so many of the points, beginning with the first."""
        columns = self.columns
        kept = IngestSeries(
            self.run_id, self.key, columns.steps[::stride], columns.timestamps[::stride], columns.values[::stride]
        )
        return Points(self.series, self.run_id, self.key, self.numbers[::stride], kept)

    def metrics(self) -> Iterator[Metric]:
        """The points one by one."""
        columns = self.columns
        for step, timestamp, value in zip(columns.steps, columns.timestamps, columns.values, strict=True):
            yield Metric(self.key, value, timestamp, step)

    def letters(self) -> Iterator[dict[str, Any]]:
        """The points as they stand in the file of dead letters."""
        for number, point in zip(self.numbers.tolist(), self.metrics(), strict=True):
            yield {
                "record": number,
                "run_id": self.run_id,
                "key": self.key,
                "step": point.step,
                "timestamp": point.timestamp,
                "value": point.value,
            }


def message(client_id: str, sequence: int, points: Iterable[Points]) -> Ingest:
    """A batch as it is sent."""
    return Ingest(client_id=client_id, sequence=sequence, series=[item.columns for item in points])


def log_batches(points: Iterable[Points]) -> Iterator[LogBatch]:
    """The same points for a server that knows no batches in columns."""
    by_run: dict[str, list[Metric]] = {}
    for item in points:
        by_run.setdefault(item.run_id, []).extend(item.metrics())
    for run_id, metrics in by_run.items():
        for start in range(0, len(metrics), limits.MAX_BATCH_METRICS):
            yield LogBatch(run_id=run_id, metrics=metrics[start : start + limits.MAX_BATCH_METRICS])


def joined(requests: list[LogBatch]) -> tuple[LogBatch, int]:
    """As many of these requests about one run as fit into one, and how many they are.

    A param that is there already does not fit: it would be refused, and its neighbours with it.
    """
    result = LogBatch(run_id=requests[0].run_id, metrics=[], params=[], tags=[])
    params: set[str] = set()
    for count, request in enumerate(requests):
        keys = {param.key for param in request.params}
        metrics = len(result.metrics) + len(request.metrics)
        tags = len(result.tags) + len(request.tags)
        total = metrics + tags + len(params) + len(request.params)
        if count and (
            request.run_id != result.run_id
            or keys & params
            or metrics > limits.MAX_BATCH_METRICS
            or len(params) + len(request.params) > limits.MAX_BATCH_PARAMS
            or tags > limits.MAX_BATCH_TAGS
            or total > limits.MAX_BATCH_ENTITIES
        ):
            return result, count
        result.metrics += request.metrics
        result.params += request.params
        result.tags += request.tags
        params |= keys
    return result, len(requests)
