"""Columns in the type that a signature asks for, without loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from stele.errors import InvalidParameterValue
from stele.models.nested import checked_value
from stele.models.schema import ColSpec
from stele.models.types import AnyType, DataType

if TYPE_CHECKING:
    import numpy as np
    import pandas

__all__ = ["checked_column"]

_EXACT = {DataType.double: 2**53, DataType.float: 2**24}
"""Up to here every integer is a number of the type."""

_LARGEST_BYTES = 8


def checked_column(column: pandas.Series[Any], spec: ColSpec, name: Any) -> pandas.Series[Any]:
    """The column in the type of the spec.

    Raises:
        InvalidParameterValue: It does not fit.
    """
    import pandas as pd

    if isinstance(spec.type, AnyType):
        return column
    if not isinstance(spec.type, DataType):
        values = [checked_value(each, spec.type, f"{name}[{row}]", spec.required) for row, each in enumerate(column)]
        return pd.Series(values, index=column.index, name=column.name, dtype=object)
    if column.dtype.name == "object" and spec.type not in (DataType.string, DataType.binary):
        column = column.infer_objects()
    converted = _CONVERSIONS[spec.type](column, spec)
    if converted is None:
        raise InvalidParameterValue(_mismatch(column, spec, name))
    found: pandas.Series[Any] = converted
    return found


def _mismatch(column: pandas.Series[Any], spec: ColSpec, name: Any) -> str:
    message = f"The column {name!r} has the type {column.dtype}; the model takes {spec.type.name}."
    if spec.type in _EXACT and column.dtype.kind in "iu":
        return f"{message} An integer in it is no exact {spec.type.name}: convert the column yourself if that is meant."
    if spec.type in (DataType.integer, DataType.long) and column.dtype.kind == "f":
        return f"{message} Are values missing? A nullable column holds them: frame[{name!r}].astype('Int64')."
    return message


def _number(column: pandas.Series[Any], spec: ColSpec) -> pandas.Series[Any] | None:
    """A column of float, double, integer or long; None when it does not fit."""
    target = spec.type.to_numpy()
    dtype = column.dtype
    source = getattr(dtype, "numpy_dtype", dtype)  # of a nullable column, the type of what is there
    if dtype.name == "category":
        return column if _is_number(dtype.categories.dtype, target) else None
    if dtype.name == "object":
        return _objects_as_double(column) if spec.type is DataType.double else _only_missing(column, spec)
    if source is not dtype and column.isna().any():
        return _with_missing(column, spec, source)
    if _is_number(source, target):
        return column.astype(target)
    if source.kind in "iu" and spec.type in _EXACT and _exact(column, _EXACT[spec.type]):
        return column.astype(target)
    if source.kind == "f" and target.kind == "i" and not spec.required:
        return _whole(column, spec)
    return None


def _is_number(source: Any, target: np.dtype[Any]) -> bool:
    """Whether every value of one type is one of the other."""
    import numpy as np

    if not isinstance(source, np.dtype) or source.kind not in "iuf":
        return False
    # numpy calls the step from 64-bit integers to doubles safe, which it is not.
    rounds = source.kind in "iu" and source.itemsize == _LARGEST_BYTES and source != target
    return bool(np.can_cast(source, target, "safe")) and not rounds


def _exact(column: pandas.Series[Any], limit: int) -> bool:
    return column.empty or (int(column.max()) <= limit and int(column.min()) >= -limit)


def _with_missing(column: pandas.Series[Any], spec: ColSpec, source: Any) -> pandas.Series[Any] | None:
    """A nullable column in which values are missing: NaN among floats, still nullable among integers."""
    target = spec.type.to_numpy()
    present = column.dropna()
    fits = _is_number(source, target) or (
        spec.type in _EXACT and source.kind in "iu" and _exact(present, _EXACT[spec.type])
    )
    if not fits:
        return None
    if target.kind == "f":
        import numpy as np

        return (
            column.astype(target) if source.kind == "f" else column.astype("Float64").astype(np.float64).astype(target)
        )
    return None if spec.required else column.astype(f"Int{target.itemsize * 8}")


def _whole(column: pandas.Series[Any], spec: ColSpec) -> pandas.Series[Any] | None:
    """Floats that are whole or missing, as nullable integers."""
    present = column.dropna()
    bits = spec.type.to_numpy().itemsize * 8
    limit = min(2 ** (bits - 1) - 1, 2**53)
    if not bool(((present % 1 == 0) & (present.abs() <= limit)).all()):
        return None
    return column.astype(f"Int{bits}")


def _objects_as_double(column: pandas.Series[Any]) -> pandas.Series[Any] | None:
    plain = all(each is None or isinstance(each, (bool, int, float)) for each in column)
    return column.astype("float64") if plain else None


def _only_missing(column: pandas.Series[Any], spec: ColSpec) -> pandas.Series[Any] | None:
    if spec.required or not column.isna().all():
        return None
    bits = spec.type.to_numpy().itemsize * 8
    return column.astype(f"Int{bits}") if spec.type.to_numpy().kind == "i" else column.astype(f"float{bits}")


def _boolean(column: pandas.Series[Any], spec: ColSpec) -> pandas.Series[Any] | None:
    if column.dtype.name == "boolean":
        if not column.isna().any():
            return column.astype(bool)
        return None if spec.required else column
    if column.dtype.name == "object":
        fits = all(each is None or isinstance(each, bool) for each in column)
        return column if fits else None
    return column if column.dtype.name == "bool" else None


def _objects(column: pandas.Series[Any], spec: ColSpec) -> pandas.Series[Any] | None:
    """Texts and bytes; other objects are taken as they are, as MLflow takes them."""
    del spec
    dtype = column.dtype
    if dtype.name == "object":
        inferred = column.infer_objects()
        return inferred if inferred.dtype.name.startswith("str") else column
    if dtype.name == "category":
        return column if dtype.categories.dtype.kind in "OUT" or dtype.categories.dtype.name.startswith("str") else None
    return column if dtype.name.startswith("str") else None


def _datetime(column: pandas.Series[Any], spec: ColSpec) -> pandas.Series[Any] | None:
    import pandas as pd

    if column.dtype.kind == "M":
        if getattr(column.dtype, "tz", None) is not None:
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return column.astype(spec.type.to_numpy())
    if column.dtype.name == "object" and all(each is None or hasattr(each, "isoformat") for each in column):
        return pd.to_datetime(column).astype(spec.type.to_numpy())
    return None


_CONVERSIONS: Mapping[DataType, Callable[[Any, ColSpec], Any]] = {
    DataType.boolean: _boolean,
    DataType.integer: _number,
    DataType.long: _number,
    DataType.float: _number,
    DataType.double: _number,
    DataType.string: _objects,
    DataType.binary: _objects,
    DataType.datetime: _datetime,
}
