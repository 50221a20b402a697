"""A series in the order of MLflow's history: by timestamp, step, value."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stele.stores.sql.points import Points, value_order

__all__ = ["Series", "history", "listed"]


class Series(NamedTuple):
    """Columns of one series in the order of its history."""

    timestamps: list[int]
    steps: list[int]
    values: list[float]

    def first(self, count: int) -> Series:
        """The first points."""
        return Series(self.timestamps[:count], self.steps[:count], self.values[:count])


def history(points: Points, after: tuple[int, int, float, bool] | None = None, limit: int | None = None) -> Series:
    """The points of one series as a history.

    Args:
        points: Points of one key in canonical order.
        after: Timestamp, step, value (0 for NaN) and whether it was NaN of the point before the first one wanted.
        limit: Most points to return.
    """
    if (points.timestamps[1:] < points.timestamps[:-1]).any():
        points = points[np.lexsort((*value_order(points.values), points.steps, points.timestamps))]
    if after is not None:
        points = points[_behind(points, after) :]
    return listed(points[:limit])


def listed(points: Points) -> Series:
    """Points in the order that they have."""
    return Series(points.timestamps.tolist(), points.steps.tolist(), points.values.tolist())


def _behind(points: Points, after: tuple[int, int, float, bool]) -> int:
    """Index of the first point behind a position."""
    timestamp, step, value, nan = after
    behind = points.timestamps > timestamp
    equal = points.timestamps == timestamp
    sign, is_nan, comparable = value_order(points.values)
    for column, bound in (
        (points.steps, step), (comparable, value), (is_nan, nan), (sign, math.copysign(1.0, value) > 0),
    ):  # fmt: skip
        behind |= equal & (column > bound)
        equal &= column == bound
    return int(np.argmax(behind)) if behind.any() else len(points)
