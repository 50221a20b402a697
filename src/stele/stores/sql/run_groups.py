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
from stele.stores.sql.run_frames import Places
from stele.stores.sql.run_selection import SelectedRuns, Selection, statuses_of
from stele.stores.sql.run_values import NONE, Numbers, Texts

__all__ = ["RunGroupOperations"]


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
        words: list[Cell] = [*reader.texts(column).words, None]  # the last one is that of NONE
        return [words[code] for code in reader.texts(column).codes[places].tolist()]
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
    members = _members(group_of, len(order), shown)
    columns = [reader.numbers(column) for column in request.aggregates]
    groups = [
        RunGroup(
            key=[_word(each, int(each.codes[places[firsts[group]]])) for each in texts],
            count=len(own),
            statuses=statuses_of(selection, places[own]),
            aggregates=[_figures(numbers, places[own]) for numbers in columns],
        )
        for group, own in zip(shown.tolist(), members, strict=True)
    ]
    return GroupRunsResponse(groups=groups, total=len(order))


def _numbered(codes: Sequence[npt.NDArray[np.int32]], size: int) -> npt.NDArray[np.int64]:
    """One number for each combination of codes."""
    number = np.zeros(size, np.int64)
    for each in codes:
        _, number = np.unique(number, return_inverse=True)  # small again, so that the product fits
        number = number.astype(np.int64) * (int(each.max(initial=NONE)) + 2) + (each.astype(np.int64) + 1)
    return number


def _members(group_of: npt.NDArray[np.intp], total: int, shown: Places) -> list[Places]:
    """The runs of each shown group, by their place among the selected."""
    by_group = np.argsort(group_of, kind="stable")
    ends = np.cumsum(np.bincount(group_of, minlength=total))
    return [by_group[ends[group - 1] if group else 0 : ends[group]] for group in shown.tolist()]


def _word(texts: Texts, code: int) -> str | None:
    return None if code == NONE else texts.words[code]


def _figures(numbers: Numbers, places: Places) -> GroupFigures:
    values = numbers.values[places][numbers.present[places]]
    finite, numbered = values[np.isfinite(values)], values[~np.isnan(values)]
    return GroupFigures(
        count=len(values),
        mean=_mean(finite),
        min=float(numbered.min()) if len(numbered) else None,
        max=float(numbered.max()) if len(numbered) else None,
    )


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    if not len(values):
        return None
    with np.errstate(over="ignore"):
        mean = float(values.mean())
    return mean if np.isfinite(mean) else float((values / len(values)).sum())  # their sum is too large
