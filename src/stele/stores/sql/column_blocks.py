"""Blocks: up to 32 768 points of one key or of many, compressed column by column.

A block is, little-endian::

    version u8   2
    codec u8     see column_codec.py
    flags u16    1: steps are a start and a stride, i64 each, instead of a column; bits 4 to 7: 0, or 1 more than the
                 number of digits behind the point of values that are kept as integers
    points u32
    keys u32     1 for a block of one key, whose number stands in the row
    steps u32    bytes of the steps
    times u32    bytes of the timestamps
    check u32    CRC-32 of all that follows
    [key u32 ... count u32 ...]   when keys is not 1
    steps, timestamps, values

The points are sorted by key, then in canonical order, each once. Versions are read for ever; what changes gets a new
one. Version 1 had up to 8192 points, and no integers for values.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stele.stores.sql import column_codec
from stele.stores.sql.column_codec import Corrupt
from stele.stores.sql.decimals import as_decimals
from stele.stores.sql.points import Ints, Points

__all__ = ["BLOCK_POINTS", "SEALED_POINTS", "Block", "decode_keys", "decode_points", "encode_block"]

BLOCK_POINTS = 8_192
"""Points of a block that is shared by keys, and fewest of one that is sealed: enough to compress well, few enough to
decode one quickly."""

SEALED_POINTS = 4 * BLOCK_POINTS
"""Most points of a sealed block: what every block costs, among it half a page of the database, is worth many points."""

_VERSION = 2
_VERSIONS = (1, 2)
_HEADER = struct.Struct("<BBHIIIII")
_REGULAR_STEPS = 1
_STRIDE = struct.Struct("<qq")
_DIGITS_SHIFT, _DIGITS_MASK = 4, 0xF
_PLACES = np.arange(SEALED_POINTS, dtype=np.int64)


class Block(NamedTuple):
    """The header of a block."""

    codec: int
    flags: int
    points: int
    keys: int
    steps_bytes: int
    times_bytes: int


def encode_block(keys: Ints, counts: Ints, points: Points, codec: int | None = None) -> bytes:
    """The block of the points of some keys.

    Args:
        keys: Key numbers, ascending.
        counts: How many points each has; none has 0.
        points: The points of the first key, then those of the next, each sorted and distinct.
        codec: See :mod:`~stele.stores.sql.column_codec`; the best one of this machine by default.
    """
    codec = column_codec.preferred() if codec is None else codec
    flags, steps = 0, b""
    if len(keys) == 1 and (stride := _stride(points.steps)) is not None:
        flags, steps = _REGULAR_STEPS, _STRIDE.pack(int(points.steps[0]), stride)
    else:
        steps = column_codec.encode(points.steps, codec, rising=True)
    times = column_codec.encode(points.timestamps, codec, rising=True)
    values: npt.NDArray[Any] = points.values
    if (decimals := as_decimals(values)) is not None:
        flags |= (decimals.digits + 1) << _DIGITS_SHIFT
        values = decimals.integers
    table = np.concatenate([keys, counts]).astype("<u4").tobytes() if len(keys) > 1 else b""
    body = b"".join((table, steps, times, column_codec.encode(values, codec)))
    check = zlib.crc32(body)
    return _HEADER.pack(_VERSION, codec, flags, len(points), len(keys), len(steps), len(times), check) + body


def decode_points(data: bytes, out: Points) -> None:
    """Fill ``out`` with the points of a block, whatever their keys.

    Raises:
        Corrupt: The bytes are no block of as many points as ``out`` holds.
        MissingDependency: They were written with a library that is not installed here.
    """
    block, body = _opened(data)
    if block.points != len(out) or block.points > SEALED_POINTS:
        raise Corrupt(f"{block.points} points where {len(out)} belong")
    start = 8 * block.keys if block.keys > 1 else 0
    times = start + block.steps_bytes
    values = times + block.times_bytes
    if block.flags & _REGULAR_STEPS:
        if block.steps_bytes != _STRIDE.size:
            raise Corrupt("no start and stride of the steps")
        first, stride = _STRIDE.unpack(body[start:times])
        np.multiply(_PLACES[: len(out)], np.int64(stride), out=out.steps)
        np.add(out.steps, np.int64(first), out=out.steps)
    else:
        column_codec.decode(body[start:times], block.codec, out.steps)
    column_codec.decode(body[times:values], block.codec, out.timestamps)
    digits = (block.flags >> _DIGITS_SHIFT & _DIGITS_MASK) - 1
    if digits < 0:
        column_codec.decode(body[values:], block.codec, out.values)
        return
    integers = np.empty(len(out), np.int64)
    column_codec.decode(body[values:], block.codec, integers)
    np.divide(integers, 10.0**digits, out=out.values)


def decode_keys(data: bytes) -> tuple[Ints, Ints]:
    """The key numbers of a block of many keys, and how many points each has.

    Raises:
        Corrupt: The bytes are no such block.
    """
    block, body = _opened(data)
    if block.keys < 2:
        raise Corrupt("a block of one key where one of many belongs")
    table = np.frombuffer(body[: 8 * block.keys], "<u4").reshape(2, -1).astype(np.int64)
    if int(table[1].sum()) != block.points:
        raise Corrupt("the keys do not add up")
    return table[0], table[1]


def _opened(data: bytes) -> tuple[Block, memoryview]:
    if len(data) < _HEADER.size:
        raise Corrupt(f"{len(data)} bytes are no block")
    version, *fields, check = _HEADER.unpack_from(data)
    if version not in _VERSIONS:
        raise Corrupt(f"unknown version {version}")
    body = memoryview(data)[_HEADER.size :]
    if zlib.crc32(body) != check:
        raise Corrupt("the checksum does not match")
    return Block(*fields), body


def _stride(steps: Ints) -> int | None:
    """The distance of the steps when it is always the same; differences wrap around, as the sums will."""
    if len(steps) == 1:
        return 0
    strides = np.diff(steps)
    return int(strides[0]) if (strides == strides[0]).all() else None
