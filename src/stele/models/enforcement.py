"""The check of what ``predict`` gets against the signature: names, order, types; nothing is converted with loss.

What MLflow accepts is accepted and becomes the same. Besides, where no value changes:

- 64-bit integers fit ``double`` and ``float`` when each of them is exactly one (below 2**53, 2**24 in size);
- integers with missing values: a nullable column, or floats that are whole or missing, fits an optional ``integer`` or
  ``long`` and becomes nullable, and fits ``double`` with NaN;
- times with a zone become UTC without one; categories stay what they are where their values fit;
- an array, a list or a single value fits a signature with one named column;
- a single column ``any`` lets everything pass as it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.models.columns import checked_column
from stele.models.schema import ColSpec, Schema
from stele.models.tensors import checked_tensors
from stele.models.types import AnyType, DataType

if TYPE_CHECKING:
    import pandas

__all__ = ["enforce_schema"]


def enforce_schema(data: Any, schema: Schema | None) -> Any:
    """The data as the model takes them.

    Args:
        data: What a caller passes to ``predict``.
        schema: What the signature says; None lets everything pass.

    Returns:
        A data frame for columns, an array or a dictionary of arrays for tensors.

    Raises:
        InvalidParameterValue: The data do not fit; the message names the column, what was found and what is expected.
    """
    if schema is None or _takes_anything(schema):
        return data
    return checked_tensors(data, schema) if schema.is_tensor_spec() else _columns(data, schema)


def _takes_anything(schema: Schema) -> bool:
    (first, *others) = schema.inputs
    return not others and first.name is None and isinstance(first.type, AnyType)


def _columns(data: Any, schema: Schema) -> pandas.DataFrame:
    frame = _as_frame(data, schema)
    if schema.has_input_names():
        frame = _by_name(frame, schema)
        by_name = schema.input_dict()
        specs = [by_name[name] for name in frame.columns]
    else:
        frame = _by_position(frame, schema)
        specs = schema.inputs
    if _fits_already(frame, specs):
        return frame
    import pandas as pd

    columns = [
        checked_column(frame.iloc[:, position], spec, name)
        for position, (name, spec) in enumerate(zip(frame.columns, specs, strict=True))
    ]
    return pd.concat(columns, axis=1) if len(columns) > 1 else columns[0].to_frame()


def _fits_already(frame: pandas.DataFrame, specs: list[ColSpec]) -> bool:
    """Whether no column needs a look, which is the usual case and must cost little."""
    return all(
        isinstance(spec.type, DataType) and _SAME.get(spec.type) == dtype.name
        for spec, dtype in zip(specs, frame.dtypes, strict=True)
    )


_SAME = {
    DataType.boolean: "bool",
    DataType.integer: "int32",
    DataType.long: "int64",
    DataType.float: "float32",
    DataType.double: "float64",
    DataType.string: "str",
}


def _as_frame(data: Any, schema: Schema) -> pandas.DataFrame:
    try:
        import pandas as pd
    except ImportError as e:
        raise MissingDependency("pandas", "to check data against columns of a signature") from e
    if isinstance(data, pd.DataFrame):
        return data
    if hasattr(data, "to_pandas"):  # polars and others
        return _as_frame(data.to_pandas(), schema)
    try:
        return _FRAMES[_kind(data)](data, schema, pd)
    except KeyError:
        raise InvalidParameterValue(
            f"The model takes a table with {_described(schema)}; {type(data).__name__} is none. Pass a data frame, a "
            "dictionary, a list or an array."
        ) from None
    except ValueError as e:
        raise InvalidParameterValue(f"The data make no table: {e}") from e


def _kind(data: Any) -> str:
    if isinstance(data, Mapping):
        return "mapping"
    if isinstance(data, (list, tuple)):
        return "list"
    if type(data).__module__ == "numpy" and type(data).__name__ == "ndarray" and data.ndim > 0:
        return "array"
    if type(data).__name__ == "Series" and hasattr(data, "to_frame"):
        return "series"
    scalar = isinstance(data, (str, bytes, bool, int, float)) or hasattr(data, "isoformat")
    return "scalar" if scalar or getattr(data, "ndim", None) == 0 else "other"


def _from_mapping(data: Any, schema: Schema, pd: Any) -> pandas.DataFrame:
    """One row when its values are single ones or what a nested column holds; a table when they are lists."""
    types = schema.input_types_dict() if schema.has_input_names() else {}
    nested = any(not isinstance(kind, (DataType, AnyType)) for kind in types.values())
    lists = [hasattr(value, "__len__") and not isinstance(value, (str, bytes, dict)) for value in data.values()]
    return pd.DataFrame(data) if lists and all(lists) and not nested else pd.DataFrame([dict(data)])


def _from_list(data: Any, schema: Schema, pd: Any) -> pandas.DataFrame:
    if all(isinstance(row, Mapping) for row in data) and schema.has_input_names():
        return pd.DataFrame(list(data))
    if not schema.has_input_names() and not isinstance(schema.inputs[0].type, (DataType, AnyType)):
        return pd.DataFrame({0: pd.Series(list(data), dtype=object)})
    return _named(pd.DataFrame(list(data)), schema)


def _named(frame: Any, schema: Schema) -> Any:
    """Values without names are the column when there is only one."""
    if schema.has_input_names() and len(schema.inputs) == len(frame.columns) == 1:
        frame.columns = schema.input_names()
    return frame


_FRAMES: Mapping[str, Callable[[Any, Schema, Any], Any]] = {
    "mapping": _from_mapping,
    "list": _from_list,
    "array": lambda data, schema, pd: _named(pd.DataFrame(data), schema),
    "series": lambda data, schema, pd: _named(data.to_frame(), schema) if data.name is None else data.to_frame(),
    "scalar": lambda data, schema, pd: _named(pd.DataFrame([data]), schema),
}


def _described(schema: Schema) -> str:
    names = ", ".join(f"{each!r}" for each in schema.inputs)
    return f"the column{'s' if len(schema.inputs) > 1 else ''} {names}"


def _by_name(frame: pandas.DataFrame, schema: Schema) -> pandas.DataFrame:
    names = schema.input_names()
    found = list(frame.columns)
    if found == names:
        return frame
    if missing := [name for name in schema.required_input_names() if name not in found]:
        others = [name for name in found if name not in names]
        extra = f" Columns that it does not know: {shown(others)}." if others else ""
        raise InvalidParameterValue(
            f"The data lack {_columns_named(missing)}, which the model needs. It takes {_described(schema)}.{extra}"
        )
    if extra_names := [name for name in found if name not in names]:
        warnings.warn(
            f"The model does not know {_columns_named(extra_names)}; left out. It takes {_described(schema)}.",
            stacklevel=5,
        )
    return frame[[name for name in names if name in found]]


def _columns_named(names: list[Any]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))}"


def _by_position(frame: pandas.DataFrame, schema: Schema) -> pandas.DataFrame:
    needed, found = len(schema.inputs), len(frame.columns)
    if found < needed:
        raise InvalidParameterValue(
            f"The model takes {needed} columns by position, {_described(schema)}; the data have {found}."
        )
    return frame if found == needed else frame.iloc[:, :needed]
