"""Parameters of prediction: their types and defaults, and the check of values that a caller gives."""

from __future__ import annotations

import datetime
import json
import math
import warnings
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from stele.errors import InvalidParameterValue, shown
from stele.models.types import AnyType, Array, DataType, Map, Object, as_type, objects_in, type_from_dict

__all__ = ["ParamSchema", "ParamSpec", "checked_params"]


class ParamSpec(Struct, frozen=True):
    """A parameter.

    Args:
        name: Its name.
        dtype: A type of single values, not binary, or an :class:`~stele.models.types.Object`.
        default: What holds when the caller does not give it.
        shape: None for a single value, ``(-1,)`` for a list.

    Raises:
        InvalidParameterValue: The default does not fit.
    """

    name: str
    dtype: Any
    default: Any
    shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        dtype = as_type(self.dtype)
        if dtype is DataType.binary or not isinstance(dtype, (DataType, Object)):
            raise InvalidParameterValue(
                f"The parameter {shown(self.name)} has the type {dtype!r}; parameters are single values but binary, "
                "lists of them, or objects."
            )
        shape = None if self.shape is None else tuple(self.shape)
        if shape not in (None, (-1,)):
            raise InvalidParameterValue(
                f"The parameter {shown(self.name)} has the shape {shape}; allowed are None and (-1,)."
            )
        force_setattr(self, "dtype", dtype)
        force_setattr(self, "shape", shape)
        force_setattr(self, "default", self.converted(self.default))

    def converted(self, value: Any) -> Any:
        """The value in the type of the parameter; None stays as it is.

        Raises:
            InvalidParameterValue: It does not fit without loss.
        """
        if value is None:
            return None
        if self.shape is None:
            return _converted(value, self.dtype, self.name)
        if hasattr(value, "tolist") and getattr(value, "ndim", 0) == 1:
            value = list(value)
        if not isinstance(value, list):
            raise InvalidParameterValue(
                f"The parameter {shown(self.name)} is a list of {self.dtype!r}, got {shown(value)}."
            )
        return [_converted(each, self.dtype, self.name) for each in value]

    def to_dict(self) -> dict[str, Any]:
        """The parameter as it stands in JSON."""
        shape = None if self.shape is None else list(self.shape)
        return {"name": self.name, "default": _as_text(self.default), "shape": shape, **self.dtype.to_dict()}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> ParamSpec:
        """From the object in JSON."""
        if missing := {"name", "default"} - kwargs.keys():
            raise InvalidParameterValue(f"The parameter {shown(kwargs)} has no {min(missing)!r}.")
        # Old files call the type 'dtype'.
        dtype = type_from_dict(kwargs) if "type" in kwargs else as_type(kwargs.get("dtype"))
        return cls(kwargs["name"], dtype, kwargs["default"], kwargs.get("shape"))

    def __repr__(self) -> str:
        shape = "" if self.shape is None else f" (shape: {self.shape})"
        return f"{self.name!r}: {self.dtype!r} (default: {self.default!r}){shape}"


class ParamSchema(Struct, frozen=True):
    """The parameters that a model takes.

    Raises:
        InvalidParameterValue: Two have the same name.
    """

    params: list[ParamSpec]

    def __post_init__(self) -> None:
        names = [each.name for each in self.params]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise InvalidParameterValue(f"Parameters have the same name: {shown(sorted(repeated))}.")

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Any:
        return iter(self.params)

    def to_dict(self) -> list[dict[str, Any]]:
        """The list as it stands in JSON."""
        return [each.to_dict() for each in self.params]

    def to_json(self) -> str:
        """The JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> ParamSchema:
        """From the JSON text.

        Raises:
            InvalidParameterValue: It describes no parameters.
        """
        return cls([ParamSpec.from_json_dict(**each) for each in objects_in(json_str, "parameter schema")])

    def __repr__(self) -> str:
        return repr(self.params)


def checked_params(params: Any, schema: ParamSchema | None) -> dict[str, Any]:
    """What ``predict`` gets: the caller's values in their types, and the defaults of the others.

    Args:
        params: By name; names that the schema does not have are left out with a warning.
        schema: None when the model takes no parameters.

    Raises:
        InvalidParameterValue: It is no dictionary, or a value does not fit.
    """
    if params is not None and not isinstance(params, Mapping):
        raise InvalidParameterValue(f"Parameters are a dictionary from names to values, got {type(params).__name__}.")
    given = {str(name): value for name, value in (params or {}).items()}
    known = {} if schema is None else {spec.name: spec for spec in schema.params}
    if unknown := sorted(given.keys() - known.keys()):
        allowed = f"It takes {', '.join(known)}." if known else "Its signature has no parameters."
        warnings.warn(f"The model does not take {', '.join(unknown)}; left out. {allowed}", stacklevel=3)
    return {name: spec.converted(given[name]) if name in given else spec.default for name, spec in known.items()}


def _as_text(value: Any) -> Any:
    """The value as JSON knows it: dates as ISO texts."""
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    return value


def _converted(value: Any, dtype: Any, path: str) -> Any:
    """One value in a type that it fits without loss, as a Python value."""
    if isinstance(dtype, Object):
        return _object(value, dtype, path)
    if isinstance(dtype, Array) and isinstance(value, list):
        return [_converted(each, dtype.dtype, f"{path}[{index}]") for index, each in enumerate(value)]
    if isinstance(dtype, Map) and isinstance(value, dict):
        return {key: _converted(each, dtype.value_type, f"{path}.{key}") for key, each in value.items()}
    if isinstance(dtype, AnyType):
        return value
    if isinstance(dtype, DataType):
        if dtype is DataType.datetime:
            return _date(value, path)
        plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
        if _fits(plain, dtype, getattr(getattr(value, "dtype", None), "name", "")):
            return float(plain) if dtype in (DataType.float, DataType.double) else plain
    raise InvalidParameterValue(
        f"The parameter {shown(path)} is {shown(value)}, a {type(value).__name__}; it must be {dtype!r}."
    )


def _object(value: Any, dtype: Object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidParameterValue(f"The parameter {shown(path)} is {shown(value)}; it must be {dtype!r}.")
    properties = {each.name: each for each in dtype.properties}
    if unknown := sorted(map(str, value.keys() - properties.keys())):
        raise InvalidParameterValue(f"The parameter {shown(path)} has no property {', '.join(unknown)}.")
    if missing := sorted(each.name for each in dtype.properties if each.required and each.name not in value):
        raise InvalidParameterValue(f"The parameter {shown(path)} lacks the properties {', '.join(missing)}.")
    return {
        name: each if each is None else _converted(each, properties[name].dtype, f"{path}.{name}")
        for name, each in value.items()
    }


_INTEGER_BITS = {DataType.integer: 32, DataType.long: 64}


def _fits(value: Any, dtype: DataType, numpy_name: str) -> bool:
    if dtype is DataType.boolean:
        return isinstance(value, bool)
    if dtype is DataType.string:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if dtype in _INTEGER_BITS:
        bits = _INTEGER_BITS[dtype]
        return isinstance(value, int) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
    if dtype is DataType.float and numpy_name == "float64":
        return False
    return isinstance(value, float) or math.isfinite(float(value))


def _date(value: Any, path: str) -> Any:
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value)
        except ValueError:
            pass
    elif getattr(getattr(value, "dtype", None), "kind", "") == "M":
        plain = value.item()  # an int when it counts nanoseconds
        return plain if isinstance(plain, datetime.date) else value.astype("datetime64[us]").item()
    raise InvalidParameterValue(
        f"The parameter {shown(path)} is {shown(value)}; it must be a date or time, or one as ISO text."
    )
