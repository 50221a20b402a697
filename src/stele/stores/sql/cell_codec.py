"""The cells of a sealed segment as bytes: ``segments.summary``.

A block of one key is cut into cells of 256 points, the last one may be shorter. The bytes are read with every chart, by
the thousand at once, so they are not compressed but made of the narrowest columns that hold them exactly::

    version u8   1
    flags u8     which columns there are, see _Flag
    unused u16
    points u32   of the block
    first_step i64, stride i64     of regular steps
    timestamp i64                  of the first point
    cells, one after the other, see _layout
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from functools import cache

import numpy as np
import numpy.typing as npt

from stele.stores.sql.cells import CELL, CELL_POINTS, Cells, grouped
from stele.stores.sql.column_codec import Corrupt
from stele.stores.sql.points import Ints, Points

__all__ = ["pack_cells", "unpack_cells"]

_VERSION = 1
_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("flags", "u1"),
        ("unused", "<u2"),
        ("points", "<u4"),
        ("first_step", "<i8"),
        ("stride", "<i8"),
        ("timestamp", "<i8"),
    ]
)
_VALUES = ("min", "max", "first", "last")


class _Flag(IntFlag):
    REGULAR_STEPS = 1
    """Steps follow from the header."""
    SHORT_TIMES = 2
    """Timestamps are 32-bit distances from the header's."""
    SINGLE_VALUES = 4
    """min, max, first and last were born as 32-bit floats."""
    ALL_FINITE = 8
    """There is neither NaN nor infinity, and nothing says so per cell."""


_ALL_FLAGS = sum(_Flag)
_JOIN = {"min": np.fmin, "max": np.fmax, "sum": np.add, "nans": np.add}


@cache
def _layout(flags: int) -> np.dtype[np.void]:
    """One stored cell."""
    fields: list[tuple[str, str]] = []
    if not flags & _Flag.REGULAR_STEPS:
        fields += [("first_step", "<i8"), ("last_step", "<i8")]
    time = "<u4" if flags & _Flag.SHORT_TIMES else "<i8"
    fields += [("first_timestamp", time), ("last_timestamp", time)]
    fields += [(name, "<f4" if flags & _Flag.SINGLE_VALUES else "<f8") for name in _VALUES]
    fields += [("sum", "<f8")]
    if not flags & _Flag.ALL_FINITE:
        fields += [("nans", "<u2"), ("infinities", "<u2")]
    return np.dtype(fields)


def pack_cells(points: Points) -> bytes:
    """The cells of a block of one key.

    Args:
        points: At least one, sorted and distinct.
    """
    cells = grouped(points, CELL_POINTS)
    strides = np.diff(points.steps)
    stride = int(strides[0]) if len(strides) else 0
    origin = points.timestamps[0]
    flags = 0
    if (strides == stride).all():
        flags |= _Flag.REGULAR_STEPS
    # Both ends of each cell: between them time may run as it likes.
    times = np.concatenate([cells["first_timestamp"], cells["last_timestamp"]])
    if times.min() >= origin and float(times.max()) - float(origin) < 2**32:
        flags |= _Flag.SHORT_TIMES
    if all(_is_single(cells[name]) for name in _VALUES):
        flags |= _Flag.SINGLE_VALUES
    if (cells["finite"] == cells["points"]).all():
        flags |= _Flag.ALL_FINITE
    header = np.array((_VERSION, flags, 0, len(points), points.steps[0], stride, origin), _HEADER)
    stored = np.empty(len(cells), _layout(flags))
    short = flags & _Flag.SHORT_TIMES
    for name in stored.dtype.names or ():
        if name == "infinities":
            stored[name] = cells["points"] - cells["finite"] - cells["nans"]
        else:
            stored[name] = cells[name] - origin if short and name.endswith("timestamp") else cells[name]
    return header.tobytes() + stored.tobytes()


def _is_single(values: npt.NDArray[np.float64]) -> bool:
    with np.errstate(over="ignore"):
        return bool(((values.astype(np.float32) == values) | np.isnan(values)).all())


