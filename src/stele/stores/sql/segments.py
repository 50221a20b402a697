"""How metric points are packed into bytes.

A record is 28 bytes, little-endian: key number u32, step i64, timestamp i64 (milliseconds since 1970), value f64.
Records of one run simply follow each other, so any number of ingest rows is one array. Every NaN is written as the
same NaN, so that equal points have equal bytes; infinities are kept.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["POINT", "Points", "canonical_order", "distinct", "pack", "unpack"]

POINT = np.dtype([("key", "<u4"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8")])
"""One record."""

Points = npt.NDArray[np.void]
"""Records, one after the other."""

_RECORD = struct.Struct("<Iqqd")


def pack(points: Iterable[tuple[int, int, int, float]]) -> bytes:
    """The bytes of (key number, step, timestamp, value) tuples."""
    record = _RECORD.pack
    return b"".join(
        [record(key, step, timestamp, math.nan if value != value else value) for key, step, timestamp, value in points]
    )


def unpack(chunks: Iterable[bytes]) -> Points:
    """The records in any number of packed pieces, in their order."""
    return np.frombuffer(b"".join(chunks), dtype=POINT)


def comparable(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The values with NaN as 0, as MLflow compares them."""
    return np.where(np.isnan(values), 0.0, values)


def canonical_order(points: Points, first: str = "step", second: str = "timestamp") -> Points:
    """The points sorted by key, then by two columns, then by value; a NaN stands behind the 0 it counts as."""
    values = points["value"]
    order = np.lexsort((np.isnan(values), comparable(values), points[second], points[first], points["key"]))
    return points[order]


def distinct(points: Points) -> Points:
    """Sorted points without exact repetitions of one: a point that was sent twice is stored once."""
    if len(points) < 2:
        return points
    records = np.frombuffer(points.tobytes(), dtype=np.dtype((np.void, POINT.itemsize)))
    keep = np.ones(len(points), dtype=bool)
    keep[1:] = records[1:] != records[:-1]
    return points[keep]
