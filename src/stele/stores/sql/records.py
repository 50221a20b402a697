"""How the ingest log packs metric points into bytes.

A record is 28 bytes, little-endian: key number u32, step i64, timestamp i64 (milliseconds since 1970), value f64.
Records of one run simply follow each other, so any number of ingest rows is one array. Every NaN is written as the
same NaN, see :mod:`~stele.stores.sql.points`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from stele.stores.sql.points import canonical_values

__all__ = ["RECORD", "Records", "pack", "unpack"]

RECORD = np.dtype([("key", "<u4"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8")])
"""One record."""

Records = npt.NDArray[np.void]
"""Records, one after the other."""


def pack(
    keys: npt.ArrayLike, steps: npt.ArrayLike, timestamps: npt.ArrayLike, values: npt.ArrayLike, count: int
) -> bytes:
    """The bytes of ``count`` points in columns; a column may be one number for all of them.

    Args:
        keys: Key numbers.
        steps: 64-bit integers.
        timestamps: Milliseconds since 1970.
        values: Doubles.
        count: How many points there are.
    """
    records = np.empty(count, RECORD)
    records["key"] = keys
    records["step"] = steps
    records["timestamp"] = timestamps
    records["value"] = canonical_values(values)
    return records.tobytes()


def unpack(chunks: Iterable[bytes]) -> Records:
    """The records in any number of packed pieces, in their order."""
    return np.frombuffer(b"".join(chunks), dtype=RECORD)
