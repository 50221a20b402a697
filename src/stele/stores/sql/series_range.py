"""The points of one series that lie in a range: one by one, in pieces of bounded size, or as cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from stele import limits
from stele.stores.sql.buckets import extent_of
from stele.stores.sql.cells import CELL_POINTS, Cells, cells_of, grouped
from stele.stores.sql.parts import parts
from stele.stores.sql.points import ALL_STEPS, Ints, Points, Steps, concatenated, count_before
from stele.stores.sql.pyramid import CellCache, CellSeries, read_cells
from stele.stores.sql.series_reader import SERIES_AT_ONCE, Segment, points_of, read_points, shown_segments

__all__ = ["Position", "SeriesRange", "first_points", "read_for_buckets"]

_CHUNK_POINTS = 250_000
"""Points of a long series that are read at once."""
_CHUNK_CELLS = 32
_POINTS_PER_BUCKET = 192
"""From so many points for each bucket on, stored cells of 256 points are as good as the points themselves."""
_CELLS_PER_BUCKET = 4
"""So many cells for each bucket are enough, where there are more."""

Position = tuple[int, int, float]
"""Step, timestamp and value of a point."""


class SeriesRange(NamedTuple):
    """Which points of a series are wanted.

    Attributes:
        run: Row number of the run.
        key_id: Number of the key.
        length: About how many points the series has.
        time: Whether the bounds are timestamps; else they are steps.
        start: The least x, of any size; None is no bound.
        end: The greatest x.
    """

    run: int
    key_id: int
    length: int
    time: bool
    start: int | None
    end: int | None

    @property
    def steps(self) -> Steps:
        """The steps that points in the range may have."""
        return ALL_STEPS if self.time else Steps.between(self.start, self.end)

    def bounds_time(self) -> bool:
        """Whether timestamps decide which points are wanted."""
        return self.time and (self.start is not None or self.end is not None)

    def of(self, points: Points) -> Points:
        """Those of some points within the bounds of steps that lie in the range."""
        return points[self.touches(points.timestamps, points.timestamps)] if self.bounds_time() else points

    def touches(self, low: Ints, high: Ints) -> npt.NDArray[np.bool_]:
        """Which intervals have an end in the range, or lie across it."""
        return self._within(high, low)

    def holds(self, low: Ints, high: Ints) -> npt.NDArray[np.bool_]:
        """Which intervals lie in the range."""
        return self._within(low, high)

    def _within(self, above: Ints, below: Ints) -> npt.NDArray[np.bool_]:
        within = np.ones(len(above), bool)
        if self.start is not None:
            within &= above >= self.start
        if self.end is not None:
            within &= below <= self.end
        return within


def first_points(connection: Connection, wanted: SeriesRange, after: Position | None, most: int) -> Points:
    """The first points in a range, in canonical order.

    Args:
        connection: Where to read.
        wanted: The range.
        after: Only points behind this one; None is no bound.
        most: How many at most.
    """
    steps = wanted.steps if after is None else wanted.steps._replace(low=after[0])
    found: list[Points] = []
    count = 0
    for chunk in _chunks(connection, wanted, steps, most):
        found.append(wanted.of(chunk if after is None else chunk[_count_to(chunk, after) :]))
        count += len(found[-1])
        if count >= most:
            break
    return concatenated(found)[:most]


def _count_to(points: Points, after: Position) -> int:
    """How many of the sorted points stand before the next one behind a position."""
    step, timestamp, value = after
    start = count_before(points, step, timestamp)
    end = count_before(points, step, timestamp, inclusive=True)
    while start < end and _rank(float(points.values[start])) <= _rank(value):
        start += 1
    return start


def _rank(value: float) -> tuple[float, bool, bool]:
    """What values of one step and timestamp are ordered by, as in :mod:`~stele.stores.sql.points`."""
    nan = math.isnan(value)
    return 0.0 if nan else value, nan, math.copysign(1.0, value) > 0


def _chunks(connection: Connection, wanted: SeriesRange, steps: Steps, room: int = 0) -> Iterator[Points]:
    """The points of a series; those of one for which there is no room in pieces of bounded size.

    One step is never parted.
    """
    if wanted.length <= max(_CHUNK_POINTS, room):
        yield _points(connection, wanted, steps)
        return
    [cells] = read_cells(connection, [CellSeries(wanted.run, wanted.key_id, _CHUNK_CELLS)], steps)
    if isinstance(cells, Points):
        yield cells
        return
    if not len(cells):  # the range lies between two points of a block
        return
    pieces = np.cumsum(cells["points"]) // _CHUNK_POINTS
    ends = np.unique(cells["last_step"][np.flatnonzero(np.diff(pieces, append=-1))]).tolist()
    starts = [int(cells["first_step"][0]), *(end + 1 for end in ends[:-1])]
    for start, end in zip(starts, ends, strict=True):
        yield _points(connection, wanted, Steps(start, end))


def _points(connection: Connection, wanted: SeriesRange, steps: Steps) -> Points:
    return read_points(connection, wanted.run, [wanted.key_id], steps)[wanted.key_id]


def read_for_buckets(
    connection: Connection, wanted: Sequence[SeriesRange], buckets: int, cache: CellCache
) -> Iterator[Points | Cells]:
    """The points of each series for so many buckets: one by one when they are no more than these, as cells when many.

    Args:
        connection: Where to read.
        wanted: The ranges; all have the same bounds of steps.
        buckets: How many buckets each series is for.
        cache: Where cells are looked for first, and kept.
    """
    if not wanted:
        return
    steps, fewest = wanted[0].steps, min(buckets * _POINTS_PER_BUCKET, _CHUNK_POINTS)
    points = _read_short(connection, [each for each in wanted if each.length < fewest], steps)
    long = [_cells_for(each, buckets) for each in wanted if each.length >= fewest]
    cells = read_cells(connection, long, steps, cache)
    for each in wanted:
        yield next(points) if each.length < fewest else _long(connection, each, next(cells), buckets, cache)


def _read_short(connection: Connection, wanted: Sequence[SeriesRange], steps: Steps) -> Iterator[Points]:
    for part in parts(wanted, SERIES_AT_ONCE):
        found: dict[int, list[Segment]] = {}
        runs, keys = {each.run for each in part}, {each.key_id for each in part}
        for segment in shown_segments(connection, runs, keys, steps):
            found.setdefault(segment.run, []).append(segment)
        for run, of_run in groupby(part, attrgetter("run")):
            ranges = list(of_run)
            series = points_of(connection, found.get(run, ()), [each.key_id for each in ranges], steps)
            for each, points in zip(ranges, series, strict=True):
                yield each.of(points)


def _cells_for(wanted: SeriesRange, buckets: int) -> CellSeries:
    # Some points lie in the log, or in segments without cells: to ask for cells of all of them would be to read all.
    stored = max(buckets * _POINTS_PER_BUCKET, wanted.length * 3 // 4, CELL_POINTS) // CELL_POINTS
    return CellSeries(wanted.run, wanted.key_id, min(stored, buckets * _CELLS_PER_BUCKET))


def _long(
    connection: Connection, wanted: SeriesRange, found: Points | Cells, buckets: int, cache: CellCache
) -> Points | Cells:
    """A long series in a range, given what there is of the steps that are wanted."""
    if isinstance(found, Points):
        return wanted.of(found)
    inside: Points | Cells | None = found
    if wanted.time:
        inside = _within_time(connection, found, wanted, _cells_for(wanted, buckets), cache)
    if isinstance(inside, Points) or (inside is not None and int(inside["points"].sum()) > buckets):
        return inside
    points = concatenated([wanted.of(chunk) for chunk in _chunks(connection, wanted, wanted.steps)])
    return points if len(points) <= limits.MAX_SERIES_POINTS else grouped(points, CELL_POINTS)


def _within_time(
    connection: Connection, cells: Cells, wanted: SeriesRange, series: CellSeries, cache: CellCache
) -> Points | Cells | None:
    """What there is in a range of time, given cells of the whole series; None when cells cannot tell.

    Series are stored by step. Where time grows with the steps, as it does in almost every series, at most two cells lie
    across a bound, and their points are read.
    """
    if not _grow_in_time(cells):
        return None
    if not wanted.bounds_time():
        return cells
    touching = cells[wanted.touches(*extent_of(cells, time=True))]
    if not len(touching):
        return touching
    steps = Steps(int(touching["first_step"][0]), int(touching["last_step"][-1]))
    [finer] = read_cells(connection, [series], steps, cache)
    if isinstance(finer, Points):
        return wanted.of(finer)
    low, high = extent_of(finer, time=True)
    inside = wanted.holds(low, high)
    across = np.flatnonzero(wanted.touches(low, high) & ~inside)
    if not _have_steps_of_their_own(finer)[across].all():
        return None
    parts = [finer[inside]]
    for cell in finer[across]:
        points = _points(connection, wanted, Steps(int(cell["first_step"]), int(cell["last_step"])))
        parts.append(cells_of(wanted.of(points)))
    joined = np.concatenate(parts)
    return joined[np.argsort(joined["first_step"], kind="stable")]


def _grow_in_time(cells: Cells) -> bool:
    first, last = cells["first_timestamp"], cells["last_timestamp"]
    return bool((first <= last).all() and (last[:-1] <= first[1:]).all())


def _have_steps_of_their_own(cells: Cells) -> npt.NDArray[np.bool_]:
    """For each cell, whether a range of steps can name it: no neighbour has its first or last step."""
    apart = cells["last_step"][:-1] < cells["first_step"][1:]
    alone: npt.NDArray[np.bool_] = np.r_[True, apart] & np.r_[apart, True]
    return alone
