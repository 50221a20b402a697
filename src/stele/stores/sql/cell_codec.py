"""The cells of a sealed segment as bytes: ``segments.summary``.

A block of one key is cut into cells of 256 points, the last one may be shorter. The bytes are read with every chart, by
the thousand at once, so they are not compressed but made of the narrowest columns that hold them exactly::

    version u8   2
    flags u8     which columns there are, see _Flag
    digits u8    behind the point of values that are kept as integers
    unused u8
    points u32   of the block
    first_step i64, stride i64     of regular steps
    timestamp i64                  of the first point
    cells, one after the other, see _layout

Version 1 knew the first four flags only.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from stele.stores.sql.cells import CELL, CELL_POINTS, Cells, concatenated_cells, grouped
from stele.stores.sql.column_codec import Corrupt
from stele.stores.sql.decimals import Decimals, as_decimals
from stele.stores.sql.points import Ints, Points

__all__ = ["pack_cells", "unpack_cells"]

_VERSION = 2
_FLAGS_OF = {1: 0x0F, 2: 0x7F}
"""The flags that each version knows."""
_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("flags", "u1"),
        ("digits", "u1"),
        ("unused", "u1"),
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
    DECIMAL_VALUES = 16
    """min, max, first and last are 32-bit integers, divided by a power of ten."""
    SMALL_INTEGERS = 32
    """Such integers have 16 bits."""
    SHORT_CELLS = 64
    """The last timestamp of a cell is a 16-bit distance from its first."""


_JOIN = {"min": np.fmin, "max": np.fmax, "sum": np.add, "nans": np.add}


@cache
def _layout(flags: int) -> np.dtype[np.void]:
    """One stored cell."""
    fields: list[tuple[str, str]] = []
    if not flags & _Flag.REGULAR_STEPS:
        fields += [("first_step", "<i8"), ("last_step", "<i8")]
    time = "<u4" if flags & _Flag.SHORT_TIMES else "<i8"
    fields += [("first_timestamp", time), ("last_timestamp", "<u2" if flags & _Flag.SHORT_CELLS else time)]
    fields += [(name, _kind_of_values(flags)) for name in _VALUES]
    fields += [("sum", "<f8")]
    if not flags & _Flag.ALL_FINITE:
        fields += [("nans", "<u2"), ("infinities", "<u2")]
    return np.dtype(fields)


def _kind_of_values(flags: int) -> str:
    if flags & _Flag.DECIMAL_VALUES:
        return "<i2" if flags & _Flag.SMALL_INTEGERS else "<i4"
    return "<f4" if flags & _Flag.SINGLE_VALUES else "<f8"


def pack_cells(points: Points) -> bytes:
    """The cells of a block of one key.

    Args:
        points: At least one, sorted and distinct.
    """
    cells = grouped(points, CELL_POINTS)
    stride = int(np.diff(points.steps[:2]).sum())  # of arrays, which wrap round without a warning; 0 for one point
    origin = points.timestamps[0]
    decimals = _small_decimals(cells)
    digits, values = 0, {name: cells[name] for name in _VALUES}
    if decimals is not None:
        digits = decimals.digits
        values = dict(zip(_VALUES, decimals.integers.reshape(len(_VALUES), -1), strict=True))
    flags = _flags_of(cells, decimals, origin)
    if (np.diff(points.steps) == stride).all():
        flags |= _Flag.REGULAR_STEPS
    header = np.array((_VERSION, flags, digits, 0, len(points), points.steps[0], stride, origin), _HEADER)
    stored = np.empty(len(cells), _layout(flags))
    for name in stored.dtype.names or ():
        stored[name] = values[name] if name in values else _stored(cells, name, flags, origin)
    return header.tobytes() + stored.tobytes()


def _flags_of(cells: Cells, decimals: Decimals | None, origin: np.int64) -> int:
    """How the columns of cells can be kept, all but their steps."""
    flags = 0
    # Both ends of each cell: between them time may run as it likes.
    times = np.concatenate([cells["first_timestamp"], cells["last_timestamp"]])
    if times.min() >= origin and float(times.max()) - float(origin) < 2**32:
        flags |= _Flag.SHORT_TIMES
    lengths = cells["last_timestamp"].astype(np.float64) - cells["first_timestamp"]
    if lengths.min() >= 0 and lengths.max() < 2**16:
        flags |= _Flag.SHORT_CELLS
    if decimals is not None:
        flags |= _Flag.DECIMAL_VALUES
        if np.abs(decimals.integers).max() < 2**15:
            flags |= _Flag.SMALL_INTEGERS
    elif all(_is_single(cells[name]) for name in _VALUES):
        flags |= _Flag.SINGLE_VALUES
    if (cells["finite"] == cells["points"]).all():
        flags |= _Flag.ALL_FINITE
    return flags


def _stored(cells: Cells, name: str, flags: int, origin: np.int64) -> npt.NDArray[Any]:
    """A column of cells, but their values, as it is kept."""
    column: npt.NDArray[Any] = (
        cells[name] if name != "infinities" else cells["points"] - cells["finite"] - cells["nans"]
    )
    if name == "last_timestamp" and flags & _Flag.SHORT_CELLS:
        column = column - cells["first_timestamp"]
    elif name.endswith("timestamp") and flags & _Flag.SHORT_TIMES:
        column = column - origin
    return column


def _small_decimals(cells: Cells) -> Decimals | None:
    """All values of the cells, column by column, where integers of 32 bits hold them."""
    decimals = as_decimals(np.concatenate([cells[name] for name in _VALUES]))
    return decimals if decimals is not None and np.abs(decimals.integers).max() < 2**31 else None


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
        alike.setdefault((len(each), each[:3]), []).append(place)
    counts = np.empty(len(summaries), np.int64)
    groups: list[Cells] = []
    for (size, kind), places in alike.items():
        groups.append(_group([summaries[place] for place in places], size, kind, joined))
        counts[places] = groups[-1].shape[1]
    if not groups:
        return np.empty(0, CELL), counts
    if len(groups) == 1:
        return groups[0].reshape(-1), counts
    cells = concatenated_cells([group.reshape(-1) for group in groups])
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
    if size < _HEADER.itemsize or kind[1] & ~_FLAGS_OF.get(kind[0], 0) or kind[0] not in _FLAGS_OF:
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
        if name != "infinities":
            cells[name] = _joined(stored[name], name, starts, ends)
    if flags & _Flag.DECIMAL_VALUES:
        for name in _VALUES:
            cells[name] /= 10.0 ** int(header["digits"][0])
    if flags & _Flag.SHORT_CELLS:
        cells["last_timestamp"] += stored["first_timestamp"][:, ends]
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


def _joined(stored: npt.NDArray[Any], name: str, starts: Ints, ends: Ints) -> npt.NDArray[Any]:
    """A column of cells that begin at ``starts`` and end at ``ends``."""
    if name.startswith("first"):
        return stored[:, starts]
    if name.startswith("last"):
        return stored[:, ends]
    with np.errstate(over="ignore", invalid="ignore"):  # sums may leave the range of doubles
        result: npt.NDArray[Any] = _JOIN[name].reduceat(stored, starts, axis=1, dtype=CELL[name])
    return result
