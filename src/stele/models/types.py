"""The types of values that models take and give, nested ones included, in MLflow's JSON form."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import force_setattr

from stele.errors import InvalidParameterValue, shown

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "AnyType",
    "Array",
    "BaseType",
    "DataType",
    "Map",
    "Object",
    "Property",
    "SparkMLVector",
    "as_type",
    "objects_in",
    "type_from_dict",
]

MAX_NESTING = 64
"""How deep types may be nested in a text that comes from outside."""


class DataType(Enum):
    """The types of single values."""

    boolean = 1
    integer = 2  # 32 bits
    long = 3  # 64 bits
    float = 4  # 32 bits
    double = 5  # 64 bits
    string = 6
    binary = 7
    datetime = 8

    def __repr__(self) -> str:
        return self.name

    __str__ = Enum.__str__

    def to_dict(self) -> dict[str, Any]:
        """The type as it stands in JSON."""
        return {"type": self.name}

    def to_numpy(self) -> np.dtype[Any]:
        """The numpy type of an array of such values."""
        import numpy as np

        return np.dtype(_NUMPY[self.name])

    def to_pandas(self) -> np.dtype[Any]:
        """The numpy type of a column of such values; texts and bytes are objects."""
        import numpy as np

        return np.dtype(object) if self.name in ("string", "binary") else self.to_numpy()

    def to_python(self) -> type:
        """The Python class of such a value."""
        return _PYTHON[self.name]

    @classmethod
    def all_types(cls) -> list[DataType]:
        """Every type, in order."""
        return list(cls)


_NUMPY = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
    "binary": "bytes",
    "datetime": "datetime64[ns]",
}

_PYTHON: dict[str, type] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "binary": bytes,
    "datetime": datetime.date,
}


class BaseType(Struct, frozen=True):
    """A nested type."""

    def to_dict(self) -> dict[str, Any]:
        """The type as it stands in JSON."""
        raise NotImplementedError


class AnyType(BaseType, frozen=True):
    """Any value, None included."""

    def to_dict(self) -> dict[str, Any]:
        """The type as it stands in JSON."""
        return {"type": "any"}

    def __repr__(self) -> str:
        return "Any"


class Array(BaseType, frozen=True):
    """A list or one-dimensional array; ``dtype`` is the type of its items."""

    dtype: Any

    def __post_init__(self) -> None:
        force_setattr(self, "dtype", as_type(self.dtype))

    def to_dict(self) -> dict[str, Any]:
        """The type as it stands in JSON."""
        return {"type": "array", "items": self.dtype.to_dict()}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> Array:
        """From the object in JSON."""
        return cls(type_from_dict(_needed(kwargs, "items")))

    def __repr__(self) -> str:
        return f"Array({self.dtype!r})"


class SparkMLVector(Array, frozen=True):
    """A vector of Spark's machine learning library: doubles."""

    dtype: Any = DataType.double

    def to_dict(self) -> dict[str, Any]:
        """The type as it stands in JSON."""
        return {"type": "sparkml_vector"}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> SparkMLVector:
        """From the object in JSON."""
        del kwargs
        return cls()

    def __repr__(self) -> str:
        return "SparkML vector"


class Map(BaseType, frozen=True):
    """A dictionary with any keys, which are texts, and values of one type."""

    value_type: Any

    def __post_init__(self) -> None:
        force_setattr(self, "value_type", as_type(self.value_type))

    def to_dict(self) -> dict[str, Any]:
        """The type as it stands in JSON."""
        return {"type": "map", "values": self.value_type.to_dict()}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> Map:
        """From the object in JSON."""
        return cls(type_from_dict(_needed(kwargs, "values")))

    def __repr__(self) -> str:
        return f"Map(str -> {self.value_type!r})"


