"""From data to a schema: the types of columns, tensors and nested values that a model takes or gives."""

from __future__ import annotations

import dataclasses
import datetime
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stele.errors import InvalidParameterValue, shown
from stele.models.params import ParamSchema, ParamSpec
from stele.models.schema import ColSpec, Schema, TensorSpec
from stele.models.types import AnyType, Array, DataType, Object, Property

if TYPE_CHECKING:
    import pandas

__all__ = ["CannotInfer", "infer_params", "infer_schema"]


class CannotInfer(InvalidParameterValue):
    """The data have no type that a schema can name."""


def infer_schema(data: Any) -> Schema:
    """The schema of data, as ``predict`` takes or gives them.

    Args:
        data: A data frame or series of pandas, an array or a dictionary of arrays, a sparse matrix of scipy, a
            dictionary, a list, a single value, or an object of pydantic or a dataclass.

    Raises:
        CannotInfer: It is something else, is empty, or its values have no common type. A column of a frame whose values
            have none becomes ``any``, with a warning, so that the other columns keep their types.
    """
    for matches, infer in _KINDS:
        if matches(data):
            return infer(data)
    return Schema([ColSpec(_value_type(data))])


def _frame(frame: pandas.DataFrame) -> Schema:
    if not len(frame.columns):
        raise CannotInfer("The data frame has no columns.")
    if not frame.columns.is_unique:
        raise CannotInfer(f"The columns {shown(list(frame.columns[frame.columns.duplicated()]))} occur more than once.")
    return Schema([_column(frame.iloc[:, position], name) for position, name in enumerate(frame.columns)])


def _series(series: pandas.Series[Any]) -> Schema:
    column = _column(series, series.name)
    return Schema([column if column.name is not None else ColSpec(column.type)])


def _column(column: pandas.Series[Any], name: Any) -> ColSpec:
    try:
        kind = _column_type(column)
    except CannotInfer as e:
        warnings.warn(f"The column {shown(name)} becomes 'any', so it is not checked: {e}", stacklevel=2)
        kind = AnyType()
    return ColSpec(kind, name, not column.isna().any())


def _column_type(column: pandas.Series[Any]) -> Any:
    dtype = column.dtype
    if dtype.name == "category":
        dtype = dtype.categories.dtype
        column = column.cat.categories.to_series()
    if dtype.name.startswith(("str", "string")):
        return DataType.string
    if dtype.kind != "O":
        return _array_item_type(dtype)
    return _object_column_type(column[column.notna()].tolist())


def _object_column_type(values: list[Any]) -> Any:
    if not values:
        return AnyType()
    if all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in values):
        # Whole and fractional numbers of one column are fractional numbers.
        return DataType.double if any(isinstance(each, float) for each in values) else DataType.long
    return _merged(map(_value_type, values))


def _array_item_type(dtype: Any) -> DataType:
    size = getattr(dtype, "itemsize", 8)
    if dtype.kind in "iu" and not (dtype.kind == "u" and size == 8):
        # An unsigned type needs the next larger signed one.
        return DataType.integer if size * (2 if dtype.kind == "u" else 1) <= 4 else DataType.long
    if dtype.kind == "f" and size <= 8:
        return DataType.float if size <= 4 else DataType.double
    found = {"b": DataType.boolean, "U": DataType.string, "S": DataType.binary, "M": DataType.datetime}.get(dtype.kind)
    if found is None:
        raise CannotInfer(f"A schema has no type for values of {dtype}.")
    return found


def _tensor(array: Any) -> Schema:
    return Schema([_tensor_spec(array, None)])


def _tensors(arrays: Mapping[str, Any]) -> Schema:
    return Schema([_tensor_spec(array, _key(name)) for name, array in arrays.items()])


def _tensor_spec(array: Any, name: str | None) -> TensorSpec:
    import numpy as np

    # Texts and bytes are known by their kind; how long they were here means nothing.
    dtype = np.dtype({"U": "str", "S": "bytes"}.get(array.dtype.kind, array.dtype))
    return TensorSpec(dtype, (-1, *array.shape[1:]), name)


def _mapping(values: Mapping[str, Any]) -> Schema:
    if not values:
        raise CannotInfer("The dictionary is empty.")
    return Schema([_named(key, value) for key, value in values.items()])


def _named(key: Any, value: Any) -> ColSpec:
    kind = _value_type(value)
    return ColSpec(kind, _key(key), not isinstance(kind, AnyType))


def _list(values: list[Any]) -> Schema:
    if not values:
        return Schema([ColSpec(DataType.string)])  # what MLflow takes an empty list for
    kind = _merged(map(_value_type, values))
    if isinstance(kind, Object) and all(isinstance(each, dict) for each in values):
        order = {key: None for each in values for key in each}
        found = {each.name: each for each in kind.properties}
        return Schema([ColSpec(found[key].dtype, key, found[key].required) for key in order])
    return Schema([ColSpec(kind)])


def _as_object(value: Any) -> Schema:
    return _mapping(_plain(value))


