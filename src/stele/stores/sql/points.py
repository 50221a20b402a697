"""The points of one series in columns, and the one order they have.

Canonical order is by step, then timestamp, then value, where NaN counts as 0 and stands behind it, and -0.0 stands
before 0.0. Points are a set: two that agree in all three columns are one. Every NaN is the same NaN, so that equal
points have equal bits; infinities are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stele import limits

__all__ = [
    "ALL_STEPS",
    "Floats",
    "Ints",
    "Points",
    "Steps",
    "canonical_values",
    "concatenated",
    "count_before",
    "counts_before",
    "repeats",
    "sorted_distinct",
    "value_order",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Columns of equal length; timestamps are milliseconds since 1970."""

    steps: Ints
    timestamps: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, places: Any) -> Points:
        """The points at some places: a slice, a mask or an array of indexes."""
        return Points(self.steps[places], self.timestamps[places], self.values[places])

    @property
    def columns(self) -> tuple[Ints, Ints, Floats]:
        """Steps, timestamps and values."""
        return self.steps, self.timestamps, self.values

    @classmethod
    def empty(cls, count: int = 0) -> Points:
        """Room for points that are yet to be written."""
        return cls(np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.float64))


class Steps(NamedTuple):
    """The steps from one to another, both included."""

    low: int
    high: int

    @classmethod
    def between(cls, first: int | None, last: int | None) -> Steps:
        """Those from the first to the last; None is no bound."""
        return cls(limits.INT64_MIN if first is None else first, limits.INT64_MAX if last is None else last)

    def of(self, points: Points) -> Points:
        """Those of the sorted points that have such a step."""
        if self == ALL_STEPS:
            return points
        start, end = np.searchsorted(points.steps, self.low, "left"), np.searchsorted(points.steps, self.high, "right")
        return points[int(start) : int(end)]


ALL_STEPS = Steps(limits.INT64_MIN, limits.INT64_MAX)


def concatenated(parts: Sequence[Points]) -> Points:
    """The points of all parts, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Points.empty()
    return Points(
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.timestamps for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def canonical_values(values: npt.ArrayLike) -> Floats:
    """A copy of the values with one NaN."""
    result = np.array(values, np.float64)
    result[np.isnan(result)] = np.nan
    return result


def value_order(values: Floats) -> tuple[Any, ...]:
    """The columns that decide about the order of values, the first one last, as ``numpy.lexsort`` takes them."""
    nan = np.isnan(values)
    return ~np.signbit(values), nan, np.where(nan, 0.0, values)


def sorted_distinct(points: Points) -> Points:
    """The points in canonical order, each once.

    Sorted input costs one pass; input of a few sorted pieces little more, however long it is.
    """
    if len(points) < 2:
        return points
    if (points.steps[1:] > points.steps[:-1]).all():
        return points
    points = points[np.argsort(points.steps, kind="stable")]
    equal = points.steps[1:] == points.steps[:-1]
    if not equal.any():
        return points
    # Only the points that share their step are left to be sorted, and only among them there are repetitions.
    shared = np.zeros(len(points), bool)
    shared[1:] = equal
    shared[:-1] |= equal
    places = np.flatnonzero(shared)
    tied = points[places]
    tied = tied[np.lexsort((*value_order(tied.values), tied.timestamps, tied.steps))]
    for column, ordered in zip(points.columns, tied.columns, strict=True):
        column[places] = ordered
    repeated = repeats(tied)
    if not repeated.any():
        return points
    keep = np.ones(len(points), bool)
    keep[places[1:][repeated]] = False
    return points[keep]


def repeats(points: Points) -> npt.NDArray[np.bool_]:
    """For each of the sorted points but the first, whether it is the one before it."""
    same = np.ones(max(len(points) - 1, 0), bool)
    for column in (points.steps, points.timestamps, points.values.view(np.int64)):
        same &= column[1:] == column[:-1]
    return same


def count_before(points: Points, step: int, timestamp: int, *, inclusive: bool = False) -> int:
    """How many of the sorted points stand before a position, or at it as well."""
    low = int(np.searchsorted(points.steps, step, "left"))
    high = int(np.searchsorted(points.steps, step, "right"))
    side: Any = "right" if inclusive else "left"
    return low + int(np.searchsorted(points.timestamps[low:high], timestamp, side))


def counts_before(points: Points, steps: Ints, timestamps: Ints) -> Ints:
    """As :func:`count_before` for many positions."""
    low = np.searchsorted(points.steps, steps, "left")
    high = np.searchsorted(points.steps, steps, "right")
    for place in np.flatnonzero(low < high):
        tied = points.timestamps[low[place] : high[place]]
        low[place] += np.searchsorted(tied, timestamps[place], "left")
    return low
