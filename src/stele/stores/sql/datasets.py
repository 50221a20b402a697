"""Datasets and model links in SQL."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_

from stele import limits
from stele.errors import InvalidParameterValue, shown
from stele.schema import datasets as d
from stele.schema.codec import required
from stele.schema.experiments import Empty
from stele.stores.sql import dialect
from stele.stores.sql.core import experiment_number
from stele.stores.sql.documents import RunDocument
from stele.stores.sql.run_rows import INPUT, OUTPUT
from stele.stores.sql.runs import RunOperations
from stele.stores.sql.tables import dataset_inputs, datasets, model_links

__all__ = ["DatasetOperations"]

CONTEXT_TAG = "mlflow.data.context"

_NUMBER_BITS = 62
_DATASET_LIMITS = {
    "name": limits.MAX_DATASET_NAME_CHARACTERS,
    "digest": limits.MAX_DATASET_DIGEST_CHARACTERS,
    "source_type": limits.MAX_DATASET_SOURCE_CHARACTERS,
    "source": limits.MAX_DATASET_SOURCE_CHARACTERS,
    "schema": limits.MAX_DATASET_SCHEMA_CHARACTERS,
    "profile": limits.MAX_DATASET_PROFILE_CHARACTERS,
}


class DatasetOperations(RunOperations):
    """The part of the store protocol about what runs read and made."""

    def log_inputs(self, request: d.LogInputs) -> Empty:
        required(request.run_id, "run_id")
        _check_inputs(request)

        def change(connection: Connection, row: Row[Any], document: RunDocument) -> None:
            numbers = _store_datasets(connection, row.experiment_id, [item.dataset for item in request.datasets])
            _link_datasets(connection, row.run, document, list(zip(numbers, request.datasets, strict=True)))
            _link_models(connection, row.run, document, INPUT, [(model.model_id, 0) for model in request.models])

        return self.change_document(request.run_id, change)

    def log_outputs(self, request: d.LogOutputs) -> Empty:
        required(request.run_id, "run_id")
        links = [(_model_id(model.model_id, i), model.step) for i, model in enumerate(request.models)]

        def change(connection: Connection, row: Row[Any], document: RunDocument) -> None:
            linked = {model_id for direction, model_id, _ in document.models if direction == OUTPUT}
            for model_id, _ in links:
                if model_id in linked:
                    raise InvalidParameterValue(
                        f"Run {shown(request.run_id)} has model {shown(model_id)} as output already."
                    )
                linked.add(model_id)
            _link_models(connection, row.run, document, OUTPUT, links)

        return self.change_document(request.run_id, change)

    def search_datasets(self, request: d.SearchDatasets) -> d.SearchDatasetsResponse:
        if len(request.experiment_ids) > limits.MAX_DATASET_SUMMARY_EXPERIMENTS:
            raise InvalidParameterValue(
                f"experiment_ids has {len(request.experiment_ids)} entries, "
                f"at most {limits.MAX_DATASET_SUMMARY_EXPERIMENTS} are allowed."
            )
        numbers = [experiment_number(i, "experiment_ids") for i in request.experiment_ids]
        t = datasets.c
        query = (
            select(t.experiment_id, t.name, t.digest, dataset_inputs.c.context)
            .join(dataset_inputs, dataset_inputs.c.dataset == t.dataset)
            .where(t.experiment_id.in_(numbers))
            .distinct()
            .order_by(t.experiment_id, t.name, t.digest, dataset_inputs.c.context)
            .limit(limits.MAX_DATASET_SUMMARIES)
        )
        rows = self.db.read(lambda c: c.execute(query).all())
        return d.SearchDatasetsResponse(
            dataset_summaries=[
                d.DatasetSummary(str(row.experiment_id), row.name, row.digest, row.context or None) for row in rows
            ]
        )


def _check_inputs(request: d.LogInputs) -> None:
    if len(request.datasets) + len(request.models) > limits.MAX_BATCH_INPUTS:
        raise InvalidParameterValue(f"At most {limits.MAX_BATCH_INPUTS} inputs are allowed in one request.")
    for i, item in enumerate(request.datasets):
        path = f"datasets[{i}]"
        required(item.dataset.name, f"{path}.dataset.name")
        required(item.dataset.digest, f"{path}.dataset.digest")
        for name, most in _DATASET_LIMITS.items():
            limits.check_length(getattr(item.dataset, name) or "", most, f"{path}.dataset.{name}")
        for j, tag in enumerate(item.tags):
            required(tag.key, f"{path}.tags[{j}].key")
            limits.check_length(tag.key, limits.MAX_INPUT_TAG_KEY_CHARACTERS, f"{path}.tags[{j}].key")
            limits.check_length(tag.value, limits.MAX_INPUT_TAG_VALUE_CHARACTERS, f"{path}.tags[{j}].value")
    for i, model in enumerate(request.models):
        _model_id(model.model_id, i)


def _model_id(model_id: str, i: int) -> str:
    return limits.check_length(required(model_id, f"models[{i}].model_id"), 64, f"models[{i}].model_id")


def _store_datasets(connection: Connection, experiment_id: int, found: Sequence[d.Dataset]) -> list[int]:
    """The row numbers of datasets, made where they are new; the first description of a (name, digest) stays."""
    if not found:
        return []
    t = datasets.c
    rows = {
        (item.name, item.digest): {
            # SQLite gives the number of a dataset that was removed to the next one; what servers remember of it, and
            # documents of runs, would then describe another. A number drawn by lot is never given twice.
            "dataset": secrets.randbits(_NUMBER_BITS),
            "experiment_id": experiment_id,
            "name": item.name,
            "digest": item.digest,
            "source_type": item.source_type,
            "source": item.source,
            "schema": item.schema,
            "profile": item.profile,
        }
        for item in found
    }
    connection.execute(dialect.insert_ignore(connection, datasets), [rows[name] for name in sorted(rows)])
    query = select(t.dataset, t.name, t.digest).where(
        t.experiment_id == experiment_id, tuple_(t.name, t.digest).in_(list(rows))
    )
    numbers = {(row.name, row.digest): row.dataset for row in connection.execute(query)}
    return [numbers[item.name, item.digest] for item in found]


def _link_datasets(
    connection: Connection, run: int, document: RunDocument, links: list[tuple[int, d.DatasetInput]]
) -> None:
    """Link datasets to a run; one that is linked already keeps the tags of the first time."""
    known = {number for number, _ in document.inputs}
    rows = []
    for number, item in links:
        if number in known:
            continue
        known.add(number)
        tags = {tag.key: tag.value for tag in item.tags}
        document.inputs.append((number, tags))
        rows.append({"run": run, "dataset": number, "context": tags.get(CONTEXT_TAG, "")})
    if rows:
        connection.execute(dialect.insert_ignore(connection, dataset_inputs), rows)


def _link_models(
    connection: Connection, run: int, document: RunDocument, direction: int, links: list[tuple[str, int]]
) -> None:
    known = {(way, model_id) for way, model_id, _ in document.models}
    rows = []
    for model_id, step in links:
        if (direction, model_id) in known:
            continue
        known.add((direction, model_id))
        document.models.append((direction, model_id, step))
        rows.append({"run": run, "direction": direction, "model_id": model_id, "step": step})
    if rows:
        connection.execute(dialect.insert_ignore(connection, model_links), rows)
