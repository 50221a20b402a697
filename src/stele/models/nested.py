"""Nested values against nested types: what stands in the cells of a column."""

from __future__ import annotations

from typing import Any

from stele.errors import InvalidParameterValue, shown
from stele.models.types import AnyType, Array, DataType, Map, Object

__all__ = ["checked_value"]

_KINDS = {
    DataType.boolean: "b",
    DataType.integer: "iu",
    DataType.long: "iu",
    DataType.float: "fiu",
    DataType.double: "fiu",
}


def checked_value(value: Any, kind: Any, path: str, required: bool = True) -> Any:
    """A value in a type; arrays are converted, other values stay as they are.

    Args:
        value: From a cell, or from within one.
        kind: The type that it must have.
        path: Where it stands, for messages.
        required: False lets None pass.

    Raises:
        InvalidParameterValue: It does not fit; the message says where.
    """
    if isinstance(kind, AnyType) or (value is None and not required):
        return value
    if isinstance(kind, Array):
        return _array(value, kind, path)
    if isinstance(kind, Object):
        return _object(value, kind, path)
    if isinstance(kind, Map):
        _need(isinstance(value, dict), value, kind, path)
        return {key: checked_value(each, kind.value_type, f"{path}.{key}") for key, each in value.items()}
    return _scalar(value, kind, path)


def _array(value: Any, kind: Array, path: str) -> Any:
    if hasattr(value, "dtype") and getattr(value, "ndim", 0) > 0 and isinstance(kind.dtype, DataType):
        return _numpy_array(value, kind.dtype, path)
    _need(isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0, value, kind, path)
    return [checked_value(each, kind.dtype, f"{path}[{index}]", required=False) for index, each in enumerate(value)]


def _numpy_array(value: Any, kind: DataType, path: str) -> Any:
    import numpy as np

    target = kind.to_numpy()
    if value.dtype.kind == "O":
        return [_scalar(each, kind, f"{path}[{index}]") for index, each in enumerate(value)]
    if value.dtype.kind in "biuf" and target.kind in "biuf":
        # Integers of 64 bits are taken by doubles when they are exact, as in columns.
        exact = value.dtype.kind in "iu" and target.kind == "f" and bool((value.astype(target) == value).all())
        if exact or (np.can_cast(value.dtype, target, "safe") and _KINDS[kind].find(value.dtype.kind) >= 0):
            return value.astype(target)
    elif value.dtype.kind == target.kind:
        return value
    raise InvalidParameterValue(f"{path} is an array of {value.dtype}; the model takes {kind.name}.")


def _object(value: Any, kind: Object, path: str) -> dict[str, Any]:
    _need(isinstance(value, dict), value, kind, path)
    properties = {each.name: each for each in kind.properties}
    if unknown := sorted(map(str, value.keys() - properties.keys())):
        raise InvalidParameterValue(f"{path} has properties that the model does not know: {', '.join(unknown)}.")
    if missing := sorted(each.name for each in kind.properties if each.required and each.name not in value):
        raise InvalidParameterValue(f"{path} lacks the properties {', '.join(missing)}.")
    return {
        name: checked_value(each, properties[name].dtype, f"{path}.{name}", properties[name].required)
        for name, each in value.items()
    }


def _scalar(value: Any, kind: DataType, path: str) -> Any:
    plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    _need(_fits(plain, kind), value, kind, path)
    return float(plain) if kind in (DataType.float, DataType.double) else plain


def _fits(value: Any, kind: DataType) -> bool:
    if kind is DataType.boolean:
        return isinstance(value, bool)
    if kind is DataType.string:
        return isinstance(value, str)
    if kind is DataType.binary:
        return isinstance(value, (bytes, bytearray))
    if kind is DataType.datetime:
        return hasattr(value, "isoformat") or type(value).__name__ == "datetime64"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if kind in (DataType.integer, DataType.long):
        bits = 32 if kind is DataType.integer else 64
        return isinstance(value, int) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
    return isinstance(value, float) or float(value) == value


def _need(fits: bool, value: Any, kind: Any, path: str) -> None:
    if not fits:
        raise InvalidParameterValue(f"{path} is {shown(value)}, a {type(value).__name__}; the model takes {kind!r}.")
