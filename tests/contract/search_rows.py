"""Records of the search oracle as rows of the tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert

from stele.schema.enums import RunStatus
from stele.search.tree import Compare, OrderKey, to_text
from stele.stores.sql import tables
from stele.stores.sql.tables import KIND_METRIC, KIND_PARAM, KIND_TAG, TEXT_PREFIX
from stele.testing.search_oracle import ExperimentRecord, Point, RunRecord, number_in, summary

ALL_TABLES = list(reversed(tables.metadata.sorted_tables))


def a_run(number: int, **fields: Any) -> RunRecord:
    """A run with nothing but a number, and the fields that are given."""
    known = {
        "run_id": f"r{number}",
        "experiment_id": 1,
        "stage": "active",
        "status": "FINISHED",
        "start_time": number,
        "end_time": None,
        "run_name": "",
        "user_id": "",
        "artifact_uri": "",
    }
    return RunRecord(**(known | fields))


def loss(value: float) -> dict[str, tuple[Point, ...]]:
    """One metric with one point."""
    return {"loss": (Point(value, 0, 0),)}


def load_runs(connection: Connection, records: Sequence[RunRecord]) -> dict[int, str]:
    """Replace everything by these runs; run number -> run id."""
    for table in ALL_TABLES:
        connection.execute(table.delete())
    for experiment in {1, 2} | {record.experiment_id for record in records}:
        add_experiment(connection, ExperimentRecord(experiment, f"e{experiment}", "active", 0, 0))
    keys: dict[tuple[int, int, str], int] = {}
    sets: dict[tuple[int, str, str], int] = {}
    for number, record in enumerate(records, start=1):
        add_run(connection, number, record, keys, sets)
    return {number: record.run_id for number, record in enumerate(records, start=1)}


def add_experiment(connection: Connection, record: ExperimentRecord) -> None:
    """Insert an experiment."""
    row = {
        "experiment_id": record.experiment_id,
        "name": record.name,
        "artifact_location": "",
        "stage": int(record.stage == "deleted"),
        "creation_time": record.creation_time,
        "last_update_time": record.last_update_time,
    }
    connection.execute(insert(tables.experiments), row)
    for key, value in record.tags.items():
        tag = {"experiment_id": record.experiment_id, "key": key, "value": value}
        connection.execute(insert(tables.experiment_tags), tag)


def add_run(
    connection: Connection,
    number: int,
    record: RunRecord,
    keys: dict[tuple[int, int, str], int],
    sets: dict[tuple[int, str, str], int],
) -> None:
    """Insert a run; ``keys`` and ``sets`` remember the ids that were given."""

    def key_id(kind: int, name: str) -> int:
        key = (record.experiment_id, kind, name)
        if key not in keys:
            keys[key] = len(keys) + 1
            columns = ("experiment_id", "kind", "name", "key_id")
            connection.execute(insert(tables.entity_keys), dict(zip(columns, (*key, keys[key]), strict=True)))
        return keys[key]

    row = {
        "run": number,
        "run_id": record.run_id,
        "experiment_id": record.experiment_id,
        "stage": int(record.stage == "deleted"),
        "status": RunStatus.from_string(record.status),
        "start_time": record.start_time,
        "end_time": record.end_time,
        "name": record.run_name,
        "user_id": record.user_id,
        "artifact_uri": record.artifact_uri,
        "document": b"",
    }
    connection.execute(insert(tables.runs), row)
    for kind, texts in ((KIND_PARAM, record.params), (KIND_TAG, record.tags)):
        for name, value in texts.items():
            number_found = number_in(value) if kind == KIND_PARAM else None
            cut, rest = value[:TEXT_PREFIX], value[TEXT_PREFIX:] or None
            columns = {"run": number, "key_id": key_id(kind, name), "value": cut, "rest": rest, "number": number_found}
            connection.execute(insert(tables.run_texts), columns)
    for name, points in record.metrics.items():
        _add_metric(connection, number, key_id(KIND_METRIC, name), points)
    for name, digest, context in record.datasets:
        owner = (record.experiment_id, name, digest)
        if owner not in sets:
            sets[owner] = len(sets) + 1
            columns = {"dataset": sets[owner], "experiment_id": owner[0], "name": name, "digest": digest}
            connection.execute(insert(tables.datasets), columns | {"source_type": "", "source": ""})
        used = {"run": number, "dataset": sets[owner], "context": context, "tags": b""}
        connection.execute(insert(tables.dataset_inputs), used)


def _add_metric(connection: Connection, number: int, key_id: int, points: Sequence[Point]) -> None:
    found = {name: None if math.isnan(value) else value for name, value in summary(points).items()}
    row = {
        "run": number,
        "key_id": key_id,
        "value": found["last"],
        "special": int(found["last"] is None),
        "step": 0,
        "timestamp": 0,
        "points": len(points),
        "nan_points": sum(math.isnan(point.value) for point in points),
        "first_value": found["first"],
        "first_step": 0,
        "first_timestamp": 0,
        "min_value": found["min"],
        "max_value": found["max"],
        "sum_value": found["sum"],
    }
    connection.execute(insert(tables.latest_metrics), row)


def order_text(order: Sequence[OrderKey]) -> list[str]:
    """The clauses of an order."""
    shown = (to_text(Compare(key.field, "IS NULL")).removesuffix(" IS NULL") for key in order)
    return [f"{field} {'ASC' if key.ascending else 'DESC'}" for field, key in zip(shown, order, strict=True)]
