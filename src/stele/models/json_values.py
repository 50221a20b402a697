"""Values of models as JSON: what a prediction returns, what an input example holds.

Numbers of numpy become Python's, NaN and infinities ``null`` (JSON has neither), bytes base64, times ISO 8601.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import sys
import uuid
from collections.abc import Mapping
from typing import Any

from stele.errors import InvalidParameterValue, shown

__all__ = ["frame_rows", "json_value"]

_PLAIN = (str, bool, int, type(None))
_TIMES = (datetime.datetime, datetime.date, datetime.time)


def json_value(value: Any) -> Any:
    """A value that a JSON encoder takes as it is.

    Args:
        value: Scalars, numpy arrays and scalars, data frames and series (columns become lists), sparse matrices, dicts,
            sequences, pydantic models, bytes, times, nested in any way.

    Raises:
        InvalidParameterValue: There is no JSON for a value of this type.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None  # numpy's doubles are floats, too
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, _TIMES):
        return value.isoformat()
    return _foreign(value)


def _foreign(value: Any) -> Any:
    """Types of libraries, which can only be met when something has imported them."""
    if isinstance(value, decimal.Decimal):
        return json_value(float(value))
    if isinstance(value, uuid.UUID):
        return str(value)
    for library, convert in (("pandas", _from_pandas), ("numpy", _from_numpy)):
        if library in sys.modules and (converted := convert(value, sys.modules[library])) is not value:
            return converted
    if hasattr(value, "todense"):  # scipy's sparse matrices
        return json_value(value.toarray())
    if hasattr(value, "model_dump"):  # pydantic
        return json_value(value.model_dump())
    if hasattr(value, "detach"):  # a tensor of PyTorch
        return _array(value.detach().cpu().numpy())
    raise InvalidParameterValue(f"A value of type {type(value).__name__} cannot be written as JSON: {shown(value)}.")


def _from_pandas(value: Any, pandas: Any) -> Any:
    """The JSON of what is pandas'; anything else comes back as it is."""
    if isinstance(value, pandas.DataFrame):
        return {str(name): _column(value[name]) for name in value.columns}
    if isinstance(value, pandas.Series | pandas.Index | pandas.api.extensions.ExtensionArray):
        return _column(value)
    return None if value is pandas.NaT or value is pandas.NA else value


def _from_numpy(value: Any, numpy: Any) -> Any:
    """The JSON of what is numpy's; anything else comes back as it is."""
    if isinstance(value, numpy.ndarray):
        return _array(value)
    if isinstance(value, numpy.datetime64 | numpy.timedelta64):
        return None if numpy.isnat(value) else str(value)
    return json_value(value.item()) if isinstance(value, numpy.generic) else value


def _array(array: Any) -> Any:
    kind = array.dtype.kind
    if kind in "biu" or (kind == "f" and _all_finite(array)):
        return array.tolist()
    if kind == "M":
        return json_value(array.astype("datetime64[us]").tolist())
    return json_value(array.tolist())


def _all_finite(array: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(array).all())


def _column(values: Any) -> list[Any]:
    """One column, missing values as None."""
    dtype = values.dtype
    kind = getattr(dtype, "kind", "O")
    if type(dtype).__module__.startswith("numpy") and kind in "biuf":
        plain: list[Any] = _array(values.to_numpy())
        return plain
    return [json_value(item) for item in values.tolist()]


def frame_rows(frame: Any) -> list[list[Any]]:
    """The rows of a data frame, each a list in the order of its columns."""
    columns = [_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(len(frame))]
