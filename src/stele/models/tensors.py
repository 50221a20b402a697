"""Arrays against tensors of a signature: exact type, rank and lengths."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from stele.errors import InvalidParameterValue, shown
from stele.models.schema import Schema, TensorSpec

__all__ = ["checked_tensors"]


def checked_tensors(data: Any, schema: Schema) -> Any:
    """The array, or the arrays by name, that the model takes.

    Args:
        data: An array or sparse matrix, a dictionary of arrays, a data frame or a series.
        schema: Tensors.

    Raises:
        InvalidParameterValue: A type, a rank or a length differs, or an array is missing.
    """
    if not schema.has_input_names():
        return _checked(_one_array(data, schema.inputs[0]), schema.inputs[0])
    arrays = _by_name(data, schema)
    if missing := [name for name in schema.input_names() if name not in arrays]:
        raise InvalidParameterValue(f"The data lack the arrays {shown(missing)}. The model takes {schema!r}.")
    if extra := [name for name in arrays if name not in schema.input_names()]:
        warnings.warn(f"The model does not know the arrays {shown(extra)}; left out.", stacklevel=4)
    return {spec.name: _checked(_as_array(arrays[spec.name], spec), spec) for spec in schema.inputs}


def _one_array(data: Any, spec: TensorSpec) -> Any:
    if _is_frame(data):
        return _frame_as_array(data, spec)
    if type(data).__name__ == "Series" and hasattr(data, "to_numpy"):
        return data.to_numpy()
    if not _is_array(data):
        raise InvalidParameterValue(
            f"The model takes {spec!r}; got a {type(data).__name__}. Pass an array of numpy, or a data frame."
        )
    return data


def _by_name(data: Any, schema: Schema) -> Mapping[str, Any]:
    if _is_frame(data):
        return {name: data[name] for name in data.columns}
    if _is_array(data) and len(schema.inputs) == 1:
        return {schema.inputs[0].name: data}
    if not isinstance(data, Mapping):
        raise InvalidParameterValue(
            f"The model takes {schema!r}; got a {type(data).__name__}. Pass a dictionary from names to arrays."
        )
    if wrong := [name for name, value in data.items() if name in schema.input_names() and not _is_array(value)]:
        raise InvalidParameterValue(
            f"{shown(wrong[0])} is a {type(data[wrong[0]]).__name__}; the model takes an array of numpy there."
        )
    return data


def _as_array(value: Any, spec: TensorSpec) -> Any:
    """A column of a frame as an array: rows of lists or arrays become axes."""
    import numpy as np

    if not hasattr(value, "to_numpy"):
        return value
    if value.dtype.kind == "O" and len(spec.shape) > 1:
        try:
            return (
                np.array(value.tolist()).astype(spec.type) if len(value) else np.empty((0, *spec.shape[1:]), spec.type)
            )
        except ValueError as e:
            raise InvalidParameterValue(f"The rows of {spec.name!r} make no array for {spec!r}: {e}") from e
    return value.to_numpy()


def _frame_as_array(frame: Any, spec: TensorSpec) -> Any:
    if len(frame.columns) == 1:
        column = frame.iloc[:, 0]
        return column.to_numpy() if len(spec.shape) == 1 else _single_column(frame, column, spec)
    return frame.to_numpy()


def _single_column(frame: Any, column: Any, spec: TensorSpec) -> Any:
    return _as_array(column, spec) if column.dtype.kind == "O" else frame.to_numpy()


def _checked(array: Any, spec: TensorSpec) -> Any:
    name = "The array" if spec.name is None else f"The array {spec.name!r}"
    same_kind = spec.type.kind in "US" and array.dtype.kind == spec.type.kind
    if array.dtype != spec.type and not same_kind:
        raise InvalidParameterValue(f"{name} has the type {array.dtype}; the model takes {spec.dtype_name}.")
    shape = tuple(array.shape)
    fits = len(shape) == len(spec.shape) and all(
        expected in (-1, length) for expected, length in zip(spec.shape, shape, strict=True)
    )
    if not fits:
        raise InvalidParameterValue(f"{name} has the shape {shape}; the model takes {spec.shape}, -1 being any length.")
    return array


def _is_frame(data: Any) -> bool:
    return type(data).__name__ == "DataFrame" and hasattr(data, "iloc")


def _is_array(data: Any) -> bool:
    if type(data).__module__.startswith("scipy.sparse"):
        return True
    return type(data).__module__ == "numpy" and type(data).__name__ in ("ndarray", "matrix")
