"""The compact binary form of series, ``application/vnd.stele.series``: columns that are read where they lie.

``docs/reference/series-format.md`` is its published description: the 8 bytes ``STELSER1``, the length of the header as
a little-endian u32, four zero bytes, the header as JSON with spaces up to a multiple of 8, and the columns, each a run
of little-endian 64-bit numbers. The header has the fields of the JSON form, but for each column its type, its number of
items, and the byte at which it starts, counted from the end of the header.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import Any

import msgspec
from msgspec import Struct

from stele.errors import InvalidParameterValue
from stele.schema.columns import ITEM_BYTES, Column, Doubles, Integers
from stele.schema.series import BucketSeries, GetSeriesResponse, PointSeries, Series

__all__ = ["MEDIA_TYPE", "decode_series", "encode_series"]

MEDIA_TYPE = "application/vnd.stele.series"

_MAGIC = b"STELSER1"
_START = struct.Struct("<8sII")
_TYPES: dict[str, type[Column]] = {"int64": Integers, "float64": Doubles}
_NAMES = {cls: name for name, cls in _TYPES.items()}
_FORMS: dict[str, type[Series]] = {"points": PointSeries, "buckets": BucketSeries}


class _Place(Struct):
    """Where a column lies: ``at`` counts bytes from the end of the header."""

    type: str
    at: int
    length: int


class _Header(Struct):
    series: list[dict[str, Any]]
    next_page_token: str = ""


def encode_series(response: GetSeriesResponse) -> bytes:
    """The bytes of an answer."""
    columns: list[Column] = []
    at = 0
    header = _Header([], response.next_page_token)
    for series in response.series:
        entry: dict[str, Any] = {"form": series.__struct_config__.tag}
        for name in series.__struct_fields__:
            value = getattr(series, name)
            if isinstance(value, Column):
                columns.append(value)
                entry[name] = _Place(_NAMES[type(value)], at, len(value))
                at += len(value) * ITEM_BYTES
            else:
                entry[name] = value
        header.series.append(entry)
    text = msgspec.json.encode(header)
    padding = b" " * (-len(text) % ITEM_BYTES)
    start = _START.pack(_MAGIC, len(text) + len(padding), 0)
    return b"".join([start, text, padding, *map(_little_endian, columns)])


def decode_series(body: bytes) -> GetSeriesResponse:
    """The inverse of :func:`encode_series`; the columns are views of ``body``.

    Raises:
        InvalidParameterValue: The bytes are no such answer.
    """
    try:
        end = _header_end(body)
        header = msgspec.json.decode(body[_START.size : end], type=_Header)
        view = memoryview(body)[end:]
        series = [_series(entry, view) for entry in header.series]
    except (struct.error, msgspec.MsgspecError, ValueError, TypeError, LookupError) as e:
        raise InvalidParameterValue(f"The body is not {MEDIA_TYPE}: {e}.") from e
    return GetSeriesResponse(series=series, next_page_token=header.next_page_token)


def _header_end(body: bytes) -> int:
    magic, length, _ = _START.unpack_from(body)
    if magic != _MAGIC:
        raise ValueError(f"it starts with {magic!r}")
    return int(_START.size + length)


def _series(entry: dict[str, Any], view: memoryview) -> Series:
    form = _FORMS[entry.pop("form")]
    fields = {name: _column(value, view) if isinstance(value, dict) else value for name, value in entry.items()}
    return msgspec.convert(fields, form)


def _column(value: dict[str, Any], view: memoryview) -> Column:
    place = msgspec.convert(value, _Place)
    end = place.at + place.length * ITEM_BYTES
    if place.at < 0 or place.length < 0 or end > len(view):
        raise ValueError(f"a column at {place.at} with {place.length} items lies outside of {len(view)} bytes")
    return _TYPES[place.type](_native(view[place.at : end], _TYPES[place.type].code))


def _little_endian(column: Column) -> Any:
    return _native(column.data, column.code)


def _native(data: memoryview, code: str) -> Any:
    """The numbers in the other byte order where this machine is not little-endian; the swap is its own inverse."""
    if sys.byteorder == "little":
        return data
    swapped = array(code, data.tobytes())
    swapped.byteswap()
    return swapped
