"""Windows of the table of runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from stele import limits
from stele.errors import InvalidParameterValue
from stele.schema.columns import json_number
from stele.schema.run_table import (
    ARCHIVED_TAG,
    PARENT_TAG,
    Cell,
    QueryRunsTable,
    QueryRunsTableResponse,
    RunColumn,
    TableRow,
)
from stele.schema.runs import RunInfo
from stele.search.page import fingerprint
from stele.stores.sql.core import run_numbers
from stele.stores.sql.parts import parts
from stele.stores.sql.raw_columns import raw_rows
from stele.stores.sql.run_columns import RunReader, check_columns, plain
from stele.stores.sql.run_rows import PackedRun, fetch_packed
from stele.stores.sql.run_selection import SelectedRuns, Selection, statuses_of
from stele.stores.sql.run_tree import Tree, tree_of
from stele.stores.sql.search_clauses import aggregate, key_table
from stele.stores.sql.tables import KIND_METRIC, entity_keys

__all__ = ["RunTableOperations"]


class RunTableOperations(SelectedRuns):
    """The table of runs, window by window."""

    def query_runs_table(self, request: QueryRunsTable) -> QueryRunsTableResponse:
        started = time.perf_counter()
        _check(request)

        def read(selection: Selection) -> QueryRunsTableResponse:
            selected = selection.selected
            tree = tree_of(selection) if request.tree else None
            lines, rows_total = _lines(selection, request, tree)
            connection = selection.reader.connection
            rows = fetch_packed(connection, [line.number for line in lines])
            values = _values(connection, request.columns, rows)
            lookup = _Lookup(selection, tree, request.expanded)
            found = [line for line in lines if line.number in rows]  # gc may have been here
            return QueryRunsTableResponse(
                total=selected.total,
                matched=len(selected.places),
                statuses=statuses_of(selection, selected.places),
                rows=[lookup.row(line, rows[line.number], values[line.number]) for line in found],
                rows_total=rows_total,
                version=fingerprint("changes", selection.changes.runs, selection.changes.metrics),
                milliseconds=0.0,
            )

        response = self.on_selection(request, read)
        response.milliseconds = round(1000 * (time.perf_counter() - started), 3)
        return response


def _check(request: QueryRunsTable) -> None:
    check_columns(request.columns, "columns", 0, limits.MAX_TABLE_COLUMNS)
    if not 0 <= request.max_rows <= limits.MAX_TABLE_ROWS:
        raise InvalidParameterValue(f"max_rows {request.max_rows} is not from 0 to {limits.MAX_TABLE_ROWS}.")
    if limits.check_int64(request.offset, "offset") < 0:
        raise InvalidParameterValue(f"offset {request.offset} is negative.")
    for name, most in (("run_ids", limits.MAX_TABLE_ROWS), ("expanded", limits.MAX_EXPANDED_RUNS)):
        if len(getattr(request, name)) > most:
            raise InvalidParameterValue(f"{name} has {len(getattr(request, name))} entries, {most} are allowed.")


class _Line(NamedTuple):
    """One row to be shown: its run, the run's place in the frame (None outside of it), and how deep it stands."""

    number: int
    place: int | None
    depth: int


def _lines(selection: Selection, request: QueryRunsTable, tree: Tree | None) -> tuple[list[_Line], int]:
    """The rows to be shown, and how many the whole list has."""
    reader = selection.reader
    places, depths = selection.selected.places, None
    if tree is not None:
        places, depths = tree.unfolded([place for _, place in _places(reader, request.expanded) if place is not None])
    rows_total = len(places)
    if request.run_ids:
        return [_Line(number, place, 0) for number, place in _places(reader, request.run_ids)], rows_total
    window = slice(request.offset, request.offset + request.max_rows)
    shown = places[window].tolist()
    levels = [0] * len(shown) if depths is None else depths[window].tolist()
    return [_Line(*line) for line in zip(selection.numbers(places[window]), shown, levels, strict=True)], rows_total


