"""Series as an Arrow IPC stream: one record batch of one row per series, its columns as lists.

Every answer has the same schema, whatever forms its series have: what a series lacks is null.
"""

from __future__ import annotations

import io
import sys
from array import array
from typing import Any

from msgspec.structs import fields

from stele.errors import InvalidParameterValue
from stele.schema.columns import Column, Doubles, Integers
from stele.schema.series import BucketSeries, GetSeriesResponse, PointSeries, Series

__all__ = ["MEDIA_TYPE", "decode_arrow", "encode_arrow"]

MEDIA_TYPE = "application/vnd.apache.arrow.stream"

_FIELDS: dict[str, Any] = {field.name: field.type for form in (PointSeries, BucketSeries) for field in fields(form)}
_TIMES = ("origin", "timestamps")


def encode_arrow(response: GetSeriesResponse) -> bytes:
    """The stream of an answer; the token of the next page is metadata ``next_page_token`` of the schema."""
    # 16 ms that only a request for Arrow pays; it has no types.
    import nanoarrow as na  # type: ignore[import-untyped]
    from nanoarrow.c_array_stream import CArrayStream  # type: ignore[import-untyped]
    from nanoarrow.ipc import StreamWriter  # type: ignore[import-untyped]

    kinds = {name: _kind(na, name, cls) for name, cls in _FIELDS.items()}
    schema = na.struct({"form": na.string(), **kinds})
    schema = na.Schema(schema, metadata={"next_page_token": response.next_page_token})
    output = io.BytesIO()
    with StreamWriter.from_writable(output) as writer:
        writer.write_stream(CArrayStream.from_c_arrays([], na.c_schema(schema)))
        for series in response.series:
            children = [_text(na, series.__struct_config__.tag)]
            children += [_cell(na, kind, getattr(series, name, None)) for name, kind in kinds.items()]
            writer.write_array(na.c_array_from_buffers(schema, 1, [None], children=children), write_schema=False)
    return output.getvalue()


def decode_arrow(body: bytes) -> GetSeriesResponse:
    """The inverse of :func:`encode_arrow`.

    Raises:
        InvalidParameterValue: The bytes are no such stream.
    """
    import nanoarrow as na

    try:
        with na.ArrayStream.from_readable(body) as stream:
            names = [field.name for field in stream.schema.fields]
            token = na.c_schema(stream.schema).metadata[b"next_page_token"].decode()
            rows = [_row(names, na.c_array(batch).view()) for batch in stream.iter_chunks()]
        return GetSeriesResponse(series=[_series(row) for row in rows], next_page_token=token)
    except (RuntimeError, ValueError, TypeError, LookupError) as e:
        raise InvalidParameterValue(f"The body is not an Arrow stream of series: {e}.") from e


def _row(names: list[str], batch: Any) -> dict[str, Any]:
    """What a batch of one row says, nulls left out."""
    children = {name: batch.child(i) for i, name in enumerate(names)}
    row: dict[str, Any] = {}
    for name, child in children.items():
        if child.null_count:
            continue
        cls = _FIELDS.get(name, str)
        if cls is str:
            row[name] = bytes(child.buffer(2)).decode()
        elif cls is int:
            row[name] = int.from_bytes(bytes(child.buffer(1)), sys.byteorder, signed=True)
        else:
            row[name] = cls(bytes(child.child(0).buffer(1)))
    return row


def _series(row: dict[str, Any]) -> Series:
    forms: dict[str, type[Series]] = {"points": PointSeries, "buckets": BucketSeries}
    return forms[row.pop("form")](**row)


def _kind(na: Any, name: str, cls: Any) -> Any:
    number = na.timestamp("ms", "UTC") if name in _TIMES else na.float64() if cls is Doubles else na.int64()
    return na.list_(number) if cls in (Integers, Doubles) else na.string() if cls is str else number


def _cell(na: Any, kind: Any, value: Column | str | int | None) -> Any:
    """An array of one item."""
    if isinstance(value, str):
        return _text(na, value)
    if isinstance(value, int):
        return na.c_array_from_buffers(kind, 1, [None, array("q", [value])])
    length = 0 if value is None else len(value)
    items = na.c_array_from_buffers(na.Schema(kind).value_type, length, [None, b"" if value is None else value.data])
    validity, nulls = (b"\0", 1) if value is None else (None, 0)
    return na.c_array_from_buffers(kind, 1, [validity, array("i", [0, length])], nulls, children=[items])


def _text(na: Any, value: Any) -> Any:
    encoded = value.encode()
    return na.c_array_from_buffers(na.string(), 1, [None, array("i", [0, len(encoded)]), encoded])
