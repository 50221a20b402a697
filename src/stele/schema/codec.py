"""Bytes to Structs and back, with the habits of MLflow's wire.

Input: int64 as number, numeric string or whole float; doubles also as ``"NaN"`` and ``"Infinity"``; camelCase names
beside snake_case; ``null`` means absent; unknown fields are ignored. Output: snake_case, unset fields and empty
lists left out, non-finite doubles as the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"`` (JSON has no such
numbers).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar, cast

import msgspec
from msgspec import Meta, Struct

from stele.errors import InvalidParameterValue, shown
from stele.limits import INT64_MAX, INT64_MIN
from stele.schema.columns import Column, Columnar, json_number

__all__ = ["Int64", "Message", "decode", "decode_query", "encode", "required", "to_builtins", "to_query"]

Int64 = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]

M = TypeVar("M", bound=Struct)


class Message(Struct, omit_defaults=True, kw_only=True):
    """A request or a response. A field without a default must be sent; one at its default is not written."""


def _written(value: object) -> object:
    """What msgspec does not know by itself, as a list."""
    if isinstance(value, Columnar):
        return value.to_json()
    raise NotImplementedError(f"A message cannot hold {shown(value)}.")


def _read(cls: type, value: Any) -> Any:
    """The inverse of :func:`_written` for columns."""
    if issubclass(cls, Column) and isinstance(value, list):
        return cls.of(value)
    raise ValueError(f"Expected `array`, got `{type(value).__name__}`")


_encoder = msgspec.json.Encoder(enc_hook=_written)
_CAMEL = re.compile(rb'"[a-z]+(?:[A-Z][a-z0-9]*)+"\s*:')
_NO_CAPITALS = bytes(set(range(256)) - set(range(ord("A"), ord("Z") + 1)))
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_PATH = re.compile(r" - at `(\$.*?)`$")


@cache
def _decoder(cls: type[M]) -> msgspec.json.Decoder[M]:
    return msgspec.json.Decoder(cls, strict=False, dec_hook=_read)


def required(value: str, path: str) -> str:
    """The text, unchanged when it is not empty: on MLflow's wire an empty string counts as missing.

    Raises:
        InvalidParameterValue: When it is empty.
    """
    if not value:
        raise InvalidParameterValue(f"{path} is missing or empty.")
    return value


def encode(message: object) -> bytes:
    """The JSON text of a Struct, or of plain dicts and lists."""
    body = _encoder.encode(message)
    # msgspec writes non-finite floats as null. Absent fields are never written, so a null is one of them or part of a
    # text. From the end, because that finds nothing in a quarter of the time.
    if body.rfind(b"null") >= 0:
        body = _encoder.encode(_finite(to_builtins(message)))
    return body


def to_builtins(message: object) -> Any:
    """The message as dicts, lists and numbers, under its wire names, NaN and infinities as they are."""
    return msgspec.to_builtins(message, enc_hook=_written)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return json_number(value) if isinstance(value, float) else value


def decode(body: bytes, cls: type[M]) -> M:
    """The message in a JSON body.

    Args:
        body: UTF-8 JSON text of an object; nothing at all counts as ``{}``.
        cls: The Struct to read.

    Raises:
        InvalidParameterValue: The text is no JSON object, or a field is missing or of the wrong type; its path is
        named.
    """
    body = body or b"{}"
    if not _has_camel_case(body):
        try:
            return cast("M", _decoder(cls).decode(body))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            pass  # null for a field, JSON in a JSON string, or a real mistake: the careful way tells
    return _convert(_canonical(_object(body)), cls)


def _has_camel_case(body: bytes) -> bool:
    capitals = len(body.translate(None, _NO_CAPITALS))
    # Long lists of points have no other capitals than these, and to count takes a tenth of the time of a search.
    if not capitals or capitals == 2 * body.count(b'"NaN"') + body.count(b'Infinity"'):
        return False
    return _CAMEL.search(body) is not None


def _object(body: bytes) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(body)
        if isinstance(raw, str):  # MLflow accepts an object that was encoded twice
            raw = msgspec.json.decode(raw)
    except RecursionError as e:
        raise InvalidParameterValue("The request body is nested too deeply.") from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise InvalidParameterValue(
            f"The request body is not valid JSON: {e}. NaN and infinities are written as strings, 'NaN', 'Infinity'."
        ) from e
    if not isinstance(raw, dict):
        raise InvalidParameterValue(f"The request body must be a JSON object, not {shown(raw)}.")
    return raw


def _canonical(value: Any, path: str = "") -> Any:
    """Snake_case names, and no nulls in objects."""
    if isinstance(value, list):
        return [_canonical(item, f"{path}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    result: dict[str, Any] = {}
    for name, item in value.items():
        snake = _CAPITAL.sub(lambda match: f"_{match[1].lower()}", name)
        if item is None:
            continue
        if snake != name and snake in value:
            raise InvalidParameterValue(
                f"{path or 'The body'} gives both {snake!r} and {name!r}; one of them is allowed."
            )
        result[snake] = _canonical(item, f"{path}.{snake}".lstrip("."))
    return result


def _convert(raw: dict[str, Any], cls: type[M]) -> M:
    try:
        return msgspec.convert(raw, cls, strict=False, dec_hook=_read)
    except msgspec.ValidationError as e:
        raise InvalidParameterValue(_explain(str(e), raw, cls)) from e


def _explain(text: str, raw: object, cls: type[Struct]) -> str:
    """A validation error of msgspec with the field's path in front and the value behind."""
    match = _PATH.search(text)
    problem = (text[: match.start()] if match else text).replace("`", "").rstrip(".")
    path = match[1].removeprefix("$").lstrip(".") if match else ""
    if problem.startswith("Object missing required field "):
        name = problem.removeprefix("Object missing required field ")
        return f"{f'{path}.{name}' if path else name} is missing."
    value = _at(raw, path)
    if problem.startswith("Invalid enum value"):
        allowed = ", ".join(map(str, _allowed(msgspec.inspect.type_info(cls), re.findall(r"\w+", path))))
        return f"{path} {shown(value)} is not one of {allowed}."
    where = f"{path} " if path and not problem.startswith(path) else ""
    return (
        f"{where}{problem[:1].lower() + problem[1:] if where else problem}{f', value {shown(value)}' if path else ''}."
    )


