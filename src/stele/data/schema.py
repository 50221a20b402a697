"""Names and types of columns and arrays, in MLflow's JSON forms ``mlflow_colspec`` and ``mlflow_tensorspec``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

__all__ = ["ColumnSpec", "Schema", "TensorDatasetSchema", "TensorSpec", "column_type", "infer_columns", "infer_tensors"]

_MAX_ROWS_FOR_MISSING = 1_000_000
_MAX_VALUES_FOR_TYPE = 1_000

JsonType = str | dict[str, Any]


class ColumnSpec(Struct, frozen=True):
    """A column: ``type`` is a name such as ``long`` or the description of a nested type."""

    type: JsonType
    name: str | None = None
    required: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The column as it stands in the JSON text."""
        nested = self.type if isinstance(self.type, dict) else {"type": self.type}
        name = {} if self.name is None else {"name": self.name}
        return {**nested, **name, "required": self.required}


class TensorSpec(Struct, frozen=True):
    """An array: ``dtype`` as numpy names it, ``shape`` with -1 for the number of rows."""

    dtype: str
    shape: tuple[int, ...]
    name: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The array as it stands in the JSON text."""
        name = {} if self.name is None else {"name": self.name}
        return {**name, "type": "tensor", "tensor-spec": {"dtype": self.dtype, "shape": list(self.shape)}}


class Schema(Struct, frozen=True):
    """The columns of a table."""

    inputs: list[ColumnSpec]

    def to_dict(self) -> dict[str, Any]:
        """The form that a dataset stores."""
        return {"mlflow_colspec": [column.to_dict() for column in self.inputs]}


class TensorDatasetSchema(Struct, frozen=True):
    """The arrays of features and targets."""

    features: list[TensorSpec]
    targets: list[TensorSpec] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The form that a dataset stores: both lists are JSON texts inside the JSON."""
        return {"mlflow_tensorspec": {"features": _text(self.features), "targets": _text(self.targets)}}


def _text(specs: list[TensorSpec] | None) -> str | None:
    # With the spaces that MLflow writes: a description is compared as text.
    return None if specs is None else json.dumps([spec.to_dict() for spec in specs])


def infer_columns(frame: Any) -> Schema:
    """The schema of a pandas frame. Of a long one the first million rows tell whether values are missing.

    Args:
        frame: A data frame.
    """
    import numpy as np

    head = frame.iloc[:_MAX_ROWS_FOR_MISSING]
    columns = []
    for position, name in enumerate(frame.columns):
        column = head.iloc[:, position]
        complete = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biu"
        missing = not complete and bool(column.isna().any())
        kind: JsonType | None = _dtype_type(column.dtype)
        if kind is None:
            kind = _value_type(column[column.notna()].iloc[:_MAX_VALUES_FOR_TYPE].tolist())
        columns.append(ColumnSpec(kind, str(name), not missing))
    return Schema(columns)


def _dtype_type(dtype: Any) -> str | None:
    """The type of a column whose dtype says it all; None when the values must be looked at."""
    kind, size = dtype.kind, getattr(dtype, "itemsize", 8)
    if kind == "b":
        return "boolean"
    if kind == "i":
        return "long" if size > 4 else "integer"
    if kind == "u":
        return "long" if size > 2 else "integer"
    if kind == "f":
        return "double" if size > 4 else "float"
    if kind == "M":
        return "datetime"
    return "string" if getattr(dtype, "name", "").startswith("str") else None


def column_type(value: Any) -> JsonType:
    """The type of one value."""
    if isinstance(value, bool) or (
        hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0 and value.dtype.kind == "b"
    ):
        return "boolean"
    if isinstance(value, dict):
        properties = {str(key): _property(item) for key, item in value.items()}
        return {"type": "object", "properties": properties}
    if isinstance(value, (list, tuple, set)) or getattr(value, "ndim", 0) > 0:
        items = _value_type(list(value)[:_MAX_VALUES_FOR_TYPE])
        return {"type": "array", "items": items if isinstance(items, dict) else {"type": items}}
    if hasattr(value, "dtype"):
        return _dtype_type(value.dtype) or "any"
    for classes, name in (((int,), "long"), ((float,), "double"), ((str,), "string"), ((bytes, bytearray), "binary")):
        if isinstance(value, classes):
            return name
    return "datetime" if hasattr(value, "isoformat") else "any"


def _property(value: Any) -> dict[str, Any]:
    kind = column_type(value)
    return {**(kind if isinstance(kind, dict) else {"type": kind}), "required": value is not None}


def _value_type(values: Iterable[Any]) -> JsonType:
    """The type that all values share, ``any`` when there is none."""
    kinds: list[JsonType] = []
    for value in values:
        kind = column_type(value)
        if kind not in kinds:
            kinds.append(kind)
    return kinds[0] if len(kinds) == 1 else "any"


def infer_tensors(arrays: Any) -> list[TensorSpec]:
    """The specs of an array, or of the arrays in a dictionary; the first axis counts rows."""
    if isinstance(arrays, dict):
        return [_tensor(array, str(name)) for name, array in arrays.items()]
    return [_tensor(arrays, None)]


def _tensor(array: Any, name: str | None) -> TensorSpec:
    import numpy as np

    array = np.asarray(array)
    dtype = "str" if array.dtype.kind == "U" else array.dtype.name
    return TensorSpec(dtype, (-1, *array.shape[1:]), name)
