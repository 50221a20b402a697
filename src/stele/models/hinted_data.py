"""Data against the type hint of ``predict``: lists of values, of dictionaries, of pydantic models."""

from __future__ import annotations

import dataclasses
import datetime
import types
import typing
from typing import Any, Union

from stele.errors import InvalidParameterValue, shown

__all__ = ["checked_by_hint"]


def checked_by_hint(data: Any, hint: Any) -> Any:
    """The data as ``predict`` says that it takes them.

    Args:
        data: What the caller passed; a data frame becomes the list of its rows, or of its only column.
        hint: The hint; only ``list[...]`` is checked.

    Returns:
        The same data; dictionaries became objects where the hint asks for pydantic models or dataclasses.

    Raises:
        InvalidParameterValue: They do not fit; the message says which item.
    """
    if typing.get_origin(hint) is not list:
        return data
    (item,) = typing.get_args(hint)
    if type(data).__name__ == "DataFrame" and hasattr(data, "to_dict"):
        data = _rows(data, item)
    if not isinstance(data, list):
        raise InvalidParameterValue(
            f"The model takes {_name(hint)}; got a {type(data).__name__}. Pass a list, even for one item."
        )
    return [_checked(each, item, f"item {index}") for index, each in enumerate(data)]


def _rows(frame: Any, item: Any) -> list[Any]:
    nested = typing.get_origin(item) is dict or (isinstance(item, type) and item not in _PLAIN)
    if len(frame.columns) == 1 and not nested:
        return list(frame.iloc[:, 0].tolist())
    return list(frame.to_dict("records"))


_PLAIN = {bool, int, float, str, bytes, datetime.datetime}


def _checked(value: Any, hint: Any, path: str) -> Any:
    if hint is Any:
        return value
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN:
        _need(_is_plain(value, hint), value, hint, path)
        return float(value) if hint is float else value
    if origin is list:
        _need(isinstance(value, list), value, hint, path)
        return [_checked(each, arguments[0], f"{path}[{index}]") for index, each in enumerate(value)]
    if origin is dict:
        _need(isinstance(value, dict), value, hint, path)
        return {key: _checked(each, arguments[1], f"{path}.{key}") for key, each in value.items()}
    if origin in (Union, types.UnionType):
        return _one_of(value, arguments, hint, path)
    return _object(value, hint, path)


def _is_plain(value: Any, hint: type) -> bool:
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _one_of(value: Any, hints: tuple[Any, ...], hint: Any, path: str) -> Any:
    for each in hints:
        try:
            return None if each is type(None) and value is None else _checked(value, each, path)
        except InvalidParameterValue:
            continue
    _need(False, value, hint, path)
    return value


def _object(value: Any, hint: Any, path: str) -> Any:
    if not isinstance(hint, type) or isinstance(value, hint):
        return value
    if not isinstance(value, dict):
        _need(False, value, hint, path)
    try:
        if hasattr(hint, "model_validate"):
            return hint.model_validate(value)
        return hint(**value) if dataclasses.is_dataclass(hint) else value
    except (TypeError, ValueError) as e:
        raise InvalidParameterValue(f"The data do not fit {_name(hint)} at {path}: {e}") from e


def _need(fits: bool, value: Any, hint: Any, path: str) -> None:
    if not fits:
        raise InvalidParameterValue(
            f"The data do not fit: {path} is {shown(value)}, a {type(value).__name__}; the model takes {_name(hint)}."
        )


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint)) if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
