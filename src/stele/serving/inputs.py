"""From rows and values of a request to what a model takes, with the types of its signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stele.errors import InvalidParameterValue, shown
from stele.models.schema import Schema
from stele.serving.columns import REALS, plain_values, real_array, typed_column
from stele.serving.payloads import Rows, Table, Value, rows_of_records

if TYPE_CHECKING:
    import numpy as np

__all__ = ["InputReader"]


class InputReader:
    """Makes the input of a model.

    Args:
        schema: What the model takes; None takes data as they are.
        raw: Whether ``inputs`` are passed on unchanged: a model that was saved with type hints checks them itself.
    """

    def __init__(self, schema: Schema | None, *, raw: bool = False) -> None:
        self._schema = schema
        self._raw = raw
        self._columns = list(schema.inputs) if schema is not None and not schema.is_tensor_spec() else []
        self._names = (
            tuple(str(spec.name) for spec in self._columns) if schema is not None and schema.has_input_names() else None
        )
        kinds = {spec.type for spec in self._columns}
        self._real = next(iter(kinds)) if len(kinds) == 1 and kinds <= set(REALS) else None
        self._all_required = all(spec.required for spec in self._columns)

    def read(self, data: Rows | Table | Value) -> Any:
        """The model's input: a data frame, an array, a dict of arrays, or a value as it came.

        Raises:
            InvalidParameterValue: The data do not fit the signature.
        """
        if self._raw:
            if not isinstance(data, Value) or data.by_rows:
                raise InvalidParameterValue("This model was saved with type hints, so it takes only the form 'inputs'.")
            return data.value
        data = self.as_rows(data)
        if isinstance(data, Value):
            return data.value if data.whole else self._tensors(data)
        if isinstance(data, Table):
            return self._table(data.frame)
        return self._frame(data)

    @property
    def takes_batches_of_lists(self) -> bool:
        """Whether lists of several requests make one input when they are put one behind the other."""
        if self._raw or self._schema is None or not self._schema.is_tensor_spec():
            return False
        specs = self._schema.inputs
        return len(specs) == 1 and specs[0].name is None and specs[0].shape[:1] == (-1,)

    def as_rows(self, data: Rows | Table | Value) -> Rows | Table | Value:
        """A value as rows, if the model takes columns; anything else as it is.

        Raises:
            InvalidParameterValue: Its columns differ in length.
        """
        if self._raw or not self._columns or not isinstance(data, Value) or data.whole:
            return data
        value = data.value
        if isinstance(value, dict):
            lists = [item if isinstance(item, list) else [item] for item in value.values()]
            if len({len(items) for items in lists}) > 1:
                raise InvalidParameterValue(f"The columns {', '.join(map(shown, value))} differ in length.")
            return Rows(tuple(value), [list(row) for row in zip(*lists, strict=True)])
        if not isinstance(value, list):
            return Rows(self._one_name(), [[value]])
        if value and all(isinstance(row, dict) for row in value) and self._names is not None:
            return rows_of_records(value)
        if value and all(isinstance(row, list) for row in value) and len({len(row) for row in value}) == 1:
            return Rows(self._names if len(value[0]) == len(self._columns) else None, value)
        return Rows(self._one_name(), [[item] for item in value])

    def _one_name(self) -> tuple[str, ...] | None:
        return self._names if self._names is not None and len(self._names) == 1 else None

    def array(self, data: Rows) -> Any:
        """Rows as one array, if the model takes columns of one real type and all of them have a value; else None.

        Raises:
            InvalidParameterValue: A column is absent.
        """
        return None if self._real is None else self._array_at(data, self._places(data))

    def _array_at(self, data: Rows, places: list[int]) -> Any:
        import numpy as np

        if self._real is None or -1 in places:
            return None
        array = real_array(data.rows, REALS[self._real])
        if array is None:
            return None
        if places != list(range(array.shape[1])):
            array = array[:, places]
        return None if self._all_required and np.isnan(array).any() else array

    def _frame(self, data: Rows) -> Any:
        import pandas as pd

        if not self._columns:
            frame = pd.DataFrame(data.rows, columns=None if data.names is None else list(data.names))
            return frame if self._schema is None else self._tensors_of_frame(frame)
        places = self._places(data)
        if (array := self._array_at(data, places)) is not None:
            return pd.DataFrame(array, columns=self._header(places), copy=False)
        columns = list(zip(*data.rows, strict=True)) or [()] * (max(places, default=-1) + 1)
        specs = [spec for spec, place in zip(self._columns, places, strict=True) if place >= 0]
        found = [place for place in places if place >= 0]
        typed = {
            place: typed_column(spec, columns[source], place)
            for place, (spec, source) in enumerate(zip(specs, found, strict=True))
        }
        frame = pd.DataFrame(typed, copy=False)
        frame.columns = self._header(places)
        return frame

    def _header(self, places: Sequence[int]) -> Any:
        import pandas as pd

        if self._names is None:
            return pd.RangeIndex(len(places))
        return pd.Index([spec.name for spec, place in zip(self._columns, places, strict=True) if place >= 0])

    def _places(self, data: Rows) -> list[int]:
        """Where each column of the schema stands in the rows; -1 for an optional one that is absent."""
        width = len(data.names) if data.names is not None else len(data.rows[0]) if data.rows else len(self._columns)
        if self._names is None or data.names is None:
            if width < len(self._columns):
                raise InvalidParameterValue(
                    f"The rows have {width} values, the model takes {len(self._columns)} columns."
                )
            return list(range(len(self._columns)))
        if data.names == self._names:
            return list(range(width))
        place_of = {name: place for place, name in enumerate(data.names)}
        places = [place_of.get(name, -1) for name in self._names]
        absent = [
            name
            for name, place, spec in zip(self._names, places, self._columns, strict=True)
            if place < 0 and spec.required
        ]
        if absent:
            raise InvalidParameterValue(
                f"The model needs the column{'s' if absent[1:] else ''} {', '.join(map(shown, absent))}; "
                f"the request has {', '.join(map(shown, data.names)) or 'none'}."
            )
        return places

    def _table(self, frame: Any) -> Any:
        """A table that was read with types of its own."""
        if not self._columns:
            return frame if self._schema is None else self._tensors_of_frame(frame)
        names = tuple(map(str, frame.columns))
        places = self._places(Rows(names, [names]))
        import pandas as pd

        typed = {
            place: typed_column(spec, plain_values(frame.iloc[:, source]), place)
            for place, (spec, source) in enumerate(
                (spec, source) for spec, source in zip(self._columns, places, strict=True) if source >= 0
            )
        }
        made = pd.DataFrame(typed, copy=False)
        made.columns = self._header(places)
        return made

    def _tensors(self, data: Value) -> Any:

        value = data.value
        if data.by_rows and isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            names = dict.fromkeys(name for row in value for name in row)
            value = {name: [row.get(name) for row in value] for name in names}
        specs = {} if self._schema is None else {spec.name: spec for spec in self._schema.inputs}
        if isinstance(value, dict):
            return {
                name: _tensor(items, specs[name].type if name in specs else None, name) for name, items in value.items()
            }
        if not isinstance(value, list):
            return value if self._schema is None else _tensor(value, next(iter(specs.values())).type, None)
        if self._schema is None:
            return _guessed(value)
        if len(specs) > 1:
            raise InvalidParameterValue(
                f"The model takes the tensors {', '.join(map(shown, specs))}, the request names none."
            )
        name, spec = next(iter(specs.items()))
        tensor: np.ndarray[Any, Any] = _tensor(value, spec.type, name)
        return tensor if name is None else {name: tensor}

    def _tensors_of_frame(self, frame: Any) -> Any:
        import numpy as np

        specs = self._schema.inputs if self._schema is not None else []
        if len(specs) == 1 and specs[0].name is None:
            return _tensor(frame.to_numpy().tolist(), specs[0].type, None)
        absent = [spec.name for spec in specs if spec.name not in frame.columns]
        if absent:
            raise InvalidParameterValue(f"The model needs the tensors {', '.join(map(shown, absent))}.")
        return {spec.name: _tensor(frame[spec.name].tolist(), np.dtype(spec.type), spec.name) for spec in specs}


def _tensor(value: Any, dtype: Any, name: Any) -> Any:
    import numpy as np

    called = "The tensor" if name is None else f"The tensor {shown(name)}"
    try:
        guess = np.asarray(value)
    except ValueError as e:
        raise InvalidParameterValue(f"{called} has lists of different lengths.") from e
    if dtype is None or guess.dtype == dtype:
        return guess
    wanted = np.dtype(dtype)
    if guess.dtype.kind == "O" and wanted.kind == "f":
        try:  # null is a missing number
            guess = np.array(value, dtype=float)
        except (TypeError, ValueError) as e:
            raise InvalidParameterValue(f"{called} takes {wanted}, it has other values.") from e
    made = guess.astype(wanted, casting="unsafe") if guess.dtype.kind in _FROM.get(wanted.kind, wanted.kind) else None
    if made is None or (wanted.kind in "iu" and not (made == guess).all()):
        raise InvalidParameterValue(f"{called} takes {wanted}, its values are {guess.dtype}.")
    return made


_FROM = {"f": "iuf", "i": "iuf", "u": "iuf", "c": "iufc", "M": "UM", "m": "im", "O": "biufcUSOM", "U": "U", "S": "US"}
"""Kinds of numpy types that a tensor of a kind may be made from; integers only when nothing is lost."""


def _guessed(value: list[Any]) -> Any:
    import numpy as np

    try:
        array = np.asarray(value)
    except ValueError:
        return value
    return array if array.dtype.kind in "biufU" else value
