"""Predictions as answers: taken apart among the requests that were predicted together, and written as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stele.models.json_values import frame_rows, json_value

__all__ = ["answer", "row_count", "split_result"]


def answer(result: Any, *, wrapped: bool = True) -> bytes:
    """The body of an answer.

    Args:
        result: What the model returned: a data frame becomes a list of objects, an array nested lists, anything else
            JSON as it is. NaN and infinities become ``null``.
        wrapped: False for a chat model, whose answer is the body.
    """
    content = _records(result) if _is_frame(result) else json_value(result)
    return msgspec.json.encode({"predictions": content} if wrapped else content)


def _is_frame(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "columns")


def _records(frame: Any) -> list[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame_rows(frame)]


def row_count(data: Any) -> int | None:
    """How many rows a model's input or result has; None when it has no rows."""
    shape = getattr(data, "shape", None)
    if isinstance(shape, tuple):
        return int(shape[0]) if shape else None
    return len(data) if isinstance(data, list) else None


def split_result(result: Any, counts: Sequence[int]) -> list[Any] | None:
    """The parts of a result that belong to the requests, given the number of rows of each.

    Returns:
        None when the result does not have a row for each row of the input.
    """
    if row_count(result) != sum(counts):
        return None
    parts: list[Any] = []
    start = 0
    rows = result.iloc if hasattr(result, "iloc") else result
    for count in counts:
        parts.append(rows[start : start + count])
        start += count
    return parts
