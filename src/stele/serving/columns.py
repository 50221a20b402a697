"""Values of a request as columns of the types of a signature.

JSON has one kind of number and no times or bytes, so a value is converted when nothing is lost: 1 for a double, 2.0 for
a long, a text in ISO 8601 for a time, base64 for bytes. What does not fit is an error that names column, row and value.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from stele.errors import InvalidParameterValue, shown
from stele.models.schema import ColSpec
from stele.models.types import DataType

__all__ = ["REALS", "plain_values", "real_array", "typed_column"]

REALS = {DataType.float: "float32", DataType.double: "float64"}
_INTEGERS = {DataType.integer: ("int32", 32), DataType.long: ("int64", 64)}


def real_array(rows: list[Any], dtype: str) -> Any:
    """Rows of numbers as one array; None when other values are among them."""
    import numpy as np

    try:
        array = np.array(rows)
    except ValueError:
        return None
    if array.dtype.kind not in "iuf" or array.ndim != 2:
        return None
    return array.astype(dtype, copy=False)


def plain_values(column: Any) -> Any:
    """A column of a table as an array of numbers, or a list of values with None for what is missing."""
    import pandas as pd

    if column.dtype.kind in "iufb" and not pd.api.types.is_extension_array_dtype(column.dtype):
        return column.to_numpy()
    return [None if pd.api.types.is_scalar(value) and pd.isna(value) else value for value in column.tolist()]


def typed_column(spec: ColSpec, values: Any, place: int) -> Any:
    """One column with the type of its spec.

    Args:
        spec: The column.
        values: One value a row.
        place: Its position, which names a column without a name.

    Raises:
        InvalidParameterValue: A value does not fit; a required column has a missing one.
    """
    import numpy as np

    kind = spec.type
    if kind in REALS:
        return _reals(spec, values, place, REALS[kind])
    if kind in _INTEGERS:
        return _integers(spec, values, place, *_INTEGERS[kind])
    converted = [_single(spec, value, place, row) for row, value in enumerate(values)]
    if kind is DataType.boolean and None not in converted:
        return np.array(converted, dtype=bool)
    if kind is DataType.datetime:
        import pandas as pd

        return pd.to_datetime(pd.Series(converted, dtype="object"), errors="raise").to_numpy(dtype="datetime64[ns]")
    column = np.empty(len(converted), dtype=object)
    column[:] = converted
    return column


def _plain_array(values: Any) -> Any:
    """The values as an array; of objects when they have no common type."""
    import numpy as np

    try:
        return np.asarray(values)
    except ValueError:  # lists among them
        return np.empty(0, dtype=object)


def _reals(spec: ColSpec, values: Any, place: int, dtype: str) -> Any:
    import numpy as np

    array = _plain_array(values)
    if array.dtype.kind not in "iuf":
        array = np.array(
            [np.nan if value is None else _number(spec, value, place, row) for row, value in enumerate(values)]
        )
    if spec.required and array.dtype.kind == "f" and np.isnan(array).any():
        raise _missing(spec, place, int(np.isnan(array).argmax()))
    return array.astype(dtype)


def _integers(spec: ColSpec, values: Any, place: int, dtype: str, bits: int) -> Any:
    import numpy as np

    array = _plain_array(values)
    if array.dtype.kind in "iu" and array.dtype != np.uint64:
        _check_range(spec, array, place, bits)
        return array.astype(dtype)
    numbers = [None if value is None else _whole(spec, value, place, row, bits) for row, value in enumerate(values)]
    if None not in numbers:
        return np.array(numbers, dtype=dtype)
    if spec.required:
        raise _missing(spec, place, numbers.index(None))
    import pandas as pd

    return pd.array(numbers, dtype="Int64" if bits == 64 else "Int32")


def _check_range(spec: ColSpec, array: Any, place: int, bits: int) -> None:
    wrong = (array >= 1 << (bits - 1)) | (array < -(1 << (bits - 1))) if bits < 64 else None
    if wrong is not None and wrong.any():
        row = int(wrong.argmax())
        raise _unfit(spec, array[row].item(), place, row)


def _number(spec: ColSpec, value: Any, place: int, row: int) -> float:
    if not isinstance(value, int | float):  # true and false are 1 and 0
        raise _unfit(spec, value, place, row)
    return float(value)


def _whole(spec: ColSpec, value: Any, place: int, row: int, bits: int) -> int:
    number = _number(spec, value, place, row)
    whole = int(value) if number == number and abs(number) != float("inf") else None
    if whole is None or whole != value or not -(1 << (bits - 1)) <= whole < 1 << (bits - 1):
        raise _unfit(spec, value, place, row)
    return whole


def _single(spec: ColSpec, value: Any, place: int, row: int) -> Any:
    """A value that is no number."""
    if value is None:
        if spec.required and isinstance(spec.type, DataType):
            raise _missing(spec, place, row)
        return None
    if spec.type is DataType.boolean and not isinstance(value, bool) and type(value).__name__ != "bool":
        raise _unfit(spec, value, place, row)
    if spec.type is DataType.string and not isinstance(value, str):
        raise _unfit(spec, value, place, row)
    if spec.type is DataType.binary and isinstance(value, str):
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError) as e:
            raise _unfit(spec, value, place, row, "base64 is expected") from e
    if spec.type is DataType.datetime:
        return _time(spec, value, place, row)
    return value


def _time(spec: ColSpec, value: Any, place: int, row: int) -> Any:
    import pandas as pd

    hint = "a time in ISO 8601 is expected"
    if isinstance(value, bool | int | float):
        raise _unfit(spec, value, place, row, hint)
    try:
        moment = pd.Timestamp(value)
    except (TypeError, ValueError) as e:
        raise _unfit(spec, value, place, row, hint) from e
    return moment if moment.tzinfo is None else moment.tz_convert("UTC").tz_localize(None)


def _named(spec: ColSpec, place: int) -> str:
    return f"Column {shown(spec.name)}" if spec.name is not None else f"Column {place}"


def _missing(spec: ColSpec, place: int, row: int) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"{_named(spec, place)} has no value in row {row}, and the model requires one ({spec.type})."
    )


def _unfit(spec: ColSpec, value: Any, place: int, row: int, hint: str = "") -> InvalidParameterValue:
    what = f"{_named(spec, place)} takes {_type_name(spec.type)}, row {row} has {shown(value)}"
    return InvalidParameterValue(f"{what}: {hint}." if hint else f"{what}.")


def _type_name(kind: Any) -> str:
    return kind.name if isinstance(kind, DataType) else repr(kind)
