"""From rows of ``runs`` to entities: one fetch for a page, one more only for new datasets or very many metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, exists, literal_column, select

from stele.schema.datasets import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    RunInputs,
    RunOutputs,
)
from stele.schema.enums import RunStatus
from stele.schema.metrics import Metric
from stele.schema.runs import Param, Run, RunData, RunInfo, RunTag
from stele.stores.sql import summaries
from stele.stores.sql.core import STAGE_NAMES
from stele.stores.sql.described import DatasetCache
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.documents import RunDocument, latest_values, unpack, unpack_latest
from stele.stores.sql.keys import Keys
from stele.stores.sql.parts import parts
from stele.stores.sql.tables import dirty_runs, runs

__all__ = ["PackedRun", "RunRow", "fetch_info", "fetch_packed", "fetch_run", "fetch_runs", "run_entity", "run_info"]

INPUT, OUTPUT = 0, 1
"""``model_links.direction``"""

_INFO = (
    runs.c.run_id,
    runs.c.experiment_id,
    runs.c.user_id,
    runs.c.status,
    runs.c.start_time,
    runs.c.end_time,
    runs.c.stage,
    runs.c.artifact_uri,
    runs.c.name,
)
_WHOLE = select(runs.c.run, *_INFO, runs.c.document, runs.c.latest, runs.c.applied_id)
_PENDING = exists().where(dirty_runs.c.run == runs.c.run)

# Built once: a statement takes longer to build than to run.
_FETCH = Prepared(_WHOLE.add_columns(literal_column("0")).where(runs.c.run.in_(bindparam("numbers", expanding=True))))
_FETCH_ONE = Prepared(_WHOLE.add_columns(_PENDING).where(runs.c.run_id == bindparam("run_id")))


class RunRow(Struct):
    """A run as stored, with what its document refers to."""

    info: RunInfo
    document: RunDocument
    latest: list[Metric]
    datasets: dict[int, Dataset]
    pending: bool
    """Whether its log waits to be applied; not known of the runs of a page."""


class PackedRun(Struct):
    """A run as far as its own row tells."""

    info: RunInfo
    document: RunDocument
    latest: dict[str, float] | None
    """Value by key; None when there are too many metrics for a row."""


def fetch_runs(connection: Connection, keys: Keys, described: DatasetCache, numbers: Sequence[int]) -> list[RunRow]:
    """The runs with these numbers, in their order.

    Args:
        connection: Where to read.
        keys: The store's key numbers.
        described: The store's descriptions of datasets.
        numbers: Values of ``runs.run``.
    """
    rows = {row[0]: row for part in parts(numbers) for row in _FETCH(connection, {"numbers": part}).all()}
    return _run_rows(connection, keys, described, [rows[number] for number in numbers if number in rows])


def fetch_packed(connection: Connection, numbers: Sequence[int]) -> dict[int, PackedRun]:
    """What stands in the rows of these runs alone, by number."""
    found: dict[int, PackedRun] = {}
    for part in parts(numbers):
        rows: Sequence[Any] = _FETCH(connection, {"numbers": part}).all()
        for run, *info, document, latest, applied, _ in rows:
            values = None if latest is None and applied else latest_values(latest)
            found[run] = PackedRun(run_info(*info), unpack(document), values)
    return found


def fetch_run(connection: Connection, keys: Keys, described: DatasetCache, run_id: str) -> RunRow | None:
    """As :func:`fetch_runs`, for the run with an id; None when there is none."""
    found = _run_rows(connection, keys, described, _FETCH_ONE(connection, {"run_id": run_id}).all())
    return found[0] if found else None


def _run_rows(connection: Connection, keys: Keys, described: DatasetCache, rows: Sequence[Any]) -> list[RunRow]:
    wide = [run for run, *_, latest, applied_id, _ in rows if latest is None and applied_id]
    many = summaries.latest_of(connection, keys, wide) if wide else {}
    documents = [unpack(document) for *_, document, _, _, _ in rows]
    inputs = described.get(connection, {number for document in documents for number, _ in document.inputs})
    return [
        RunRow(run_info(*info), document, many.get(run) or unpack_latest(latest), inputs, bool(pending))
        for (run, *info, _, latest, _, pending), document in zip(rows, documents, strict=True)
    ]


def run_info(
    run_id: str,
    experiment_id: int,
    user_id: str,
    status: int,
    start_time: int,
    end_time: int | None,
    stage: int,
    artifact_uri: str,
    name: str,
) -> RunInfo:
    """The info in the columns of ``runs``."""
    return RunInfo(
        run_id,
        str(experiment_id),
        user_id,
        RunStatus.NAMES[status],
        start_time,
        end_time,
        STAGE_NAMES[stage],
        artifact_uri,
        name,
    )


def fetch_info(connection: Connection, run: int) -> RunInfo:
    """The info of the run with a number."""
    return run_info(*connection.execute(select(*_INFO).where(runs.c.run == run)).one())


def run_entity(row: RunRow, *, outputs: bool) -> Run:
    """The entity; a listing leaves out model links, as MLflow's does."""
    document = row.document
    data = RunData(
        metric_list=row.latest,
        param_list=[Param(key, value) for key, value in document.params.items()],
        tag_list=[RunTag(key, value) for key, value in document.tags.items()],
    )
    inputs = [
        DatasetInput(row.datasets[number], [InputTag(key, value) for key, value in tags.items()])
        for number, tags in document.inputs
    ]
    if not outputs:
        return Run(row.info, data, RunInputs(inputs))
    models_in = [LoggedModelInput(model_id) for direction, model_id, _ in document.models if direction == INPUT]
    models_out = [LoggedModelOutput(model_id, step) for way, model_id, step in document.models if way == OUTPUT]
    return Run(row.info, data, RunInputs(inputs, models_in), RunOutputs(models_out))
