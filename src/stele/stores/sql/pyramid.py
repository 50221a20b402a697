"""Charts of long series: cells of 256 points and more from the summaries of sealed segments, not from the points.

A request costs in proportion to what it shows. Cells stand for points only where a segment lies whole in the range and
no other point lies among its own; the others are decoded, so that a cell never counts a point twice or out of place.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, case, null, union_all

from stele import limits
from stele.stores.sql.bounded_cache import BoundedCache
from stele.stores.sql.cells import CELL_POINTS, Cells, concatenated_cells, grouped
from stele.stores.sql.column_blocks import BLOCK_POINTS
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.parts import parts
from stele.stores.sql.points import Ints, Points, concatenated, count_before, counts_before, sorted_distinct
from stele.stores.sql.series_reader import (
    LOG,
    Segment,
    cells_of_segments,
    decoded,
    log_columns,
    read_points,
    segment_columns,
    shown_segments,
)
from stele.stores.sql.tables import segments

__all__ = ["Blocks", "CellCache", "new_cell_cache", "read_cells"]


def _query(summary: ColumnElement[Any] | None = None) -> Prepared:
    run: BindParameter[int] = bindparam("run")
    key: BindParameter[int] = bindparam("key")
    s = segments.c
    steps = s.first_step <= bindparam("last_step"), s.last_step >= bindparam("first_step")
    data = case((s.sealed == 1, null()), else_=s.data)
    found = shown_segments(run, *steps, s.first_key <= key, s.last_key >= key, summary=summary, data=data)
    return Prepared(union_all(*found, log_columns(run, bindparam("until"))))


_HEADS = _query()
_SUMMARIES = _query(segments.c.summary)

_SEGMENT_BYTES = 600  # of a segment without its content, and of what is kept about it

FEW_POINTS = 32_768
"""So many points are a cell each; a chart of them is exact."""


class Blocks(NamedTuple):
    """The sealed segments of a series in the order of their beginnings, and their cells, one after the other."""

    segments: list[Segment]
    cells: Cells
    counts: Ints
    """How many cells each has."""
    first: tuple[Ints, Ints]
    last: tuple[Ints, Ints]
    """Step and timestamp of the first and the last point of each."""

    @property
    def nbytes(self) -> int:
        """About how much memory they take."""
        return int(self.cells.nbytes) + _SEGMENT_BYTES * len(self.segments)


CellCache = BoundedCache[Hashable, Blocks]
"""Cells that were read before. A sealed segment never changes, so neither do they."""

_CACHED_BYTES = 64 * 1024 * 1024


def new_cell_cache() -> CellCache:
    """A cache of up to 64 MB.

    A page that follows a training run asks for the same charts again and again, and most of their cells are the same.
    """
    return BoundedCache(_CACHED_BYTES, lambda blocks: blocks.nbytes)


def read_cells(
    connection: Connection,
    run: int,
    key_id: int,
    first_step: int | None,
    last_step: int | None,
    most_cells: int,
    cache: CellCache | None = None,
) -> Cells:
    """The points of a series in cells of one to 8192: as long as leaves ``most_cells`` of them.

    Args:
        connection: Where to read.
        run: Row number of the run.
        key_id: Number of the key.
        first_step: Only points of this step and later ones.
        last_step: Only points up to this step.
        most_cells: As many cells as the one who asks can make use of. There are up to eight times as many, and one
            for each point when there are few.
        cache: Where cells are looked for first, and kept.

    Returns:
        The cells; they are not to be changed.

    Raises:
        DataLoss: A segment is damaged; the message names it.
    """
    cache = new_cell_cache() if cache is None else cache
    while True:
        cells = _tried(connection, run, key_id, (first_step, last_step), most_cells, cache)
        if cells is not None:
            return cells


def _tried(
    connection: Connection,
    run: int,
    key: int,
    bounds: tuple[int | None, int | None],
    most_cells: int,
    cache: CellCache,
) -> Cells | None:
    """The cells; None when a compaction replaced segments between two statements."""
    low = limits.INT64_MIN if bounds[0] is None else bounds[0]
    high = limits.INT64_MAX if bounds[1] is None else bounds[1]
    asked = {"run": run, "key": key, "first_step": low, "last_step": high, "until": limits.INT64_MAX}
    found = list(map(Segment._make, _HEADS(connection, asked).all()))
    sealed = [segment for segment in found if segment.sealed == 1]
    total = sum(segment.points for segment in sealed)
    if total < most_cells * CELL_POINTS:
        points = read_points(connection, run, [key], *bounds)[key]
        return grouped(points, 1 if len(points) <= FEW_POINTS else _longest(len(points) // most_cells))
    loose = _loose(connection, run, key, [segment for segment in found if segment.sealed != 1])
    joined = min(_longest(total // (most_cells * CELL_POINTS)), BLOCK_POINTS // CELL_POINTS)
    blocks = _blocks(connection, asked, sealed, joined, cache)
    if blocks is None:
        return None
    whole = _stand_alone(blocks, loose) & (blocks.first[0] >= low) & (blocks.last[0] <= high)
    whole &= np.array([segment.is_whole() for segment in blocks.segments], bool)
    read = _decoded(connection, run, [each for each, alone in zip(blocks.segments, whole, strict=True) if not alone])
    if read is None:
        return None
    points = sorted_distinct(concatenated([*read, loose]))
    return _cells(blocks, whole, points[(points.steps >= low) & (points.steps <= high)], joined * CELL_POINTS)


def _longest(points: int) -> int:
    """The greatest power of two up to a number, and at least 1."""
    return 1 << max(points.bit_length() - 1, 0)


def _loose(connection: Connection, run: int, key: int, found: Sequence[Segment]) -> Points:
    """The points of a series that are in no sealed segment."""
    stored = [segment for segment in found if segment.sealed != LOG]
    parts = [segment.trimmed(decoded(connection, run, segment).of(key)) for segment in stored]
    parts.append(KeyedPoints.of_log((segment.data for segment in found if segment.sealed == LOG), key).points)
    return sorted_distinct(concatenated(parts))


def _blocks(
    connection: Connection, asked: dict[str, int], sealed: list[Segment], joined: int, cache: CellCache
) -> Blocks | None:
    """The sealed segments with their cells; None when one of them is no longer there."""
    # A rewind of a forked run cuts what it shares, and no segment gets another number by that.
    place = (asked["run"], joined, tuple((segment.id, segment.cut) for segment in sealed))
    blocks = cache.get(place)
    if blocks is None:
        rows = map(Segment._make, _SUMMARIES(connection, asked).all())
        there = {segment.id: segment for segment in rows if segment.sealed == 1}
        if there.keys() != {segment.id for segment in sealed}:
            return None
        blocks = _in_order(connection, asked["run"], list(there.values()), joined)
        cache.keep(place, blocks)
    return blocks


def _in_order(connection: Connection, run: int, sealed: list[Segment], joined: int) -> Blocks:
    cells, counts = cells_of_segments(connection, run, sealed, joined)
    starts = np.cumsum(counts) - counts
    order = np.lexsort((cells["first_timestamp"][starts], cells["first_step"][starts]))
    if (order[1:] < order[:-1]).any():
        cells = cells[np.concatenate([np.arange(starts[place], starts[place] + counts[place]) for place in order])]
        counts = counts[order]
        starts = np.cumsum(counts) - counts
    first, last = cells[starts], cells[starts + counts - 1]
    cells.setflags(write=False)
    return Blocks(
        [sealed[place]._replace(summary=b"") for place in order],
        cells,
        counts,
        (first["first_step"], first["first_timestamp"]),
        (last["last_step"], last["last_timestamp"]),
    )


def _stand_alone(blocks: Blocks, loose: Points) -> npt.NDArray[np.bool_]:
    """Which blocks have no point of another block, and no loose one, among their own."""
    alone = np.ones(len(blocks.segments), bool)
    if _reaches([column[:-1] for column in blocks.last], [column[1:] for column in blocks.first]).any():
        alone &= ~_overlapping(blocks)
    if len(loose):
        begin, end = ((loose.steps[place], loose.timestamps[place]) for place in (0, -1))
        touched = _reaches(blocks.last, begin) & _reaches(end, blocks.first)
        for place in np.flatnonzero(touched):
            first, last = ([int(column[place]) for column in ends] for ends in (blocks.first, blocks.last))
            alone[place] &= count_before(loose, *first) == count_before(loose, *last, inclusive=True)
    return alone


def _reaches(last: Sequence[Any], first: Sequence[Any]) -> npt.NDArray[np.bool_]:
    """Where a last position is not before a first one; positions are steps and timestamps."""
    reaches: npt.NDArray[np.bool_] = (last[0] > first[0]) | ((last[0] == first[0]) & (last[1] >= first[1]))
    return reaches


def _overlapping(blocks: Blocks) -> npt.NDArray[np.bool_]:
    """Which blocks overlap another one."""
    first = list(zip(*(column.tolist() for column in blocks.first), strict=True))
    last = list(zip(*(column.tolist() for column in blocks.last), strict=True))
    result = np.zeros(len(first), bool)
    furthest = last[0]  # the end of all blocks so far
    for place in range(1, len(first)):
        result[place] |= furthest >= first[place]
        result[place - 1] |= last[place - 1] >= first[place]
        furthest = max(furthest, last[place])
    return result


def _decoded(connection: Connection, run: int, wanted: Sequence[Segment]) -> list[Points] | None:
    """The points of segments; None when one of them is no longer there."""
    read: dict[int, Segment] = {}
    for part in parts([segment.id for segment in wanted]):
        query = segment_columns(data=segments.c.data).where(segments.c.id.in_(part))
        read |= {row.id: Segment._make(row) for row in connection.execute(query)}
    if len(read) != len(wanted):
        return None
    return [segment.trimmed(decoded(connection, run, read[segment.id]).points) for segment in wanted]


def _cells(blocks: Blocks, whole: npt.NDArray[np.bool_], points: Points, size: int) -> Cells:
    """The cells of some blocks, and between them those of other points."""
    cells = blocks.cells if whole.all() else blocks.cells[np.repeat(whole, blocks.counts)]
    if not len(points):
        return cells
    ends = np.append(0, np.cumsum(blocks.counts[whole]))
    # How many points stand before each block, and then which lie between two.
    places = counts_before(points, blocks.first[0][whole], blocks.first[1][whole])
    bounds = np.concatenate([[0], places, [len(points)]])
    parts: list[Cells] = []
    done = 0
    for gap in np.flatnonzero(np.diff(bounds)):
        parts += [cells[done : ends[gap]], grouped(points[int(bounds[gap]) : int(bounds[gap + 1])], size)]
        done = ends[gap]
    return concatenated_cells([*parts, cells[done:]])
