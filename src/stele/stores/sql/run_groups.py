"""Groups of runs, and whole columns of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stele import limits
from stele.errors import InvalidParameterValue
from stele.schema.columns import json_number
from stele.schema.enums import RunStatus
from stele.schema.run_table import (
    Cell,
    GroupFigures,
    GroupRuns,
    GroupRunsResponse,
    ReadColumns,
    ReadColumnsResponse,
    RunColumn,
    RunGroup,
)
from stele.stores.sql.run_columns import RunReader, check_columns
from stele.stores.sql.run_frames import Mask, Places
from stele.stores.sql.run_selection import SelectedRuns, Selection
from stele.stores.sql.run_values import NONE, Numbers, Texts

__all__ = ["RunGroupOperations"]

_HIDDEN = -1
"""The place of a group that is not shown."""


class RunGroupOperations(SelectedRuns):
    """What charts and grouped tables read."""

    def group_runs(self, request: GroupRuns) -> GroupRunsResponse:
        check_columns(request.group_by, "group_by", 1, limits.MAX_GROUP_COLUMNS)
        check_columns(request.aggregates, "aggregates", 0, limits.MAX_GROUP_AGGREGATES)
        limits.check_max_results(request.max_groups, limits.MAX_GROUPS, "max_groups")
        if limits.check_int64(request.offset, "offset") < 0:
            raise InvalidParameterValue(f"offset {request.offset} is negative.")
        return self.on_selection(request, lambda selection: _grouped(selection, request))

    def read_columns(self, request: ReadColumns) -> ReadColumnsResponse:
        check_columns(request.columns, "columns", 0, limits.MAX_TABLE_COLUMNS)
        limits.check_max_results(request.max_runs, limits.MAX_COLUMN_RUNS, "max_runs")

        def read(selection: Selection) -> ReadColumnsResponse:
            reader, all_places = selection.reader, selection.selected.places
            places = all_places[: request.max_runs]
            ids, names = (reader.texts(RunColumn("attribute", key)) for key in ("run_id", "run_name"))
            return ReadColumnsResponse(
                run_ids=_words(ids, places),
                names=_words(names, places),
                statuses=[RunStatus.NAMES[number] for number in reader.frame.statuses[places].tolist()],
                columns=[cells_of(reader, column, places) for column in request.columns],
                matched=len(all_places),
            )

        return self.on_selection(request, read)


def cells_of(reader: RunReader, column: RunColumn, places: Places) -> list[Cell]:
    """A column at some places, as it is sent."""
    if reader.is_text(column):
        return [*_words_or_none(reader.texts(column), places)]
    numbers = reader.numbers(column)
    values: list[Any] = numbers.values[places].tolist()
    if np.isfinite(numbers.values[places]).all():
        return values
    present = numbers.present[places].tolist()
    return [json_number(value) if is_there else None for value, is_there in zip(values, present, strict=True)]


def _words(texts: Texts, places: Places) -> list[str]:
    words = [*texts.words, ""]
    return [words[code] for code in texts.codes[places].tolist()]


def _grouped(selection: Selection, request: GroupRuns) -> GroupRunsResponse:
    reader, places = selection.reader, selection.selected.places
    texts = [reader.texts(column) for column in request.group_by]
    group_of = _numbered([each.codes[places] for each in texts], len(places))
    # The first run of each group, and groups by that.
    _, firsts, group_of = np.unique(group_of, return_index=True, return_inverse=True)
    order = np.argsort(firsts, kind="stable")
    shown = order[request.offset : request.offset + request.max_groups]
    place_of = np.full(len(order), _HIDDEN, np.intp)
    place_of[shown] = np.arange(len(shown))
    group_of = place_of[group_of]
    keys = [_words_or_none(each, places[firsts[shown]]) for each in texts]
    counts, statuses = _counts(reader.frame.statuses[places], group_of, len(shown))
    figures = [_figures(reader.numbers(column), places, group_of, len(shown)) for column in request.aggregates]
    groups = [
        RunGroup([column[place] for column in keys], counts[place], statuses[place], [each[place] for each in figures])
        for place in range(len(shown))
    ]
    return GroupRunsResponse(groups=groups, total=len(order))


def _words_or_none(texts: Texts, places: Places) -> list[str | None]:
    words = [*texts.words, None]  # the last one is that of NONE
    return [words[code] for code in texts.codes[places].tolist()]


def _numbered(codes: Sequence[npt.NDArray[np.int32]], size: int) -> npt.NDArray[np.int64]:
    """One number for each combination of codes."""
    number = np.zeros(size, np.int64)
    for each in codes:
        _, number = np.unique(number, return_inverse=True)  # small again, so that the product fits
        number = number.astype(np.int64) * (int(each.max(initial=NONE)) + 2) + (each.astype(np.int64) + 1)
    return number


def _counts(statuses: Places, group_of: Places, size: int) -> tuple[list[int], list[dict[str, int]]]:
    """How many runs each group has, and how many of each status."""
    width = max(RunStatus.NAMES) + 1
    is_shown = group_of != _HIDDEN
    cells = np.bincount(group_of[is_shown] * width + statuses[is_shown], minlength=size * width).reshape(size, width)
    by_status = [
        {name: row[number] for number, name in RunStatus.NAMES.items() if row[number]} for row in cells.tolist()
    ]
    return cells.sum(axis=1).tolist(), by_status


def _figures(numbers: Numbers, places: Places, group_of: Places, size: int) -> list[GroupFigures]:
    """A column summed up in each group."""
    has = numbers.present[places] & (group_of != _HIDDEN)
    values, groups = numbers.values[places][has], group_of[has]
    finite, numbered = np.isfinite(values), ~np.isnan(values)
    counts = np.bincount(groups, minlength=size)
    least, greatest = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(least, groups[numbered], values[numbered])
    np.maximum.at(greatest, groups[numbered], values[numbered])
    how_many = np.bincount(groups[finite], minlength=size)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        means: npt.NDArray[Any] = np.bincount(groups[finite], values[finite], minlength=size) / how_many
        if not np.isfinite(means[how_many > 0]).all():  # a sum that is too large for a double
            means = np.bincount(groups[finite], values[finite] / how_many[groups[finite]], minlength=size)
    any_number = np.bincount(groups[numbered], minlength=size) > 0
    columns = _where(how_many > 0, means), _where(any_number, least), _where(any_number, greatest)
    return [GroupFigures(*row) for row in zip(counts.tolist(), *columns, strict=True)]


def _where(there: Mask, values: npt.NDArray[Any]) -> list[float | None]:
    return [value if is_there else None for value, is_there in zip(values.tolist(), there.tolist(), strict=True)]
