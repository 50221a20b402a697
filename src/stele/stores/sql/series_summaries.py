"""Summaries of many series at once, as rows of ``latest_metrics`` in an array: what each has, and how two are joined.

Numbers are kept as the columns keep them: NaN stands for NULL, and infinities are the largest double, which ``special``
tells apart for the last value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.tables import FINITE, MAX_DOUBLE, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY

__all__ = [
    "SUMMARY",
    "Summaries",
    "columns_of",
    "joined",
    "rows_of",
    "stored",
    "summaries_from",
    "summarised",
    "values_of",
]

SUMMARY = np.dtype(
    [
        ("run", "i8"),
        ("key_id", "i8"),
        ("value", "f8"),
        ("special", "i8"),
        ("step", "i8"),
        ("timestamp", "i8"),
        ("points", "i8"),
        ("nan_points", "i8"),
        ("first_value", "f8"),
        ("first_step", "i8"),
        ("first_timestamp", "i8"),
        ("min_value", "f8"),
        ("max_value", "f8"),
        ("sum_value", "f8"),
    ]
)
"""One row of ``latest_metrics``, its columns in their order."""

Summaries = npt.NDArray[np.void]
"""An array of :data:`SUMMARY`; of one run, sorted by key, each key once."""

_DOUBLES = ("value", "first_value", "min_value", "max_value", "sum_value")


def summaries_from(rows: Sequence[tuple[Any, ...]]) -> Summaries:
    """Rows of the table, with None where a column is NULL."""
    return np.array(rows, SUMMARY)


def columns_of(summaries: Summaries) -> dict[str, list[Any]]:
    """The inverse of :func:`summaries_from`, each column in a list."""
    columns = {name: summaries[name].tolist() for name in SUMMARY.names or ()}
    for name in _DOUBLES:
        if np.isnan(summaries[name]).any():
            columns[name] = [None if value != value else value for value in columns[name]]
    return columns


def rows_of(summaries: Summaries) -> list[dict[str, Any]]:
    """The inverse of :func:`summaries_from`, each row by column name."""
    columns = columns_of(summaries)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def values_of(summaries: Summaries) -> list[float]:
    """The last values as they were logged."""
    values, special = summaries["value"].copy(), summaries["special"]
    values[special == POSITIVE_INFINITY], values[special == NEGATIVE_INFINITY] = np.inf, -np.inf
    result: list[float] = values.tolist()
    return result


def stored(run: int, columns: Mapping[str, npt.ArrayLike]) -> Summaries:
    """Summaries of one run as the table keeps them.

    Args:
        run: Row number of the run.
        columns: All others but ``special``, by name; values as they were logged.
    """
    result = np.empty(len(np.asarray(columns["key_id"])), SUMMARY)
    result["run"] = run
    for name, column in columns.items():
        result[name] = column
    value = result["value"]
    tests = [np.isnan(value), value == np.inf, value == -np.inf]
    result["special"] = np.select(tests, [NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY], FINITE)
    result["sum_value"][result["nan_points"] == result["points"]] = np.nan
    for name in _DOUBLES:
        np.clip(result[name], -MAX_DOUBLE, MAX_DOUBLE, out=result[name])  # which lets NaN be
    return result


def summarised(run: int, fresh: KeyedPoints) -> Summaries:
    """A summary of the points of each key, as if there were no others."""
    if not len(fresh):
        return np.empty(0, SUMMARY)
    points, starts, ends = fresh.points, fresh.bounds[:-1], fresh.bounds[1:] - 1
    nans = np.isnan(points.values)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = {
            "key_id": fresh.keys,
            "step": points.steps[ends],
            "timestamp": points.timestamps[ends],
            "points": fresh.counts,
            "nan_points": np.add.reduceat(nans, starts, dtype=np.int64),
            "first_step": points.steps[starts],
            "first_timestamp": points.timestamps[starts],
            "first_value": points.values[starts],
            "value": points.values[ends],
            "min_value": np.fmin.reduceat(points.values, starts),
            "max_value": np.fmax.reduceat(points.values, starts),
            "sum_value": np.add.reduceat(np.where(nans, 0.0, points.values), starts),
        }
    return stored(run, columns)


def joined(known: Summaries, fresh: Summaries) -> tuple[Summaries, Summaries]:
    """The summaries of all points, and those among them that ``fresh`` has changed.

    Args:
        known: Of some points of a run.
        fresh: Of others; the two have no point in common.
    """
    changed = fresh.copy()
    places = np.searchsorted(known["key_id"], fresh["key_id"])
    there = np.zeros(len(fresh), bool)
    inside = places < len(known)
    there[inside] = known["key_id"][places[inside]] == fresh["key_id"][inside]
    if there.any():
        changed[there] = _pairs_joined(known[places[there]], fresh[there])
    others = known[~np.isin(known["key_id"], fresh["key_id"], assume_unique=True)]
    whole = np.concatenate([others, changed])
    return whole[np.argsort(whole["key_id"], kind="stable")], changed


def _pairs_joined(known: Summaries, fresh: Summaries) -> Summaries:
    """The summaries of the points of each two."""
    result = fresh.copy()
    kept = ~_before([known[name] for name in _LAST], [fresh[name] for name in _LAST])
    for name in ("value", "special", "step", "timestamp"):
        result[name][kept] = known[name][kept]
    kept = ~_before([fresh[name] for name in _FIRST], [known[name] for name in _FIRST])
    for name in ("first_value", "first_step", "first_timestamp"):
        result[name][kept] = known[name][kept]
    for name in ("points", "nan_points"):
        result[name] += known[name]
    result["min_value"] = np.fmin(known["min_value"], fresh["min_value"])
    result["max_value"] = np.fmax(known["max_value"], fresh["max_value"])
    result["sum_value"] = _sums(known["sum_value"], fresh["sum_value"], result["min_value"], result["max_value"])
    return result


_FIRST = ("first_step", "first_timestamp", "first_value")
_LAST = ("step", "timestamp", "value")


def _before(one: Iterable[npt.NDArray[Any]], other: Iterable[npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """Where a point, by step, timestamp and value, stands before another; NaN counts as 0 and stands behind it."""
    step, timestamp, value = one
    other_step, other_timestamp, other_value = other
    nan, other_nan = np.isnan(value), np.isnan(other_value)
    number, other_number = np.where(nan, 0.0, value), np.where(other_nan, 0.0, other_value)
    result = (number < other_number) | ((number == other_number) & ~nan & other_nan)
    result = (timestamp < other_timestamp) | ((timestamp == other_timestamp) & result)
    before: npt.NDArray[np.bool_] = (step < other_step) | ((step == other_step) & result)
    return before


def _sums(
    known: npt.NDArray[np.float64],
    fresh: npt.NDArray[np.float64],
    least: npt.NDArray[np.float64],
    greatest: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Sums of two parts. Whether there are infinities is told by the extremes; opposite ones have no sum."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.clip(np.nan_to_num(known, nan=0.0) + np.nan_to_num(fresh, nan=0.0), -MAX_DOUBLE, MAX_DOUBLE)
    low, high = np.abs(least) == MAX_DOUBLE, np.abs(greatest) == MAX_DOUBLE
    total = np.where(low, least, np.where(high, greatest, total))
    return np.where(np.isnan(least) | (low & high & (least < 0) & (greatest > 0)), np.nan, total)
