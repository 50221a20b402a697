"""Which runs of a frame a filter fits: each comparison through its index, put together in memory.

A comparison finds the numbers of runs, whatever its neighbours find; and, or and not are operations on masks. So a
changed comparison costs one fetch, and the others are remembered.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, FromClause, Select, and_, select

from stele.schema.enums import RunStatus
from stele.search.tree import And, Compare, Moment, Node, Not, Or
from stele.stores.sql.raw_columns import integer_columns
from stele.stores.sql.run_columns import RunReader
from stele.stores.sql.run_frames import Mask
from stele.stores.sql.search_clauses import KINDS, Clauses, fields_of, key_table, word_fits
from stele.stores.sql.search_dialect import dialect_of
from stele.stores.sql.tables import dataset_inputs, datasets, runs

__all__ = ["is_relative", "mask_of", "uses_metrics"]


def uses_metrics(node: Node | None) -> bool:
    """Whether a filter compares metrics."""
    return any(field.entity == "metric" for field in fields_of(node))


def is_relative(node: Node | None) -> bool:
    """Whether a filter means something else a moment later."""
    match node:
        case And(items) | Or(items):
            return any(map(is_relative, items))
        case Not(item):
            return is_relative(item)
        case Compare(value=value):
            return any(isinstance(each, Moment) for each in (value if isinstance(value, tuple) else (value,)))
    return False


def mask_of(reader: RunReader, node: Node) -> Mask:
    """Which runs of the reader's frame fit a filter."""
    reader.resolve([field for field in fields_of(node) if field.entity in KINDS])
    return _mask(reader, node)


def _mask(reader: RunReader, node: Node) -> Mask:
    match node:
        case And(items):
            return reduce(np.logical_and, (_mask(reader, item) for item in items))
        case Or(items):
            return reduce(np.logical_or, (_mask(reader, item) for item in items))
        case Not(item):
            return ~_mask(reader, item)
        case Compare():
            if is_relative(node):
                return _found(reader, node)
            metrics = node.field.entity == "metric"
            return reader.kept.get(("mask", node), lambda: _found(reader, node), metrics=metrics)


def _found(reader: RunReader, node: Compare) -> Mask:
    """The mask of one comparison."""
    frame, entity = reader.frame, node.field.entity
    if entity == "attribute" and node.field.key == "status" and node.operator not in ("IS NULL", "IS NOT NULL"):
        fitting = [number for number, name in RunStatus.NAMES.items() if word_fits(name, node)]
        return np.isin(frame.statuses, fitting)
    if node.operator == "IS NULL":
        return ~_found(reader, Compare(node.field, "IS NOT NULL"))
    names = reader.resolve([node.field]) if entity in KINDS else {}
    query = _query(reader, reader.clauses(names), node)
    if query is None:
        return np.zeros(len(frame), bool)
    return frame.mask(*integer_columns(reader.connection, query))


def _query(reader: RunReader, clauses: Clauses, node: Compare) -> Select[Any] | None:
    """The runs that a comparison finds, and perhaps some of other frames; None when there can be none."""
    entity, ids = node.field.entity, reader.frame.experiments
    if entity == "attribute":
        return select(runs.c.run).where(_own(reader, runs), clauses.condition(node, runs))
    if entity == "dataset":
        joined = and_(dataset_inputs.c.dataset == datasets.c.dataset, _own(reader, datasets))
        return select(dataset_inputs.c.run).where(joined, clauses.dataset_value(node, dataset_inputs, datasets))
    key_ids = clauses.names.get((KINDS[entity], node.field.key), ())
    if not key_ids or not ids:
        return None
    table = key_table(entity, "mask")
    return select(table.c.run).where(table.c.key_id.in_(key_ids), clauses.value(node, table))


def _own(reader: RunReader, table: FromClause) -> ColumnElement[bool]:
    return dialect_of(reader.connection).numbers(table.c.experiment_id, reader.frame.experiments)