class Property(BaseType, frozen=True):
    """One entry of an :class:`Object`."""

    name: str
    dtype: Any
    required: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise InvalidParameterValue(f"The name of a property is {shown(self.name)}, it must be a text.")
        force_setattr(self, "dtype", as_type(self.dtype))

    def to_dict(self) -> dict[str, Any]:
        """The property as it stands in JSON, below its name."""
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> Property:
        """From one name with its object in JSON."""
        if len(kwargs) != 1:
            raise InvalidParameterValue(f"A property has one name, got {shown(sorted(kwargs))}.")
        ((name, content),) = kwargs.items()
        return cls(name, type_from_dict(content), bool(content.get("required", True)))

    def __repr__(self) -> str:
        return f"{self.name}: {self.dtype!r} ({'required' if self.required else 'optional'})"


class Object(BaseType, frozen=True):
    """A dictionary whose keys are known; the order of properties does not count."""

    properties: list[Property]

    def __post_init__(self) -> None:
        if not self.properties:
            raise InvalidParameterValue("An object type needs at least one property.")
        names = [each.name for each in self.properties]
        if len(set(names)) < len(names):
            raise InvalidParameterValue(f"Properties have the same name: {shown(names)}.")
        # In the order of their names, so that equal types have equal texts.
        force_setattr(self, "properties", sorted(self.properties, key=lambda each: each.name))

    def to_dict(self) -> dict[str, Any]:
        """The type as it stands in JSON."""
        return {"type": "object", "properties": {k: v for each in self.properties for k, v in each.to_dict().items()}}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> Object:
        """From the object in JSON."""
        content = _needed(kwargs, "properties")
        if not isinstance(content, dict):
            raise InvalidParameterValue(f"The properties of an object type are {shown(content)}, not an object.")
        return cls([Property.from_json_dict(**{name: each}) for name, each in content.items()])

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self.properties))}}}"


def as_type(value: Any) -> Any:
    """A type from itself or its name.

    Raises:
        InvalidParameterValue: There is no such type.
    """
    if isinstance(value, (DataType, BaseType)):
        return value
    if isinstance(value, str) and value in DataType.__members__:
        return DataType[value]
    if value == "any":
        return AnyType()
    raise InvalidParameterValue(
        f"{shown(value)} is no type of a column. Allowed are {', '.join(DataType.__members__)}, "
        "any, Array, Object, Map and AnyType."
    )


_NESTED: Mapping[str, Callable[..., Any]] = {
    "array": Array.from_json_dict,
    "object": Object.from_json_dict,
    "map": Map.from_json_dict,
    "sparkml_vector": SparkMLVector.from_json_dict,
}


def type_from_dict(content: Any) -> Any:
    """A type from its object in JSON.

    Raises:
        InvalidParameterValue: There is no such type, or its parts are missing.
    """
    if not isinstance(content, dict) or "type" not in content:
        raise InvalidParameterValue(f"{shown(content)} describes no type: it has no 'type'.")
    build = _NESTED.get(content["type"]) if isinstance(content["type"], str) else None
    return build(**content) if build else as_type(content["type"])


def _needed(content: Mapping[str, Any], key: str) -> Any:
    if key not in content:
        raise InvalidParameterValue(f"The type {shown(content.get('type'))} has no {key!r}.")
    return content[key]


def objects_in(text: str, what: str) -> list[dict[str, Any]]:
    """The objects of a JSON list that may come from anywhere.

    Raises:
        InvalidParameterValue: It is no such list, or nested too deeply.
    """
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError) as e:
        raise InvalidParameterValue(f"{shown(text)} is no {what}: {type(e).__name__}.") from e
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidParameterValue(f"{shown(text)} is no {what}: it must be a list of objects.")
    _check_nesting(found, what)
    return found


def _check_nesting(content: Any, what: str) -> None:
    level: list[Any] = [content]
    for _ in range(MAX_NESTING):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise InvalidParameterValue(f"The {what} is nested more than {MAX_NESTING} levels deep.")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
