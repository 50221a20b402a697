"""Requests for predictions as they arrive: JSON of several forms, CSV, Parquet.

What comes out are rows, a table or a value, not yet of the types that the model wants: rows of several requests can be
put together before they are converted, see ``inputs.py``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from stele.errors import InvalidParameterValue, MissingDependency, UnsupportedMediaType, shown

__all__ = ["CSV", "JSON", "PARQUET", "Payload", "Rows", "Table", "Value", "parse_body"]

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"

_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_WHOLE_FORMS = ("messages", "prompt", "input")
"""A body with one of these is what a chat model takes, and its answer is not wrapped."""


class Rows(Struct, frozen=True):
    """Rows of values; ``names`` of the columns is None when nobody named them."""

    names: tuple[str, ...] | None
    rows: list[Sequence[Any]]


class Table(Struct, frozen=True):
    """A pandas data frame."""

    frame: Any


class Value(Struct, frozen=True):
    """Anything else.

    Attributes:
        value: As it stood in the body.
        whole: Whether the value is the body itself.
        by_rows: Whether the first level of a list are rows (``instances``), not one value (``inputs``).
    """

    value: Any
    whole: bool = False
    by_rows: bool = False


class Payload(Struct, frozen=True):
    """A request: data and parameters of one prediction."""

    data: Rows | Table | Value
    params: dict[str, Any] | None = None


def parse_body(content_type: str, body: bytes) -> Payload:
    """Read the body of a request to ``/invocations``.

    Raises:
        UnsupportedMediaType: Of its format or encoding.
        InvalidParameterValue: Its content is not what the format promises.
    """
    kind, _, options = content_type.partition(";")
    kind = kind.strip().lower()
    charset = options.strip().lower().replace(" ", "").replace('"', "")
    if charset and charset not in ("charset=utf-8", "charset=utf8"):
        raise UnsupportedMediaType(
            f"The parameter {shown(options.strip())} of Content-Type is not allowed; use charset=utf-8."
        )
    reader = _READERS.get(kind)
    if reader is None:
        raise UnsupportedMediaType(f"Content-Type {shown(content_type)} is not read here; send {', '.join(_READERS)}.")
    return reader(body)


def _from_json(body: bytes) -> Payload:
    content = _decoded(body)
    if not isinstance(content, dict):
        raise InvalidParameterValue(
            f"The body is a JSON {type(content).__name__}; send an object with {_alternatives()}."
        )
    forms = [form for form in _FORMS if form in content]
    if not forms and any(form in content for form in _WHOLE_FORMS):
        return Payload(Value(content, whole=True))
    if len(forms) != 1:
        found = ", ".join(map(shown, content)) if content else "nothing"
        raise InvalidParameterValue(
            f"The body has {found}; send exactly one of {_alternatives()}, beside it only 'params'."
        )
    params = content.get("params")
    if params is not None and not isinstance(params, dict):
        raise InvalidParameterValue(f"params is {shown(params)}; it must be an object of values by name.")
    return Payload(_FORM_READERS[forms[0]](content[forms[0]]), params)


def _alternatives() -> str:
    return ", ".join(map(repr, _FORMS))


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as e:
        if b"NaN" in body or b"Infinity" in body:  # what Python's own json writes, and MLflow's server reads
            try:
                return json.loads(body)
            except (ValueError, RecursionError):
                pass
        raise InvalidParameterValue(f"The body is no JSON: {e}") from e


def _split(content: Any) -> Rows:
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise InvalidParameterValue(
            "dataframe_split must be an object with a list 'data' of rows, and 'columns' if they have names."
        )
    names = content.get("columns")
    if names is not None and not isinstance(names, list):
        raise InvalidParameterValue(f"dataframe_split.columns is {shown(names)}; it must be a list of names.")
    return _checked_rows(None if names is None else tuple(map(str, names)), content["data"], "dataframe_split.data")


def _records(content: Any) -> Rows:
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise InvalidParameterValue("dataframe_records must be a list of objects, one a row.")
    return rows_of_records(content)


def rows_of_records(records: list[dict[str, Any]]) -> Rows:
    """Objects as rows: columns in the order in which they first appear, None where an object has no value."""
    names = tuple(dict.fromkeys(name for record in records for name in record))
    return Rows(names, [[record.get(name) for name in names] for record in records])


def _checked_rows(names: tuple[str, ...] | None, rows: list[Any], path: str) -> Rows:
    width = len(names) if names is not None else len(rows[0]) if rows and isinstance(rows[0], list) else 0
    for place, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != width:
            raise InvalidParameterValue(f"{path}[{place}] is {shown(row)}; it must be a list of {width} values.")
    return Rows(names, rows)


_FORM_READERS: dict[str, Callable[[Any], Rows | Value]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": lambda content: Value(content, by_rows=True),
    "inputs": Value,
}


def _from_csv(body: bytes) -> Payload:
    import pandas as pd

    try:
        return Payload(Table(pd.read_csv(io.BytesIO(body), encoding="utf-8")))
    except (ValueError, pd.errors.ParserError) as e:
        raise InvalidParameterValue(f"The body is no CSV with a header line: {e}") from e


def _from_parquet(body: bytes) -> Payload:
    import pandas as pd

    try:
        return Payload(Table(pd.read_parquet(io.BytesIO(body))))
    except ImportError as e:
        raise MissingDependency("pyarrow", "to read Parquet", "export") from e
    except (ValueError, OSError) as e:
        raise InvalidParameterValue(f"The body is no Parquet file: {e}") from e


_READERS: dict[str, Callable[[bytes], Payload]] = {JSON: _from_json, CSV: _from_csv, PARQUET: _from_parquet}
