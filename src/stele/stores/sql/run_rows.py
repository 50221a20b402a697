"""From rows of ``runs`` to entities: one fetch for a page, one more only for new datasets or very many metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, exists, select

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
from stele.stores.sql.documents import RunDocument, unpack, unpack_latest
from stele.stores.sql.keys import Keys
from stele.stores.sql.parts import parts
from stele.stores.sql.tables import dirty_runs, runs

__all__ = ["RunRow", "fetch_runs", "run_entity", "run_info"]

INPUT, OUTPUT = 0, 1
"""``model_links.direction``"""

_INFO = (
    runs.c.run,
    runs.c.run_id,
    runs.c.experiment_id,
    runs.c.user_id,
    runs.c.status,
    runs.c.start_time,
    runs.c.end_time,
    runs.c.stage,
    runs.c.artifact_uri,
    runs.c.name,
    runs.c.document,
    runs.c.latest,
    runs.c.applied_id,
)
_PENDING = exists().where(dirty_runs.c.run == runs.c.run).label("pending")


class RunRow(Struct):
    """A run as stored, with what its document refers to."""

    info: RunInfo
    document: RunDocument
    latest: list[Metric]
    datasets: dict[int, Dataset]
    pending: bool


def fetch_runs(
    connection: Connection,
    keys: Keys,
    described: DatasetCache,
    numbers: Sequence[int] | Select[tuple[int]],
    *,
    pending: bool = False,
) -> list[RunRow]:
    """The runs with these numbers, in their order.

    Args:
        connection: Where to read.
        keys: The store's key numbers.
        described: The store's descriptions of datasets.
        numbers: Values of ``runs.run``, or a query for them.
        pending: Also tell whether a run's log waits to be applied.
    """
    query = select(*_INFO, _PENDING) if pending else select(*_INFO)
    asked = [numbers] if isinstance(numbers, Select) else parts(numbers)
    rows = [row for part in asked for row in connection.execute(query.where(runs.c.run.in_(part))).mappings()]
    wide = [row["run"] for row in rows if row["latest"] is None and row["applied_id"]]
    many = summaries.latest_of(connection, keys, wide) if wide else {}
    documents = {row["run"]: unpack(row["document"]) for row in rows}
    inputs = described.get(connection, {number for document in documents.values() for number, _ in document.inputs})
    found = {
        row["run"]: RunRow(
            info=run_info(row),
            document=documents[row["run"]],
            latest=many.get(row["run"]) or unpack_latest(row["latest"]),
            datasets=inputs,
            pending=pending and bool(row["pending"]),
        )
        for row in rows
    }
    order = list(found) if isinstance(numbers, Select) else numbers
    return [found[number] for number in order if number in found]


def run_info(row: Any) -> RunInfo:
    """The info in a row of ``runs``, a mapping by column name."""
    return RunInfo(
        run_id=row["run_id"],
        experiment_id=str(row["experiment_id"]),
        user_id=row["user_id"],
        status=RunStatus.NAMES[row["status"]],
        start_time=row["start_time"],
        end_time=row["end_time"],
        lifecycle_stage=STAGE_NAMES[row["stage"]],
        artifact_uri=row["artifact_uri"],
        run_name=row["name"],
    )


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
