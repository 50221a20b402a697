"""How the ingest log packs metric points into bytes.

A row of the log is one of two things, both little-endian.

Records, 28 bytes each, that follow each other: key number u32, step i64, timestamp i64 (milliseconds since 1970),
value f64.

A grid, where some metrics have the same steps and timestamps, as those have that are logged together. It takes less
than half the room::

    mark u32     0, which is no key number, so no record begins with it
    keys u32     how many metrics
    steps u32    how many points each of them has
    zero u32
    step i64 ...  timestamp i64 ...    of all metrics
    value f64 ...                      of the first metric, then of the next
    key u32 ...

Every NaN is written as the same NaN, see :mod:`~stele.stores.sql.points`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stele.stores.sql.points import Floats, Ints, Points, canonical_values

__all__ = ["ROW_POINTS", "Grid", "Packed", "pack", "pack_grid", "unpack"]

ROW_POINTS = 65_536
"""Most points of one row of the log: under 2 MB, which every database takes in one statement."""

_RECORD = np.dtype([("key", "<u4"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8")])
_KEY = np.dtype("<u4")
_GRID = struct.Struct("<IIII")
_MARK = b"\0\0\0\0"


class Packed(NamedTuple):
    """What one row of the log holds."""

    points: int
    data: bytes


def pack(
    keys: npt.ArrayLike, steps: npt.ArrayLike, timestamps: npt.ArrayLike, values: npt.ArrayLike, count: int
) -> list[Packed]:
    """``count`` points in columns as records; a column may be one number for all of them.

    Args:
        keys: Key numbers.
        steps: 64-bit integers.
        timestamps: Milliseconds since 1970.
        values: Doubles.
        count: How many points there are.
    """
    records = np.empty(count, _RECORD)
    records["key"] = keys
    records["step"] = steps
    records["timestamp"] = timestamps
    records["value"] = canonical_values(values)
    parts = (records[start : start + ROW_POINTS] for start in range(0, count, ROW_POINTS))
    return [Packed(len(part), part.tobytes()) for part in parts]


def pack_grid(keys: Sequence[int], steps: Ints, timestamps: Ints, values: Floats) -> list[Packed]:
    """The points of metrics that have the same steps and timestamps.

    Args:
        keys: Key numbers, one for each metric.
        steps: Of every metric.
        timestamps: As many.
        values: Those of the first metric, then those of the next.
    """
    grid = canonical_values(values).reshape(len(keys), -1)
    high = min(len(keys), ROW_POINTS)
    wide = ROW_POINTS // high
    parts = [slice(left, left + wide) for left in range(0, len(steps), wide)]
    return [
        _grid(keys[top : top + high], steps[part], timestamps[part], grid[top : top + high, part])
        for top in range(0, len(keys), high)
        for part in parts
    ]


def _grid(keys: Sequence[int], steps: Ints, timestamps: Ints, values: Floats) -> Packed:
    head = _GRID.pack(0, len(keys), len(steps), 0)
    columns = steps.tobytes(), timestamps.tobytes(), values.tobytes(), np.array(keys, _KEY).tobytes()
    return Packed(values.size, b"".join((head, *columns)))


class Grid(NamedTuple):
    """Points of metrics that have the same steps and timestamps."""

    keys: Ints
    steps: Ints
    timestamps: Ints
    values: Floats
    """A row for each key."""


def unpack(rows: Iterable[bytes], key: int | None = None) -> tuple[list[Grid], Ints, Points]:
    """The points of rows of the log.

    Args:
        rows: Any number of them.
        key: Only the points of this metric; None stands for all.

    Returns:
        The grids, those of the same keys joined in their order; then the key of each record, and the points of records.
    """
    records: list[bytes] = []
    grids: dict[bytes, list[bytes]] = {}
    for row in rows:
        if row.startswith(_MARK):
            _, keys, _, _ = _GRID.unpack_from(row)
            grids.setdefault(row[-_KEY.itemsize * keys :], []).append(row)
        else:
            records.append(row)
    found = (_joined(np.frombuffer(keys, _KEY).astype(np.int64), same, key) for keys, same in grids.items())
    return [grid for grid in found if len(grid.keys)], *_of_records(b"".join(records), key)


def _of_records(data: bytes, key: int | None) -> tuple[Ints, Points]:
    records = np.frombuffer(data, _RECORD)
    if key is not None:
        records = records[records["key"] == key]
    columns = (np.ascontiguousarray(records[name]) for name in ("step", "timestamp", "value"))
    return records["key"].astype(np.int64), Points(*columns)


def _joined(keys: Ints, rows: Sequence[bytes], key: int | None) -> Grid:
    """The grid of rows that all have these keys."""
    wanted = slice(None) if key is None else keys == key
    times: list[Ints] = []
    values: list[Floats] = []
    for row in rows:
        _, _, length, _ = _GRID.unpack_from(row)
        times.append(np.frombuffer(row, "<i8", 2 * length, _GRID.size).reshape(2, length))
        grid = np.frombuffer(row, "<f8", len(keys) * length, _GRID.size + 16 * length).reshape(-1, length)
        values.append(grid[wanted])
    steps, timestamps = np.concatenate(times, axis=1)
    return Grid(keys[wanted], steps, timestamps, np.concatenate(values, axis=1))
