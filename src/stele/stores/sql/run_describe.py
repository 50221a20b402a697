"""The values of one column, summed up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stele.schema.columns import json_number
from stele.schema.run_table import (
    Cell,
    DescribeValues,
    DescribeValuesResponse,
    Histogram,
    ValueCount,
)
from stele.stores.sql.run_columns import check_column
from stele.stores.sql.run_selection import SelectedRuns, Selection
from stele.stores.sql.run_values import NONE

__all__ = ["RunDescriptions", "histogram"]

_COMMON = 10
_MOST_BINS = 12
_LOGARITHMIC = 1_000
"""Positive numbers that span more than this factor get bins that are equally wide in the logarithm."""


class RunDescriptions(SelectedRuns):
    """What a filter bar and the head of a column show of its values."""

    def describe_values(self, request: DescribeValues) -> DescribeValuesResponse:
        check_column(request.column, "column")

        def read(selection: Selection) -> DescribeValuesResponse:
            reader, places, column = selection.reader, selection.selected.places, request.column
            numbers = reader.numbers(column)
            values = numbers.values[places][numbers.present[places]]
            if reader.is_text(column):
                texts = reader.texts(column)
                codes = texts.codes[places]
                codes = codes[codes != NONE]
                distinct, counts = np.unique(codes, return_counts=True)
                items: list[Cell] = [texts.words[code] for code in distinct.tolist()]
                runs, numeric = len(codes), 0 < len(codes) == len(values)
            else:
                found, counts = np.unique(values, return_counts=True)
                items = [json_number(value) for value in found.tolist()]
                runs, numeric = len(values), len(values) > 0
            finite = values[np.isfinite(values)] if numeric else values[:0]
            return DescribeValuesResponse(
                runs=runs,
                distinct=len(items),
                numeric=numeric,
                min=float(finite.min()) if len(finite) else None,
                max=float(finite.max()) if len(finite) else None,
                histogram=histogram(finite) if len(finite) else None,
                common=[ValueCount(items[place], int(counts[place])) for place in _most_frequent(counts)],
            )

        return self.on_selection(request, read)


def _most_frequent(counts: npt.NDArray[Any]) -> list[int]:
    """The places of the greatest counts, earlier ones first among equals."""
    places: list[int] = np.argsort(-counts, kind="stable")[:_COMMON].tolist()
    return places


def histogram(values: npt.NDArray[np.float64]) -> Histogram:
    """The distribution of finite numbers, of which there is at least one, in 1 to 12 bins."""
    least, greatest = float(values.min()), float(values.max())
    if least == greatest:
        return Histogram([least, greatest], [len(values)], log=False)
    log = least > 0 and greatest / least > _LOGARITHMIC
    low, high = (np.log(least), np.log(greatest)) if log else (least, greatest)
    # Each end divided by itself: the difference of two doubles may be too large for one.
    shares = np.linspace(0.0, 1.0, _MOST_BINS + 1)
    edges = low * (1 - shares) + high * shares
    edges = np.exp(edges) if log else edges
    edges[0], edges[-1] = least, greatest
    edges = np.unique(edges)  # two neighbouring doubles leave no room for twelve bins
    places = np.clip(np.searchsorted(edges, values, "right") - 1, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1)
    return Histogram(edges.tolist(), counts.tolist(), log=log)
