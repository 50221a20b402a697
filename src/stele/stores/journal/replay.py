"""What a journal says about its runs, for reads without a server and for people who look at a journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from stele.errors import InvalidParameterValue
from stele.schema import runs as r
from stele.schema.codec import decode
from stele.schema.datasets import RunInputs
from stele.schema.enums import RunStatus
from stele.schema.metrics import Metric
from stele.schema.routes import by_operation
from stele.schema.runs import Param, Run, RunData, RunInfo, RunTag
from stele.stores.journal import files
from stele.stores.journal.journal import Journal
from stele.stores.journal.segments import SEGMENT_RECORDS

__all__ = ["Recorded", "artifact_directory", "new_info", "recorded_history", "recorded_runs", "requests_of"]


class Recorded(Struct):
    """One run as far as a journal knows it.

    Attributes:
        info: None when the journal only adds to a run of the store.
        points: How many points of metrics wait for it.
    """

    run_id: str
    info: RunInfo | None = None
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: dict[str, Metric] = {}
    points: int = 0

    def run(self) -> Run | None:
        """The run as a store would give it; None when it was not made here."""
        if self.info is None:
            return None
        data = RunData(
            list(self.metrics.values()),
            [Param(key, value) for key, value in self.params.items()],
            [RunTag(key, value) for key, value in self.tags.items()],
        )
        return Run(self.info, data, RunInputs())

    def take(self, point: Metric) -> None:
        """Count a point, and keep it if it is the latest of its metric."""
        self.points += 1
        old = self.metrics.get(point.key)
        if old is None or _rank(point) >= _rank(old):
            self.metrics[point.key] = point


def artifact_directory(journal: Journal, run_id: str) -> str:
    """Where the files of a run lie until they are sent; an empty text when the journal has no directory."""
    return "" if journal.directory is None else str(journal.directory / files.FILES / run_id)


def new_info(journal: Journal, request: r.CreateRun) -> RunInfo:
    """What is known about a run that was made without a server."""
    return RunInfo(
        run_id=request.run_id,
        experiment_id=request.experiment_id,
        user_id=request.user_id,
        status=RunStatus.to_string(RunStatus.RUNNING),
        start_time=request.start_time,
        artifact_uri=artifact_directory(journal, request.run_id),
        run_name=request.run_name,
    )


def requests_of(journal: Journal) -> Iterator[Any]:
    """The requests that are not carried out yet, in order; what a power cut damaged is left out."""
    for operation in list(journal.operations.values()):
        with suppress(KeyError, InvalidParameterValue):
            yield decode(bytes(operation.request), by_operation()[operation.name].request)


def recorded_runs(journal: Journal, *, points: bool = True) -> dict[str, Recorded]:
    """The runs in a journal by id, with what is not in the store yet; on demand without the points of metrics."""
    found: dict[str, Recorded] = {}
    for request in requests_of(journal):
        run_id = getattr(request, "run_id", "")
        if run_id:
            _apply(journal, found.setdefault(run_id, Recorded(run_id)), request)
    if points:
        _take_points(journal, found)
    return found


def recorded_history(journal: Journal, run_id: str, key: str) -> list[Metric]:
    """The points of a metric of a run that are in a journal, in the order of a history."""
    import numpy as np

    found: list[Metric] = []
    for records in _pieces(journal):
        own = [series for series in np.unique(records["series"]).tolist() if journal.name(series) == (run_id, key)]
        rows = records[np.isin(records["series"], own)].tolist()
        found += [Metric(key, value, timestamp, step) for _, step, timestamp, value, _ in rows]
    for request in requests_of(journal):
        if isinstance(request, r.LogBatch) and request.run_id == run_id:
            found += [point for point in request.metrics if point.key == key]
    return sorted(found, key=lambda point: (point.timestamp, point.step))


def _pieces(journal: Journal) -> Iterator[Any]:
    """The points that are not in the store yet, one segment of the journal at a time."""
    first, end = journal.state.stop, journal.end()[0]
    for start in range(first - first % SEGMENT_RECORDS, end, SEGMENT_RECORDS):
        records, _, _ = journal.segments.read(max(start, first), min(start + SEGMENT_RECORDS, end))
        records = records[records["series"] != 0]
        if len(records):
            yield records


def _take_points(journal: Journal, found: dict[str, Recorded]) -> None:
    """Count the points, and keep the latest of each series, in the memory of one piece at a time."""
    import numpy as np

    for records in _pieces(journal):
        nans = np.isnan(records["value"])
        order = np.lexsort([nans, np.where(nans, 0.0, records["value"]), *(records[name] for name in _BY)])
        ordered = records[order]
        ends = np.flatnonzero(np.append(ordered["series"][1:] != ordered["series"][:-1], True))
        for (series, step, timestamp, value, _), count in zip(
            ordered[ends].tolist(), np.diff(ends, prepend=-1).tolist(), strict=True
        ):
            run_id, key = journal.name(series)
            if run_id:
                recorded = found.setdefault(run_id, Recorded(run_id))
                recorded.take(Metric(key, value, timestamp, step))
                recorded.points += count - 1


_BY = ("timestamp", "step", "series")


def _rank(point: Metric) -> tuple[int, int, float, bool]:
    """What decides which point is the latest; NaN counts as 0 and stands behind it."""
    is_nan = point.value != point.value
    return (point.step, point.timestamp, 0.0 if is_nan else point.value, is_nan)


def _apply(journal: Journal, recorded: Recorded, request: Any) -> None:
    if isinstance(request, r.CreateRun):
        recorded.info = new_info(journal, request)
        recorded.tags |= {tag.key: tag.value for tag in request.tags}
    elif isinstance(request, r.UpdateRun) and recorded.info is not None:
        changed = {"status": request.status, "end_time": request.end_time, "run_name": request.run_name}
        recorded.info = replace(recorded.info, **{name: value for name, value in changed.items() if value})
    elif isinstance(request, r.LogBatch):
        recorded.params |= {param.key: param.value for param in request.params}
        recorded.tags |= {tag.key: tag.value for tag in request.tags}
        for point in request.metrics:
            recorded.take(point)
    elif isinstance(request, r.DeleteTag):
        recorded.tags.pop(request.key, None)
