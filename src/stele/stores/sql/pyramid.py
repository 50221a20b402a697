"""Charts of long series: cells of 256 points and more from the summaries of sealed segments, not from the points.

A request costs in proportion to what it shows, and what segments hold becomes cells once. Cells stand for points only
where a segment lies whole in the range and no other point lies among its own; the others are decoded, so that a cell
never counts a point twice or out of place.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, case, select

from stele.stores.sql.bounded_cache import BoundedCache
from stele.stores.sql.cells import CELL_POINTS, Cells, concatenated_cells, grouped
from stele.stores.sql.column_blocks import BLOCK_POINTS
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.parts import parts
from stele.stores.sql.points import (
    ALL_STEPS,
    Ints,
    Points,
    Steps,
    concatenated,
    count_before,
    counts_before,
    sorted_distinct,
)
from stele.stores.sql.series_reader import (
    LOG,
    SERIES_AT_ONCE,
    Segment,
    cells_of_segments,
    decoded,
    points_of,
    shown_segments,
)
from stele.stores.sql.tables import segments

__all__ = ["CellCache", "CellSeries", "new_cell_cache", "read_cells"]


def _query(content: ColumnElement[Any]) -> Prepared:
    ids: BindParameter[Any] = bindparam("ids", expanding=True)
    return Prepared(select(segments.c.id, content.label("content")).where(segments.c.id.in_(ids)))


_POINTS = _query(segments.c.data)
_CELLS = _query(case((segments.c.sealed == 1, segments.c.summary), else_=segments.c.data))
"""The points of segments; and as little as their cells can be made from."""

_SEGMENT_BYTES = 600  # of a segment without its content, and of what is kept about it

FEW_POINTS = 32_768
"""So many points are not made into cells; a chart of them is exact."""


class CellSeries(NamedTuple):
    """A series of which cells are wanted.

    Attributes:
        run: Row number of the run.
        key_id: Number of the key.
        most_cells: As many cells as the one who asks can make use of. There are up to eight times as many.
    """

    run: int
    key_id: int
    most_cells: int


class Blocks(NamedTuple):
    """The sealed segments of a series in the order of their beginnings, and their cells, one after the other."""

    segments: list[Segment]
    cells: Cells
    counts: Ints
    """How many cells each has."""
    first: tuple[Ints, Ints]
    last: tuple[Ints, Ints]
    """Step and timestamp of the first and the last point of each."""


class Stored(NamedTuple):
    """What the segments of a series hold, the log apart."""

    blocks: Blocks
    cells: Cells
    """The cells of all points, those in no sealed segment included."""

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        shared = np.may_share_memory(self.cells, self.blocks.cells)
        cells = self.cells.nbytes + (0 if shared else self.blocks.cells.nbytes)
        return cells + _SEGMENT_BYTES * len(self.blocks.segments)


CellCache = BoundedCache[Hashable, Stored]
"""Cells that were made before. A segment never changes, so neither do they."""

_CACHED_BYTES = 64 * 1024 * 1024


def new_cell_cache() -> CellCache:
    """A cache of up to 64 MB.

    A page that follows a training run asks for the same charts again and again, and most of their cells are the same.
    """
    return BoundedCache(_CACHED_BYTES, lambda stored: stored.nbytes)


def read_cells(
    connection: Connection, wanted: Iterable[CellSeries], steps: Steps = ALL_STEPS, cache: CellCache | None = None
) -> Iterator[Points | Cells]:
    """The points of each series in cells of up to 8192, as long as leaves as many as are wanted; points when few.

    Args:
        connection: Where to read.
        wanted: The series.
        steps: Only points of these steps.
        cache: Where cells are looked for first, and kept.

    Yields:
        What there is of one series; it is not to be changed.

    Raises:
        DataLoss: A segment is damaged; the message names it.
    """
    cache = new_cell_cache() if cache is None else cache
    for part in parts(wanted, SERIES_AT_ONCE):
        for each, found in zip(part, _found(connection, part, steps), strict=True):
            result = _tried(connection, each, steps, found, cache)
            while result is None:
                [again] = _found(connection, [each], steps)
                result = _tried(connection, each, steps, again, cache)
            yield result


class _Found(NamedTuple):
    """What may have points of a series: segments without their content, and rows of the log."""

    segments: list[Segment]
    log: list[Segment]


def _found(connection: Connection, wanted: Sequence[CellSeries], steps: Steps) -> list[_Found]:
    sealed: dict[tuple[int, int], list[Segment]] = {}
    unsealed: dict[int, list[Segment]] = {}
    log: dict[int, list[Segment]] = {}
    runs, keys = {each.run for each in wanted}, {each.key_id for each in wanted}
    for segment in shown_segments(connection, runs, keys, steps, data=False):
        if segment.sealed == LOG:
            log.setdefault(segment.run, []).append(segment)
        elif segment.sealed:
            sealed.setdefault((segment.run, segment.first_key), []).append(segment)
        else:
            unsealed.setdefault(segment.run, []).append(segment)
    result: list[_Found] = []
    for run, key, _ in wanted:
        shared = [each for each in unsealed.get(run, ()) if each.first_key <= key <= each.last_key]
        result.append(_Found([*sealed.get((run, key), ()), *shared], log.get(run, [])))
    return result


def _tried(
    connection: Connection, wanted: CellSeries, steps: Steps, found: _Found, cache: CellCache
) -> Points | Cells | None:
    """Cells or points; None when a compaction replaced segments between two statements."""
    key, most = wanted.key_id, wanted.most_cells
    total = sum([segment.points for segment in found.segments if segment.sealed])
    if total < most * CELL_POINTS:
        points = _points(connection, key, steps, found)
        return points if points is None or len(points) <= FEW_POINTS else grouped(points, _longest(len(points) // most))
    joined = min(_longest(total // (most * CELL_POINTS)), BLOCK_POINTS // CELL_POINTS)
    stored = _stored(connection, wanted, found.segments, joined, cache)
    if stored is None:
        return None
    logged = KeyedPoints.of_log((row.data for row in found.log), key).points if found.log else Points.empty()
    if not len(logged) and steps.low <= stored.cells["first_step"][0] and stored.cells["last_step"][-1] <= steps.high:
        return stored.cells
    unsealed = _with_points(connection, [segment for segment in found.segments if not segment.sealed])
    if unsealed is None:
        return None
    return _assembled(connection, stored.blocks, _loose(connection, key, unsealed, logged), steps, joined)


def _points(connection: Connection, key: int, steps: Steps, found: _Found) -> Points | None:
    """All points of a series; None when a segment is no longer there."""
    filled = _with_points(connection, found.segments)
    if filled is None:
        return None
    [points] = points_of(connection, [*filled, *found.log], [key], steps)
    return points


def _longest(points: int) -> int:
    """The greatest power of two up to a number, and at least 1."""
    return 1 << max(points.bit_length() - 1, 0)


def _stored(
    connection: Connection, wanted: CellSeries, found: Sequence[Segment], joined: int, cache: CellCache
) -> Stored | None:
    """What segments hold of a series, in cells of so many stored ones; None when one of them is no longer there."""
    run, key, _ = wanted
    # A rewind of a forked run cuts what it shares, and no segment gets another number by that.
    place = (run, key, joined, tuple((segment.id, segment.cut) for segment in found))
    stored = cache.get(place)
    if stored is None:
        content = _contents(connection, found, _CELLS)
        if content is None:
            return None
        sealed = [each._replace(summary=content[each.id]) for each in found if each.sealed]
        unsealed = [each._replace(data=content[each.id]) for each in found if not each.sealed]
        blocks, loose = _in_order(connection, sealed, joined), _loose(connection, key, unsealed)
        cells = _assembled(connection, blocks, loose, ALL_STEPS, joined)
        if cells is None:
            return None
        cells.setflags(write=False)
        stored = Stored(_as_part_of(cells, blocks), cells)
        cache.keep(place, stored)
    return stored


def _as_part_of(cells: Cells, blocks: Blocks) -> Blocks:
    """The same blocks, which share the memory of all cells where these begin with theirs, as they nearly always do."""
    first = cells[: len(blocks.cells)]
    return blocks._replace(cells=first) if first.tobytes() == blocks.cells.tobytes() else blocks


def _contents(connection: Connection, found: Sequence[Segment], query: Prepared) -> dict[int, bytes] | None:
    """What a query reads of each segment, by id; None when one of them is no longer there."""
    rows = (row for part in parts(segment.id for segment in found) for row in query(connection, {"ids": part}))
    contents = {row.id: row.content for row in rows}
    return contents if len(contents) == len({segment.id for segment in found}) else None


def _with_points(connection: Connection, found: Sequence[Segment]) -> list[Segment] | None:
    """Segments with their points; None when one of them is no longer there."""
    content = _contents(connection, found, _POINTS)
    return None if content is None else [each._replace(data=content[each.id]) for each in found]


def _loose(connection: Connection, key: int, unsealed: Sequence[Segment], *more: Points) -> Points:
    """The points of a series that are in no sealed segment, and more of them."""
    read = [segment.trimmed(decoded(connection, segment).of(key)) for segment in unsealed]
    return sorted_distinct(concatenated([*read, *more]))


def _in_order(connection: Connection, sealed: list[Segment], joined: int) -> Blocks:
    cells, counts = cells_of_segments(connection, sealed, joined)
    starts = np.cumsum(counts) - counts
    order = np.lexsort((cells["first_timestamp"][starts], cells["first_step"][starts]))
    if (order[1:] < order[:-1]).any():
        cells = cells[np.concatenate([np.arange(starts[place], starts[place] + counts[place]) for place in order])]
        counts = counts[order]
        starts = np.cumsum(counts) - counts
    first, last = cells[starts], cells[starts + counts - 1]
    return Blocks(
        [sealed[place]._replace(summary=b"") for place in order],
        cells,
        counts,
        (first["first_step"], first["first_timestamp"]),
        (last["last_step"], last["last_timestamp"]),
    )


def _assembled(connection: Connection, blocks: Blocks, loose: Points, steps: Steps, joined: int) -> Cells | None:
    """Cells of the points between two steps; None when a segment is no longer there."""
    whole = _stand_alone(blocks, loose) & (blocks.first[0] >= steps.low) & (blocks.last[0] <= steps.high)
    whole &= np.array([segment.is_whole() for segment in blocks.segments], bool)
    parted = [each for each, alone in zip(blocks.segments, whole, strict=True) if not alone]
    filled = _with_points(connection, parted)
    if filled is None:
        return None
    read = [segment.trimmed(decoded(connection, segment).points) for segment in filled]
    points = sorted_distinct(concatenated([*read, loose]))
    return _cells(blocks, whole, steps.of(points), joined * CELL_POINTS)


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
