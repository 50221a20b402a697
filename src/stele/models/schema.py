"""Schemas: what a model takes or gives, a list of columns or a list of tensors.

Its JSON text stands in ``signature`` of an MLmodel file, so the order of keys and the spaces are MLflow's.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from stele.errors import InvalidParameterValue, shown
from stele.models.types import DataType, as_type, objects_in, type_from_dict

__all__ = ["ColSpec", "Schema", "TensorSpec"]


class ColSpec(Struct, frozen=True):
    """A column.

    Args:
        type: A type, or the name of one.
        name: None for a column that is found by its position.
        required: False when the column may be absent, and may have missing values.
    """

    type: Any
    name: Any = None
    required: bool = True

    def __post_init__(self) -> None:
        force_setattr(self, "type", as_type(self.type))
        if isinstance(self.name, list):  # the name of a column with several levels, read from JSON
            force_setattr(self, "name", tuple(self.name))

    def to_dict(self) -> dict[str, Any]:
        """The column as it stands in JSON."""
        name = {} if self.name is None else {"name": self.name}
        return {**self.type.to_dict(), **name, "required": self.required}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> ColSpec:
        """From the object in JSON."""
        return cls(type_from_dict(kwargs), kwargs.get("name"), bool(kwargs.get("required", True)))

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r}: "
        return f"{name}{self.type!r} ({'required' if self.required else 'optional'})"


class TensorSpec(Struct, frozen=True):
    """An array.

    Args:
        type: The numpy type of its items.
        shape: Length of each axis; -1 is any length.
        name: None for the only array of a schema.
    """

    type: Any
    shape: tuple[int, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        import numpy as np

        if not isinstance(self.type, np.dtype):
            raise TypeError(f"The type of a tensor is {shown(self.type)}, it must be a numpy.dtype.")
        if not isinstance(self.shape, (tuple, list)):
            raise TypeError(f"The shape of a tensor is {shown(self.shape)}, it must be a tuple or list.")
        force_setattr(self, "shape", tuple(int(length) for length in self.shape))

    @property
    def required(self) -> bool:
        """A tensor is always required."""
        return True

    @property
    def dtype_name(self) -> str:
        """The type of the items as it stands in JSON; texts and bytes have no length."""
        return str({"U": "str", "S": "bytes"}.get(self.type.kind, self.type.name))

    def to_dict(self) -> dict[str, Any]:
        """The tensor as it stands in JSON."""
        name = {} if self.name is None else {"name": self.name}
        return {**name, "type": "tensor", "tensor-spec": {"dtype": self.dtype_name, "shape": list(self.shape)}}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> TensorSpec:
        """From the object in JSON."""
        import numpy as np

        content = kwargs.get("tensor-spec")
        if not isinstance(content, dict) or "dtype" not in content or not isinstance(content.get("shape"), list):
            raise InvalidParameterValue(f"{shown(kwargs)} describes no tensor: it needs a dtype and a shape.")
        try:
            return cls(np.dtype(content["dtype"]), tuple(content["shape"]), kwargs.get("name"))
        except (TypeError, ValueError) as e:
            raise InvalidParameterValue(f"{shown(content)} describes no tensor: {e}") from e

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r}: "
        return f"{name}Tensor({self.dtype_name!r}, {self.shape})"


class Schema(Struct, frozen=True):
    """What a model takes or gives: columns, or tensors.

    Args:
        inputs: Specs of one kind, all with a name or all without. Of tensors without a name there is one.

    Raises:
        InvalidParameterValue: It is empty, or mixes what must not be mixed.
    """

    inputs: list[Any]

    def __post_init__(self) -> None:
        specs = self.inputs
        if not isinstance(specs, list) or not specs:
            raise InvalidParameterValue("A schema needs a list of at least one column or tensor.")
        kinds = {type(spec) for spec in specs}
        if len(kinds) > 1 or not kinds <= {ColSpec, TensorSpec}:
            raise InvalidParameterValue("A schema holds columns (ColSpec) or tensors (TensorSpec), not both.")
        named = [spec.name is not None for spec in specs]
        if any(named) and not all(named):
            raise InvalidParameterValue("A schema names all of its inputs or none.")
        if self.is_tensor_spec() and len(specs) > 1 and not any(named):
            raise InvalidParameterValue("Several tensors need names.")
        if not any(named) and not all(spec.required for spec in specs):
            raise InvalidParameterValue("Columns without names are found by position, so none may be optional.")

    def is_tensor_spec(self) -> bool:
        """Whether it holds tensors."""
        return isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Whether its inputs have names."""
        return self.inputs[0].name is not None

    def input_names(self) -> list[Any]:
        """Names, or positions where there are none."""
        return [position if spec.name is None else spec.name for position, spec in enumerate(self.inputs)]

    def required_input_names(self) -> list[Any]:
        """Names of inputs that must be there."""
        return [name for name, spec in zip(self.input_names(), self.inputs, strict=True) if spec.required]

    def optional_input_names(self) -> list[Any]:
        """Names of inputs that may be absent."""
        return [name for name, spec in zip(self.input_names(), self.inputs, strict=True) if not spec.required]

    def input_types(self) -> list[Any]:
        """Types, in order."""
        return [spec.type for spec in self.inputs]

    def input_dict(self) -> dict[Any, Any]:
        """Spec by name."""
        self._need_names()
        return {spec.name: spec for spec in self.inputs}

    def input_types_dict(self) -> dict[Any, Any]:
        """Type by name."""
        self._need_names()
        return {spec.name: spec.type for spec in self.inputs}

    def _need_names(self) -> None:
        if not self.has_input_names():
            raise InvalidParameterValue("The inputs of this schema have no names.")

    def numpy_types(self) -> list[Any]:
        """Numpy types, in order.

        Raises:
            InvalidParameterValue: A column has a nested type.
        """
        return self._array_types("to_numpy")

    def pandas_types(self) -> list[Any]:
        """Numpy types of columns in pandas, in order.

        Raises:
            InvalidParameterValue: A column has a nested type, or it holds tensors.
        """
        if self.is_tensor_spec():
            raise InvalidParameterValue("Tensors have no pandas types.")
        return self._array_types("to_pandas")

    def _array_types(self, method: str) -> list[Any]:
        if self.is_tensor_spec():
            return self.input_types()
        if nested := [spec for spec in self.inputs if not isinstance(spec.type, DataType)]:
            raise InvalidParameterValue(f"{nested[0]!r} has no numpy type.")
        return [getattr(kind, method)() for kind in self.input_types()]

    def to_dict(self) -> list[dict[str, Any]]:
        """The list as it stands in JSON."""
        return [spec.to_dict() for spec in self.inputs]

    def to_json(self) -> str:
        """The JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> Schema:
        """From the JSON text.

        Raises:
            InvalidParameterValue: It describes no schema.
        """
        return cls([_spec_from_dict(each) for each in objects_in(json_str, "schema")])

    def __repr__(self) -> str:
        return repr(self.inputs)


def _spec_from_dict(content: dict[str, Any]) -> ColSpec | TensorSpec:
    return (
        TensorSpec.from_json_dict(**content) if content.get("type") == "tensor" else ColSpec.from_json_dict(**content)
    )
