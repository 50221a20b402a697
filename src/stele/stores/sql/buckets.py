"""From points, or cells of them, to the buckets of a chart.

Buckets are intervals of one width on the axis. A cell goes whole into the bucket of its least x: the figures of a
bucket are exact for the points that it has, nothing is sampled, and its bounds are exact to the points of a cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stele.stores.sql.cells import CELL, Cells
from stele.stores.sql.points import Ints, Points

__all__ = ["Extent", "bucketed", "extent_of"]

_Columns = Mapping[str, npt.NDArray[Any]]
"""The fields of :data:`~stele.stores.sql.cells.CELL` as arrays of their own."""


class Extent(NamedTuple):
    """The least and the greatest x of each cell."""

    low: Ints
    high: Ints


def extent_of(cells: _Columns | Cells, *, time: bool) -> Extent:
    """Where cells lie on the axis of steps, or on that of timestamps."""
    if not time:
        return Extent(cells["first_step"], cells["last_step"])
    # Timestamps need not grow with the steps.
    ends = cells["first_timestamp"], cells["last_timestamp"]
    return Extent(np.minimum(*ends), np.maximum(*ends))


def bucketed(series: Sequence[Points | Cells], count: int, *, time: bool) -> list[dict[str, npt.NDArray[Any]]]:
    """Each series in at most ``count`` buckets as the columns of :class:`~stele.schema.series.BucketSeries`.

    The columns may be those of the cells, so they are not to be changed.

    All series are one pass: what numpy takes for a call is worth some thousand cells.

    Args:
        series: One or more, each with at least one point, in canonical order.
        count: 1 or more.
        time: Whether buckets lie on the axis of timestamps; else on that of steps.
    """
    cells = _concatenated([_columns(each) for each in series])
    extent = extent_of(cells, time=time)
    places = _places(extent, [len(each) for each in series], count)
    if (places[1:] < places[:-1]).any():
        # Stable: the points of a bucket keep their order, so its last cell holds its last value.
        order = np.argsort(places, kind="stable")
        places, extent = places[order], Extent(extent.low[order], extent.high[order])
        cells = {name: column[order] for name, column in cells.items()}
    changes = np.flatnonzero(places[1:] != places[:-1])
    starts, ends = np.concatenate([[0], changes + 1]), np.concatenate([changes, [len(places) - 1]])
    counts, finite, nans = (_reduced(np.add, cells[name], starts) for name in ("points", "finite", "nans"))
    # fmin and fmax pass over NaN, and give one where there is nothing else.
    low, high = _reduced(np.fmin, cells["min"], starts), _reduced(np.fmax, cells["max"], starts)
    columns = {
        "first_x": _reduced(np.minimum, extent.low, starts),
        "last_x": _reduced(np.maximum, extent.high, starts),
        "counts": counts,
        "nans": nans,
        "infinities": counts - finite - nans,
        "min": low,
        "max": high,
        "mean": _means(cells["sum"], finite, starts, ends, low, high),
        "last": cells["last"][ends],
        "timestamps": cells["last_timestamp"][ends],
    }
    bounds = np.searchsorted(places[starts], count * np.arange(len(series) + 1)).tolist()
    return [{name: column[start:end] for name, column in columns.items()} for start, end in pairwise(bounds)]


def _columns(series: Points | Cells) -> _Columns:
    """Cells by field, and points as cells of one."""
    if not isinstance(series, Points):
        return {name: series[name] for name in CELL.names or ()}
    finite, nans = np.isfinite(series.values), np.isnan(series.values)
    values = dict.fromkeys(("min", "max", "first", "last"), series.values)
    return values | {
        "first_step": series.steps,
        "last_step": series.steps,
        "first_timestamp": series.timestamps,
        "last_timestamp": series.timestamps,
        "points": np.ones(len(series), np.int64),
        "finite": finite.astype(np.int64),
        "nans": nans.astype(np.int64),
        "sum": np.where(finite, series.values, 0.0),
    }


def _concatenated(parts: Sequence[_Columns]) -> _Columns:
    return parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _places(extent: Extent, lengths: Sequence[int], count: int) -> Ints:
    """The number of each cell's bucket, 0 to ``count - 1`` in the first series, from ``count`` on in the next.

    Args:
        extent: The cells of all series.
        lengths: How many each series has.
        count: Buckets of a series.
    """
    begins = np.cumsum([0, *lengths[:-1]])
    starts = np.minimum.reduceat(extent.low, begins)
    ends = np.maximum.reduceat(extent.high, begins)
    # As integers of Python and as unsigned numbers, because the axis may span all of 64 bits.
    widths = [(end - start + 1) / count for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    distance = (extent.low - _spread(starts, lengths)).view(np.uint64)  # the subtraction wraps round to it
    places: Ints = np.minimum((distance / _spread(widths, lengths)).astype(np.int64), count - 1)
    places += _spread(count * np.arange(len(lengths)), lengths)
    return places


def _spread(values: npt.ArrayLike, lengths: Sequence[int]) -> npt.NDArray[Any]:
    """What each series has, for each of its cells; one value for all is spread by numpy."""
    return np.repeat(values, lengths) if len(lengths) > 1 else np.asarray(values)


def _reduced(function: np.ufunc, column: npt.NDArray[Any], starts: Ints) -> npt.NDArray[Any]:
    """One value for each bucket; the column itself where each has one cell, as in a chart of 100 000 points."""
    reduced: npt.NDArray[Any] = column if len(starts) == len(column) else function.reduceat(column, starts)
    return reduced


def _means(sums: Any, finite: Any, starts: Any, ends: Any, low: Any, high: Any) -> npt.NDArray[np.float64]:
    totals = np.repeat(finite, ends - starts + 1)
    # Divided before it is summed: the mean of great numbers is finite though their sum is not.
    with np.errstate(invalid="ignore", divide="ignore"):
        means: npt.NDArray[np.float64] = _reduced(np.add, sums / totals, starts)
    means[finite == 0] = np.nan
    # What rounding did must not put a mean outside of the band that it is drawn in.
    return np.clip(means, low, high)
