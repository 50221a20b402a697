"""Cells: what a group of consecutive points looks like from afar.

They keep extremes, so that no spike is lost, and both ends, so that neighbours can be joined.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stele.stores.sql.points import Points

__all__ = ["CELL", "CELL_POINTS", "Cells", "as_cells", "cells_of", "concatenated_cells", "grouped"]

CELL_POINTS = 256
"""Points of one stored cell."""

CELL = np.dtype(
    [
        ("first_step", "<i8"),
        ("last_step", "<i8"),
        ("first_timestamp", "<i8"),
        ("last_timestamp", "<i8"),
        ("points", "<i8"),
        ("finite", "<i8"),
        ("nans", "<i8"),
        ("min", "<f8"),
        ("max", "<f8"),
        ("sum", "<f8"),
        ("first", "<f8"),
        ("last", "<f8"),
    ]
)
"""A group of consecutive points of one series in canonical order.

``points`` counts all, ``finite`` those that are neither NaN nor infinite, ``nans`` the NaN. ``min`` and ``max`` are
over all but NaN, infinities included, and NaN where there is nothing else. ``sum`` is over the finite values.
``first`` and ``last`` are the values at the ends, whatever they are.
"""

Cells = npt.NDArray[np.void]
"""An array of :data:`CELL`."""


def concatenated_cells(parts: Sequence[Cells]) -> Cells:
    """The cells of all parts, one part after the other."""
    # As rows of numbers: numpy looks at the types of records field by field.
    rows = [np.ascontiguousarray(part).view(np.int64).reshape(len(part), CELL.itemsize // 8) for part in parts]
    return np.concatenate(rows).reshape(-1).view(CELL)


def as_cells(found: Points | Cells) -> Cells:
    """Cells as they are, and each of some sorted points as a cell of its own."""
    return cells_of(found) if isinstance(found, Points) else found


def cells_of(points: Points) -> Cells:
    """Each of the sorted points as a cell of its own."""
    cells = np.empty(len(points), CELL)
    finite = np.isfinite(points.values)
    cells["first_step"] = cells["last_step"] = points.steps
    cells["first_timestamp"] = cells["last_timestamp"] = points.timestamps
    cells["points"] = 1
    cells["finite"] = finite
    cells["nans"] = np.isnan(points.values)
    cells["min"] = cells["max"] = cells["first"] = cells["last"] = points.values
    cells["sum"] = np.where(finite, points.values, 0.0)
    return cells


def grouped(points: Points, size: int) -> Cells:
    """The sorted points in cells of ``size`` each; the last one may hold fewer."""
    if size == 1:
        return cells_of(points)
    starts = np.arange(0, len(points), size)
    ends = np.append(starts[1:], len(points)) - 1
    cells = np.empty(len(starts), CELL)
    if not len(starts):
        return cells
    finite, nans = np.isfinite(points.values), np.isnan(points.values)
    cells["first_step"], cells["last_step"] = points.steps[starts], points.steps[ends]
    cells["first_timestamp"], cells["last_timestamp"] = points.timestamps[starts], points.timestamps[ends]
    cells["points"] = ends - starts + 1
    cells["finite"] = np.add.reduceat(finite, starts, dtype=np.int64)
    cells["nans"] = np.add.reduceat(nans, starts, dtype=np.int64)
    # fmin and fmax pass over NaN, and give one where there is nothing else.
    cells["min"] = np.fmin.reduceat(points.values, starts)
    cells["max"] = np.fmax.reduceat(points.values, starts)
    with np.errstate(over="ignore", invalid="ignore"):
        cells["sum"] = np.add.reduceat(np.where(finite, points.values, 0.0), starts)
    cells["first"], cells["last"] = points.values[starts], points.values[ends]
    return cells
