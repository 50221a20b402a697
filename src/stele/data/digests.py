"""Digests of data: the same content gives the same 16 hexadecimal digits on every machine, in bounded time.

Of large data a sample counts, with the shape: the first and last rows and some in between, at even distances.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

__all__ = ["SAMPLE_ROWS", "digest_of", "numpy_parts", "pandas_parts", "sample_rows"]

SAMPLE_ROWS = 10_000


def digest_of(parts: Iterable[bytes | str]) -> str:
    """The digest of a sequence of texts and bytes; where one ends and the next begins counts."""
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()


def sample_rows(count: int, limit: int = SAMPLE_ROWS) -> list[int]:
    """The numbers of the rows that count, ascending: all of them when there are at most ``limit``."""
    if count <= limit:
        return list(range(count))
    return sorted({round(i * (count - 1) / (limit - 1)) for i in range(limit)})


def pandas_parts(frame: Any) -> Iterable[bytes | str]:
    """What the digest of a pandas frame is made of: shape, names, types and values."""
    import pandas as pd

    yield f"{frame.shape}"
    sample = frame if len(frame) <= SAMPLE_ROWS else frame.iloc[sample_rows(len(frame))]
    for position, name in enumerate(frame.columns):
        column = sample.iloc[:, position]
        yield f"{name}"
        # Texts have another dtype since pandas 3.
        yield "object" if f"{column.dtype}" in ("str", "string") else f"{column.dtype}"
        try:
            yield pd.util.hash_pandas_object(column, index=False).to_numpy().astype("<u8").tobytes()
        except TypeError:  # lists and dictionaries in cells
            yield pd.util.hash_pandas_object(column.map(repr), index=False).to_numpy().astype("<u8").tobytes()


def numpy_parts(array: Any) -> Iterable[bytes | str]:
    """What the digest of an array is made of: shape, type and values."""
    import numpy as np

    array = np.asarray(array)
    yield f"{array.shape}"
    yield f"{array.dtype.newbyteorder('<') if array.dtype.kind not in 'OSUV' else array.dtype}"
    flat = array.reshape(-1)
    if flat.size > SAMPLE_ROWS * 100:
        flat = flat[sample_rows(flat.size, SAMPLE_ROWS * 100)]
    if array.dtype.kind == "O":
        yield repr(flat[:SAMPLE_ROWS].tolist())
    else:
        yield np.ascontiguousarray(flat.astype(array.dtype.newbyteorder("<"), copy=False)).tobytes()
