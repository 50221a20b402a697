"""Type hints as schemas: what ``predict`` says that it takes and gives."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, Union

from stele.errors import InvalidParameterValue, shown
from stele.models.inference import CannotInfer
from stele.models.schema import ColSpec, Schema
from stele.models.types import AnyType, Array, DataType, Map, Object, Property

__all__ = ["PredictHints", "predict_hints", "schema_of_dataclass", "schema_of_hint"]

_SCALARS = {
    bool: DataType.boolean,
    int: DataType.long,
    float: DataType.double,
    str: DataType.string,
    bytes: DataType.binary,
    datetime.datetime: DataType.datetime,
}


class PredictHints(typing.NamedTuple):
    """The hints of ``predict``; None where it has none."""

    input: Any
    output: Any


def predict_hints(predict: Callable[..., Any]) -> PredictHints:
    """The hints of data and result, of a method ``predict(self, context, model_input, params)`` or a function.

    Args:
        predict: A bound method or a function. The data are its argument ``model_input``, or the first one that is
            neither ``self`` nor ``context``.
    """
    try:
        hints = typing.get_type_hints(predict)
    except Exception:  # a hint may name what is not imported, or raise anything
        return PredictHints(None, None)
    names = [name for name in inspect.signature(predict).parameters if name not in ("self", "context", "params")]
    return PredictHints(hints.get(names[0]) if names else None, hints.get("return"))


def schema_of_hint(hint: Any) -> Schema | None:
    """The schema of ``list[...]``; None for hints that are no list.

    Raises:
        CannotInfer: The list's items have no type that a schema can name.
    """
    if hint is list or hint is typing.List:  # noqa: UP006 - the old name in others' code
        raise CannotInfer("The hint 'list' says nothing about the items; write list[str], for example.")
    if typing.get_origin(hint) is not list:
        return None
    (item,) = typing.get_args(hint)
    return Schema([ColSpec(_type_of(item))])


def schema_of_dataclass(cls: Any) -> Schema | None:
    """The schema of a dataclass: a column for each field; None when it is no dataclass."""
    if not dataclasses.is_dataclass(cls):
        return None
    return Schema([ColSpec(each.dtype, each.name, each.required) for each in _fields(cls) or ()])


def _type_of(hint: Any) -> Any:
    if hint in _SCALARS:
        return _SCALARS[hint]
    if hint is Any:
        return AnyType()
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return Array(_type_of(arguments[0]))
    if origin is dict and arguments[0] is str:
        return Map(_type_of(arguments[1]))
    if origin in (Union, types.UnionType):
        if type(None) in arguments:
            raise CannotInfer(f"The hint {shown(hint)} allows None; in a list of plain values none may be missing.")
        return AnyType()
    if origin is Literal:
        return _literal(arguments)
    if (fields := _fields(hint)) is not None:
        return Object(fields)
    raise CannotInfer(f"A schema has no type for the hint {shown(hint)}.")


def _literal(values: tuple[Any, ...]) -> DataType | AnyType:
    kinds = {type(each) for each in values}
    return _SCALARS.get(kinds.pop(), AnyType()) if len(kinds) == 1 else AnyType()


def _fields(cls: Any) -> list[Property] | None:
    """The fields of a pydantic model or a dataclass; None for everything else."""
    if not isinstance(cls, type):
        return None
    if hasattr(cls, "model_fields"):
        return [_field(name, each.annotation, cls) for name, each in cls.model_fields.items()]
    if dataclasses.is_dataclass(cls):
        hints = typing.get_type_hints(cls)
        return [_field(each.name, hints[each.name], cls) for each in dataclasses.fields(cls)]
    return None


def _field(name: str, hint: Any, cls: type) -> Property:
    arguments = typing.get_args(hint)
    optional = typing.get_origin(hint) in (Union, types.UnionType) and type(None) in arguments
    if optional:
        others = [each for each in arguments if each is not type(None)]
        hint = others[0] if len(others) == 1 else Any
    try:
        return Property(name, _type_of(hint), not optional)
    except InvalidParameterValue as e:
        raise CannotInfer(f"The field {name} of {cls.__name__} has no type of schemas: {e}") from e
