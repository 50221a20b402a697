"""Tables as JSON files of the form ``{"columns": [...], "data": [[...], ...]}``, MLflow's layout for ``log_table``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from stele.client.images import Image
from stele.errors import InvalidParameterValue, shown

__all__ = ["append", "from_bytes", "from_data", "plain", "to_bytes"]

Columns = dict[str, list[Any]]


def from_data(data: Any, keep_image: Callable[[Image], dict[str, str]]) -> Columns:
    """Columns with their values as JSON knows them.

    Args:
        data: Lists, or one value each, by column name; or a data frame of pandas or polars.
        keep_image: Stores a picture and returns what stands for it in the cell.

    Raises:
        InvalidParameterValue: It is no table, or its columns have different lengths.
    """
    if isinstance(data, Mapping):
        columns = {str(name): _as_list(value) for name, value in data.items()}
    elif hasattr(data, "columns") and hasattr(data, "__getitem__"):
        columns = {str(name): _as_list(data[name]) for name in data.columns}
    else:
        raise InvalidParameterValue(f"{shown(data)} is no table. Give a dictionary of columns or a data frame.")
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise InvalidParameterValue(
            f"The columns of a table must have the same length, not {', '.join(map(str, sorted(lengths)))}."
        )
    return {
        name: [keep_image(value) if isinstance(value, Image) else plain(value) for value in values]
        for name, values in columns.items()
    }


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if hasattr(value, "to_list"):  # a series of pandas or polars
        return list(value.to_list()) if not isinstance(value, Image) else [value]
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:
        return list(value.tolist())
    return [value]


def plain(value: Any) -> Any:
    """A value as JSON knows it: arrays as lists, times as ISO texts, NaN as None, the unknown as its text."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat() if value == value else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


def append(table: Columns, more: Columns) -> Columns:
    """The rows of both; a column that one of them lacks is filled with None."""
    rows, more_rows = _rows(table), _rows(more)
    return {
        name: table.get(name, [None] * rows) + more.get(name, [None] * more_rows)
        for name in dict.fromkeys((*table, *more))
    }


def _rows(table: Columns) -> int:
    return len(next(iter(table.values()), []))


def to_bytes(table: Columns) -> bytes:
    """The file of a table."""
    rows = [list(row) for row in zip(*table.values(), strict=True)]
    return msgspec.json.encode({"columns": list(table), "data": rows})


def from_bytes(content: bytes, path: str) -> Columns:
    """The table in a file.

    Args:
        content: The file.
        path: Its path, for messages.

    Raises:
        InvalidParameterValue: The file holds no table.
    """
    try:
        file = msgspec.json.decode(content, type=_File)
        columns = [list(values) for values in zip(*file.data, strict=True)] or [[] for _ in file.columns]
        return dict(zip(file.columns, columns, strict=True))
    except (msgspec.MsgspecError, ValueError) as e:
        raise InvalidParameterValue(f"{path} is no table that log_table wrote: {e}") from e


class _File(msgspec.Struct):
    columns: list[str]
    data: list[list[Any]]