def _places(reader: RunReader, run_ids: Sequence[str]) -> list[tuple[int, int | None]]:
    """Number and place of those runs that exist."""
    if not run_ids:
        return []
    found = [run_numbers(reader.connection, part) for part in parts(dict.fromkeys(run_ids))]
    rows = {run_id: row.run for part in found for run_id, row in part.items()}
    numbers = [rows[run_id] for run_id in dict.fromkeys(run_ids) if run_id in rows]
    places, known = reader.frame.places(np.array(numbers, np.int64))
    pairs = zip(numbers, places.tolist(), known.tolist(), strict=True)
    return [(number, place if is_known else None) for number, place, is_known in pairs]


class _Lookup:
    """What the rows of a window say of the query: which match, and what is below them."""

    def __init__(self, selection: Selection, tree: Tree | None, expanded: Sequence[str]) -> None:
        self.tree = tree
        self.matched = np.zeros(len(selection.reader.frame), bool)
        self.matched[selection.selected.places] = True
        self.expanded = frozenset(expanded) if tree is not None else frozenset[str]()

    def row(self, line: _Line, row: PackedRun, values: list[Cell]) -> TableRow:
        """The row as it is sent."""
        info, tags, place, tree = row.info, row.document.tags, line.place, self.tree
        return TableRow(
            run_id=info.run_id,
            experiment_id=info.experiment_id,
            name=info.run_name,
            status=info.status,
            start_time=info.start_time,
            end_time=info.end_time,
            user_id=info.user_id,
            lifecycle_stage=info.lifecycle_stage,
            archived=tags.get(ARCHIVED_TAG) == "true",
            parent_run_id=tags.get(PARENT_TAG, ""),
            values=values,
            depth=line.depth,
            children=0 if tree is None or place is None else int(tree.children[place]),
            matching_children=0 if tree is None or place is None else int(tree.kept_children[place]),
            matched=place is not None and bool(self.matched[place]),
            expanded=info.run_id in self.expanded,
        )


def _values(connection: Connection, columns: Sequence[RunColumn], rows: dict[int, PackedRun]) -> dict[int, list[Cell]]:
    """The cells of each run, in the order of the columns."""
    # What the rows themselves do not tell: figures of series, and of runs with very many metrics the latest values.
    wide = any(row.latest is None for row in rows.values())
    series = [column for column in columns if column.kind == "metric" and (wide or column.aggregate != "last")]
    figures = _figures(connection, series, list(rows)) if series and rows else {}
    return {number: _cells(columns, row, figures.get(number, {})) for number, row in rows.items()}


def _cells(columns: Sequence[RunColumn], row: PackedRun, figures: dict[RunColumn, Cell]) -> list[Cell]:
    cells: list[Cell] = []
    for column in columns:
        match column.kind:
            case "param":
                cells.append(row.document.params.get(column.key))
            case "tag":
                cells.append(row.document.tags.get(column.key))
            case "attribute":
                cells.append(_attribute(row.info, column.key))
            case _ if column.aggregate == "last" and row.latest is not None:
                value = row.latest.get(column.key)
                cells.append(None if value is None else json_number(value))
            case _:
                cells.append(figures.get(column))
    return cells


def _attribute(info: RunInfo, key: str) -> Cell:
    if key == "duration":
        return None if info.end_time is None else info.end_time - info.start_time
    value: Cell = getattr(info, key)
    return value


def _figures(
    connection: Connection, columns: Sequence[RunColumn], numbers: Sequence[int]
) -> dict[int, dict[RunColumn, Cell]]:
    """What the series of runs are in sum, by run and column: one statement for a window."""
    metrics = key_table("metric", "window")
    names = {name: place for place, name in enumerate(sorted({column.aggregate for column in columns}))}
    query = (
        select(metrics.c.run, entity_keys.c.name, *(aggregate(metrics, name) for name in names))
        .join_from(metrics, entity_keys, entity_keys.c.key_id == metrics.c.key_id)
        .where(entity_keys.c.kind == KIND_METRIC, entity_keys.c.name.in_({column.key for column in columns}))
    )
    found: dict[int, dict[RunColumn, Cell]] = {}
    for part in parts(numbers):
        for number, key, *items in raw_rows(connection, query.where(metrics.c.run.in_(part))):
            own = found.setdefault(number, {})
            own.update({each: json_number(plain(items[names[each.aggregate]])) for each in columns if each.key == key})
    return found
