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


def unpack_cells(summaries: Sequence[bytes]) -> tuple[Cells, Ints]:
    """The cells of blocks, one block after the other, and how many each block has.

    Raises:
        Corrupt: Bytes that :func:`pack_cells` did not make.
    """
    counts = np.array([_checked_cells(each) for each in summaries], np.int64)
    ends = np.cumsum(counts)
    cells = np.empty(int(ends[-1]) if len(ends) else 0, CELL)
    # Blocks of one layout and length are read at once.
    alike: dict[tuple[int, int], list[int]] = {}
    for place, each in enumerate(summaries):
        alike.setdefault((each[1], len(each)), []).append(place)
    for (flags, _), places in alike.items():
        count = int(counts[places[0]])
        block = np.dtype([("header", _HEADER), ("cells", _layout(flags), (count,))])
        stored = np.frombuffer(b"".join([summaries[place] for place in places]), block)
        targets = (ends[places] - count)[:, None] + np.arange(count)
        cells[targets] = _restored(stored["header"], stored["cells"], flags)
    return cells, counts


def _checked_cells(summary: bytes) -> int:
    """How many cells there are."""
    if len(summary) < _HEADER.itemsize or summary[0] != _VERSION or summary[1] > sum(_Flag):
        raise Corrupt("the summary is of an unknown kind")
    points = int.from_bytes(summary[4:8], "little")
    count = -(-points // CELL_POINTS)
    if not count or len(summary) != _HEADER.itemsize + count * _layout(summary[1]).itemsize:
        raise Corrupt("the summary has a wrong length")
    return count


def _restored(header: npt.NDArray[np.void], stored: npt.NDArray[np.void], flags: int) -> Cells:
    """Cells of equal blocks, one block a row."""
    cells = np.empty(stored.shape, CELL)
    starts = np.arange(stored.shape[1]) * CELL_POINTS
    cells["points"] = CELL_POINTS
    cells["points"][:, -1] = header["points"] - starts[-1]
    if flags & _Flag.REGULAR_STEPS:
        cells["first_step"] = header["first_step"][:, None] + header["stride"][:, None] * starts
        cells["last_step"] = cells["first_step"] + header["stride"][:, None] * (cells["points"] - 1)
    for name in stored.dtype.names or ():
        if name != "infinities":
            cells[name] = stored[name]
    if flags & _Flag.SHORT_TIMES:
        cells["first_timestamp"] += header["timestamp"][:, None]
        cells["last_timestamp"] += header["timestamp"][:, None]
    if flags & _Flag.ALL_FINITE:
        cells["nans"] = 0
        cells["finite"] = cells["points"]
    else:
        cells["finite"] = cells["points"] - stored["nans"] - stored["infinities"]
    return cells