def _plain(value: Any) -> dict[str, Any]:
    """The fields of an object of pydantic or of a dataclass."""
    found: dict[str, Any] = value.model_dump() if hasattr(value, "model_dump") else dataclasses.asdict(value)
    return found


def _value_type(value: Any) -> Any:
    """The type of one value.

    Raises:
        CannotInfer: It has none.
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return AnyType()
    if isinstance(value, bool):
        return DataType.boolean
    if isinstance(value, Mapping):
        if not value:
            raise CannotInfer("A dictionary is empty.")
        return Object([_property(key, each) for key, each in value.items()])
    if isinstance(value, list):
        return Array(_merged(map(_value_type, value))) if value else AnyType()
    if hasattr(value, "dtype"):
        return _numpy_type(value)
    for kind, found in _SCALARS:
        if isinstance(value, kind):
            return found
    if hasattr(value, "model_dump") or _is_dataclass(value):
        return _value_type(_plain(value))
    raise CannotInfer(f"A schema has no type for {shown(value)}, a {type(value).__name__}.")


_SCALARS = (
    (int, DataType.long),
    (float, DataType.double),
    (str, DataType.string),
    ((bytes, bytearray), DataType.binary),
    (datetime.date, DataType.datetime),
)


def _numpy_type(value: Any) -> Any:
    if value.ndim and value.dtype.kind == "O":
        return _value_type(value.tolist())
    kind: Any = _array_item_type(value.dtype)
    for _ in range(value.ndim):
        kind = Array(kind)
    return kind


def _property(key: Any, value: Any) -> Property:
    kind = _value_type(value)
    return Property(_key(key), kind, not isinstance(kind, AnyType))


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise CannotInfer(f"The key {shown(key)} of a dictionary is no text.")
    return key


def _merged(kinds: Iterable[Any]) -> Any:
    merged: Any = AnyType()
    for kind in kinds:
        merged = _merge(merged, kind)
    return merged


def _merge(one: Any, other: Any) -> Any:
    """The type that both values have; None has any."""
    if one == other or isinstance(other, AnyType):
        return one
    if isinstance(one, AnyType):
        return other
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(_merge(one.dtype, other.dtype))
    if isinstance(one, Object) and isinstance(other, Object):
        return _merge_objects(one, other)
    raise CannotInfer(f"Values are {one!r} and {other!r}, which have no common type.")


def _merge_objects(one: Object, other: Object) -> Object:
    ours, theirs = ({each.name: each for each in kind.properties} for kind in (one, other))
    properties = []
    for name in ours | theirs:
        both = [each[name] for each in (ours, theirs) if name in each]
        required = len(both) > 1 and all(each.required for each in both)
        properties.append(Property(name, _merge(both[0].dtype, both[-1].dtype), required))
    return Object(properties)


def infer_params(params: Any) -> ParamSchema | None:
    """The schema of parameters, with the values as defaults; None when there are none.

    Args:
        params: Values by name: single values, lists and arrays of one dimension, dictionaries.

    Raises:
        InvalidParameterValue: A value has no type that a parameter can have.
    """
    if not isinstance(params, Mapping):
        raise InvalidParameterValue(f"Parameters are a dictionary from names to values, got {type(params).__name__}.")
    return ParamSchema([_param(str(name), value) for name, value in params.items()]) if params else None


def _param(name: str, value: Any) -> ParamSpec:
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) == 1:
        return ParamSpec(name, _array_item_type(value.dtype), value.tolist(), (-1,))
    try:
        if isinstance(value, list):
            return ParamSpec(name, _object_column_type(value) if value else DataType.string, value, (-1,))
        return ParamSpec(name, _value_type(value), value)
    except CannotInfer as e:
        raise InvalidParameterValue(f"The parameter {shown(name)} has no type of parameters: {e}") from e


def _is_pandas(name: str) -> Callable[[Any], bool]:
    # By name, so that pandas is loaded only by who uses it.
    return lambda data: type(data).__name__ == name and type(data).__module__.partition(".")[0] == "pandas"


def _is_array(data: Any) -> bool:
    return type(data).__module__ == "numpy" and type(data).__name__ == "ndarray" and data.ndim > 0


def _is_sparse(data: Any) -> bool:
    return type(data).__module__.startswith("scipy.sparse") and getattr(data, "ndim", 0) == 2


def _is_arrays(data: Any) -> bool:
    return isinstance(data, Mapping) and bool(data) and all(map(_is_array, data.values()))


def _is_dataclass(data: Any) -> bool:
    return dataclasses.is_dataclass(data) and not isinstance(data, type)


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Schema]], ...] = (
    (_is_pandas("DataFrame"), _frame),
    (_is_pandas("Series"), _series),
    (_is_array, _tensor),
    (_is_sparse, _tensor),
    (_is_arrays, _tensors),
    (lambda data: isinstance(data, Mapping), _mapping),
    (lambda data: isinstance(data, list), _list),
    (lambda data: hasattr(data, "model_dump") or _is_dataclass(data), _as_object),
)