def unpack_cells(summaries: Sequence[bytes], joined: int = 1) -> tuple[Cells, Ints]:
    """The cells of blocks, one block after the other, and how many each block has.

    Args:
        summaries: One of each block.
        joined: How many neighbouring cells of a block become one.

    Raises:
        Corrupt: Bytes that :func:`pack_cells` did not make.
    """
    # Blocks of one layout and length are read at once.
    alike: dict[tuple[int, bytes], list[int]] = {}
    for place, each in enumerate(summaries):
        alike.setdefault((len(each), each[:2]), []).append(place)
    counts = np.empty(len(summaries), np.int64)
    groups: list[Cells] = []
    for (size, kind), places in alike.items():
        groups.append(_group([summaries[place] for place in places], size, kind, joined))
        counts[places] = groups[-1].shape[1]
    if not groups:
        return np.empty(0, CELL), counts
    if len(groups) == 1:
        return groups[0].reshape(-1), counts
    cells = np.concatenate([group.reshape(-1) for group in groups])
    return _reordered(cells, list(alike.values()), counts), counts


def _reordered(cells: Cells, groups: Sequence[Sequence[int]], counts: Ints) -> Cells:
    """Cells that come group by group, in the order of their blocks."""
    places = np.concatenate([np.asarray(group) for group in groups])
    stored_counts = counts[places]
    starts = np.empty(len(counts), np.int64)
    starts[places] = np.cumsum(stored_counts) - stored_counts
    order = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(len(cells))
    # As rows of numbers, which numpy takes faster than records.
    return cells.view(np.int64).reshape(len(cells), -1)[order].reshape(-1).view(CELL)


def _group(summaries: Sequence[bytes], size: int, kind: bytes, joined: int) -> Cells:
    """The cells of blocks of one kind, one block a row."""
    if size < _HEADER.itemsize or kind[0] != _VERSION or kind[1] > _ALL_FLAGS:
        raise Corrupt("the summary is of an unknown kind")
    layout = _layout(kind[1])
    count, rest = divmod(size - _HEADER.itemsize, layout.itemsize)
    if rest or not count:
        raise Corrupt("the summary has a wrong length")
    stored = np.frombuffer(b"".join(summaries), np.dtype([("header", _HEADER), ("cells", layout, (count,))]))
    if (-(-stored["header"]["points"].astype(np.int64) // CELL_POINTS) != count).any():
        raise Corrupt("the summary has a wrong number of cells")
    return _restored(stored["header"], stored["cells"], kind[1], np.arange(0, count, joined))


def _restored(header: npt.NDArray[np.void], stored: npt.NDArray[np.void], flags: int, starts: Ints) -> Cells:
    """Cells of equal blocks, one block a row; those that begin at ``starts``, joined with those up to the next."""
    count = stored.shape[1]
    ends = np.append(starts[1:], count) - 1
    cells = np.empty((len(stored), len(starts)), CELL)
    cells["points"] = CELL_POINTS * (ends - starts + 1)
    cells["points"][:, -1] = header["points"] - CELL_POINTS * starts[-1]
    if flags & _Flag.REGULAR_STEPS:
        cells["first_step"] = header["first_step"][:, None] + header["stride"][:, None] * (CELL_POINTS * starts)
        cells["last_step"] = cells["first_step"] + header["stride"][:, None] * (cells["points"] - 1)
    for name in stored.dtype.names or ():
        if name.startswith("first"):
            cells[name] = stored[name][:, starts]
        elif name.startswith("last"):
            cells[name] = stored[name][:, ends]
        elif name != "infinities":
            with np.errstate(over="ignore", invalid="ignore"):  # sums may leave the range of doubles
                cells[name] = _JOIN[name].reduceat(stored[name], starts, axis=1, dtype=CELL[name])
    if flags & _Flag.SHORT_TIMES:
        cells["first_timestamp"] += header["timestamp"][:, None]
        cells["last_timestamp"] += header["timestamp"][:, None]
    if flags & _Flag.ALL_FINITE:
        cells["nans"] = 0
        cells["finite"] = cells["points"]
    else:
        infinities = np.add.reduceat(stored["infinities"], starts, axis=1, dtype=np.int64)
        cells["finite"] = cells["points"] - cells["nans"] - infinities
    return cells
