"""From points, or cells of them, to the buckets of a chart.

Buckets are intervals of one width on the axis. A cell goes whole into the bucket of its least x: the figures of a
bucket are exact for the points that it has, nothing is sampled, and its bounds are exact to the points of a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stele.stores.sql.cells import CELL, Cells
from stele.stores.sql.points import Ints, Points

__all__ = ["Columns", "Extent", "bucketed", "cell_columns", "extent_of", "point_columns"]

Columns = Mapping[str, npt.NDArray[Any]]
"""The fields of :data:`~stele.stores.sql.cells.CELL` as arrays of their own, in canonical order."""


class Extent(NamedTuple):
    """The least and the greatest x of each cell."""

    low: Ints
    high: Ints


def cell_columns(cells: Cells) -> Columns:
    """Cells by field."""
    assert CELL.names is not None
    return {name: cells[name] for name in CELL.names}


def point_columns(points: Points) -> Columns:
    """Points as cells of one."""
    finite = np.isfinite(points.values)
    values = dict.fromkeys(("min", "max", "first", "last"), points.values)
    return values | {
        "first_step": points.steps,
        "last_step": points.steps,
        "first_timestamp": points.timestamps,
        "last_timestamp": points.timestamps,
        "points": np.ones(len(points), np.int64),
        "finite": finite.astype(np.int64),
        "nans": np.isnan(points.values).astype(np.int64),
        "sum": np.where(finite, points.values, 0.0),
    }


def extent_of(cells: Columns | Cells, *, time: bool) -> Extent:
    """Where cells lie on the axis of steps, or on that of timestamps."""
    if not time:
        return Extent(cells["first_step"], cells["last_step"])
    # Timestamps need not grow with the steps.
    ends = cells["first_timestamp"], cells["last_timestamp"]
    return Extent(np.minimum(*ends), np.maximum(*ends))


def bucketed(cells: Columns, extent: Extent, count: int) -> dict[str, npt.NDArray[Any]]:
    """At most ``count`` buckets as the columns of :class:`~stele.schema.series.BucketSeries`.

    Args:
        cells: At least one.
        extent: Where they lie.
        count: 1 or more.
    """
    places = _places(extent, count)
    if (places[1:] < places[:-1]).any():
        # Stable: the points of a bucket keep their order, so its last cell holds its last value.
        order = np.argsort(places, kind="stable")
        places, extent = places[order], Extent(extent.low[order], extent.high[order])
        cells = {name: column[order] for name, column in cells.items()}
    changes = np.flatnonzero(places[1:] != places[:-1])
    starts, ends = np.concatenate([[0], changes + 1]), np.concatenate([changes, [len(places) - 1]])
    counts, finite, nans = (np.add.reduceat(cells[name], starts) for name in ("points", "finite", "nans"))
    # fmin and fmax pass over NaN, and give one where there is nothing else.
    low, high = np.fmin.reduceat(cells["min"], starts), np.fmax.reduceat(cells["max"], starts)
    return {
        "first_x": np.minimum.reduceat(extent.low, starts),
        "last_x": np.maximum.reduceat(extent.high, starts),
        "counts": counts,
        "nans": nans,
        "infinities": counts - finite - nans,
        "min": low,
        "max": high,
        "mean": _means(cells["sum"], finite, starts, ends, low, high),
        "last": cells["last"][ends],
        "timestamps": cells["last_timestamp"][ends],
    }


def _places(extent: Extent, count: int) -> Ints:
    """The number of each cell's bucket, 0 to ``count - 1``."""
    start = int(extent.low.min())
    width = (int(extent.high.max()) - start + 1) / count
    # As unsigned numbers, because the axis may span all of 64 bits; the subtraction wraps round to the distance.
    distance = (extent.low - np.int64(start)).view(np.uint64)
    return np.minimum((distance / width).astype(np.int64), count - 1)


def _means(sums: Any, finite: Any, starts: Any, ends: Any, low: Any, high: Any) -> npt.NDArray[np.float64]:
    totals = np.repeat(finite, ends - starts + 1)
    # Divided before it is summed: the mean of great numbers is finite though their sum is not.
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.add.reduceat(sums / totals, starts)
    means[finite == 0] = np.nan
    # What rounding did must not put a mean outside of the band that it is drawn in.
    return np.clip(means, low, high)
