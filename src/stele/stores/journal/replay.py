"""What a journal says about its runs, for reads without a server and for people who look at a journal."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from stele.schema import runs as r
from stele.schema.codec import decode
from stele.schema.datasets import RunInputs
from stele.schema.enums import RunStatus
from stele.schema.metrics import Metric
from stele.schema.routes import by_operation
from stele.schema.runs import Param, Run, RunData, RunInfo, RunTag
from stele.stores.journal import files
from stele.stores.journal.journal import Journal

__all__ = ["Recorded", "artifact_directory", "new_info", "recorded_runs"]


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
        if old is None or (point.step, point.timestamp, point.value) >= (old.step, old.timestamp, old.value):
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


def recorded_runs(journal: Journal, *, points: bool = True) -> dict[str, Recorded]:
    """The runs in a journal by id, with what is not in the store yet; on demand without the points of metrics."""
    found: dict[str, Recorded] = {}
    for operation in list(journal.operations.values()):
        request = decode(bytes(operation.request), by_operation()[operation.name].request)
        run_id = getattr(request, "run_id", "")
        if run_id:
            _apply(journal, found.setdefault(run_id, Recorded(run_id)), request)
    if not points:
        return found
    records, _, _ = journal.segments.read(journal.state.stop, journal.end()[0])
    for series, step, timestamp, value, _ in records.tolist():
        run_id, key = journal.name(series)
        if run_id:
            found.setdefault(run_id, Recorded(run_id)).take(Metric(key, value, timestamp, step))
    return found


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