def _allowed(kind: msgspec.inspect.Type, path: Sequence[str]) -> Sequence[object]:
    """The values that a type takes at a path, where it takes certain values."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return [value for each in kind.types for value in _allowed(each, path)]
    if isinstance(kind, msgspec.inspect.ListType):
        return _allowed(kind.item_type, path[1:])
    if isinstance(kind, msgspec.inspect.EnumType):
        return [member.value for member in kind.cls]
    if isinstance(kind, msgspec.inspect.StructType):
        fields = {item.encode_name: item.type for item in kind.fields}
        return _allowed(fields[path[0]], path[1:]) if path and path[0] in fields else []
    if isinstance(kind, msgspec.inspect.LiteralType):
        return sorted(kind.values, key=lambda value: isinstance(value, int))  # MLflow's numbers behind the names
    return []


def _at(raw: Any, path: str) -> Any:
    for part in re.findall(r"\w+", path):
        try:
            raw = raw[int(part)] if isinstance(raw, list) else raw[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return raw


@cache
def _list_fields(cls: type[Struct]) -> frozenset[str]:
    schema = msgspec.inspect.type_info(cls)
    assert isinstance(schema, msgspec.inspect.StructType)
    return frozenset(item.encode_name for item in schema.fields if isinstance(item.type, msgspec.inspect.ListType))


def decode_query(parameters: Mapping[str, Sequence[str]], cls: type[M]) -> M:
    """The message in the query of a GET request: a repeated name is a list, of a repeated scalar the last one counts.

    Raises:
        InvalidParameterValue: As :func:`decode`.
    """
    lists = _list_fields(cls)
    raw = _canonical({name: list(values) for name, values in parameters.items()})
    return _convert({name: item if name in lists else item[-1] for name, item in raw.items() if item}, cls)


def to_query(message: Struct) -> list[tuple[str, str]]:
    """The query of a GET request, the inverse of :func:`decode_query`."""
    return [
        (name, ("true" if item else "false") if isinstance(item, bool) else str(item))
        for name, value in msgspec.to_builtins(message).items()
        for item in (value if isinstance(value, list) else [value])
    ]
