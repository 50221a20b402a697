"""Results of models as columns of Spark: which types there can be, and which part of a result each takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from stele.errors import InvalidParameterValue, shown
from stele.models.schema import Schema
from stele.models.types import DataType

if TYPE_CHECKING:
    import pandas

__all__ = ["as_spark_type", "column_of", "type_of_schema"]

_NAMES = {
    DataType.boolean: "boolean",
    DataType.integer: "int",
    DataType.long: "bigint",
    DataType.float: "float",
    DataType.double: "double",
    DataType.string: "string",
}
_TENSORS = {"bool": "boolean", "int32": "int", "int64": "bigint", "float32": "float", "float64": "double"}
_ALLOWED = "boolean, int, long, float, double, string, an array of one of them, and a struct of such fields"


def _whole(most_bytes: int) -> Callable[[Any], bool]:
    def fits(dtype: Any) -> bool:
        size = int(getattr(dtype, "itemsize", most_bytes + 1))
        kind = getattr(dtype, "kind", "O")
        return (kind == "i" and size <= most_bytes) or (kind == "u" and size < most_bytes)

    return fits


def _number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "iuf"


_KINDS: dict[str, tuple[Callable[[Any], bool], Any]] = {
    "boolean": (lambda dtype: getattr(dtype, "kind", "O") == "b", np.bool_),
    "int": (_whole(4), np.int32),
    "bigint": (_whole(8), np.int64),
    "float": (_number, np.float32),
    "double": (_number, np.float64),
    "string": (lambda dtype: True, str),
}
"""Spark's name of a type -> which columns fit, and what their values become."""


def as_spark_type(result_type: Any) -> Any:
    """A type of Spark, or its DDL, as a type, if a result can have it.

    Raises:
        InvalidParameterValue: It cannot.
    """
    from pyspark.sql import types as t

    found = result_type
    if isinstance(result_type, str):
        try:
            found = t._parse_datatype_string(result_type)  # noqa: SLF001 - DataType.fromDDL came with Spark 4
        except Exception as e:  # whatever Spark's parser raises
            raise InvalidParameterValue(f"result_type {shown(result_type)} is no type of Spark: {e}") from e
    fields = [field.dataType for field in found] if isinstance(found, t.StructType) else [found]
    if not fields or not all(isinstance(each, t.DataType) and _element(each) in _KINDS for each in fields):
        raise InvalidParameterValue(f"result_type is {shown(str(result_type))}; allowed are {_ALLOWED}.")
    return found


def _element(spark_type: Any) -> str:
    """The name of a primitive type, or that of which it is an array."""
    name: str = getattr(spark_type, "elementType", spark_type).simpleString()
    return name


def type_of_schema(outputs: Schema | None) -> Any:
    """The type of the results of a model with these outputs: ``double`` when nothing is known of them.

    As with MLflow, one column is its type, several are a struct, and a tensor of one dimension is an array.

    Raises:
        InvalidParameterValue: The outputs have a type that no result can have.
    """
    if outputs is None or not outputs.inputs:
        return as_spark_type("double")
    if outputs.is_tensor_spec():
        name, shape = _TENSORS.get(outputs.inputs[0].type.name), outputs.inputs[0].shape
        if len(outputs.inputs) == 1 and name is not None and len(shape) <= 2:
            return as_spark_type(f"array<{name}>")
        raise InvalidParameterValue(f"The outputs {outputs} are no column of Spark. Name a result_type: {_ALLOWED}.")
    names = [_name_of(spec.type, outputs) for spec in outputs.inputs]
    if len(names) == 1:
        return as_spark_type(names[0])
    columns = [str(spec.name) if spec.name is not None else str(place) for place, spec in enumerate(outputs.inputs)]
    quoted = [column.replace("`", "``") for column in columns]
    return as_spark_type(", ".join(f"`{column}` {name}" for column, name in zip(quoted, names, strict=True)))


def _name_of(data_type: Any, outputs: Schema) -> str:
    if data_type not in _NAMES:
        raise InvalidParameterValue(f"The outputs {outputs} are no column of Spark. Name a result_type: {_ALLOWED}.")
    return _NAMES[data_type]


def column_of(result: Any, wanted: Any) -> pandas.Series[Any] | pandas.DataFrame:
    """The part of a model's result that a type of Spark takes; a frame for a struct.

    Args:
        result: A frame, a series, an array, or a list of values, lists or dicts: one for each row.
        wanted: As :func:`as_spark_type` returns it.

    Raises:
        InvalidParameterValue: The result has no such part.
    """
    import pandas as pd
    from pyspark.sql import types as t

    frame = _as_frame(result)
    if isinstance(wanted, t.StructType):
        absent = [field.name for field in wanted if field.name not in frame.columns]
        if absent:
            names = ", ".join(map(str, frame.columns))
            raise InvalidParameterValue(f"The result has no column {', '.join(absent)}. It has {names}.")
        return pd.DataFrame({field.name: _field(frame[field.name], field.dataType) for field in wanted})
    fits, becomes = _KINDS[_element(wanted)]
    places = [place for place, dtype in enumerate(frame.dtypes) if fits(dtype)]
    if not places:
        kinds = ", ".join(map(str, frame.dtypes))
        raise InvalidParameterValue(f"No column of the result fits {wanted.simpleString()}. Their types are {kinds}.")
    if not isinstance(wanted, t.ArrayType):
        return _cast(frame.iloc[:, places[0]], becomes)
    columns = [_cast(frame.iloc[:, place], becomes) for place in places]
    return pd.Series(list(map(list, zip(*columns, strict=True))), dtype=object)


def _as_frame(result: Any) -> pandas.DataFrame:
    import pandas as pd

    if isinstance(result, pd.DataFrame):
        return result
    if isinstance(result, pd.Series):
        return result.to_frame()
    if isinstance(result, np.ndarray):
        return pd.DataFrame(result if result.ndim == 2 else {0: list(result)} if result.ndim > 2 else {0: result})
    rows = list(result)
    return pd.DataFrame(rows) if rows and isinstance(rows[0], dict | list | tuple) else pd.DataFrame({0: rows})


def _field(column: pandas.Series[Any], spark_type: Any) -> pandas.Series[Any]:
    from pyspark.sql.types import ArrayType

    fits, becomes = _KINDS[_element(spark_type)]
    if isinstance(spark_type, ArrayType):
        return column.map(lambda cell: list(np.asarray(cell, dtype=object if becomes is str else becomes)))
    if not fits(column.dtype):
        raise InvalidParameterValue(
            f"The column {column.name} of the result is {column.dtype}; {spark_type.simpleString()} is wanted."
        )
    return _cast(column, becomes)


def _cast(column: pandas.Series[Any], becomes: Any) -> pandas.Series[Any]:
    return column.map(str, na_action="ignore").astype(object) if becomes is str else column.astype(becomes)
