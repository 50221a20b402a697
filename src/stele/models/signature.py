"""What a model takes and gives: a schema of inputs, one of outputs, and parameters."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from stele.errors import InvalidParameterValue, shown
from stele.models.hints import schema_of_dataclass
from stele.models.inference import CannotInfer, infer_params, infer_schema
from stele.models.params import ParamSchema
from stele.models.schema import ColSpec, Schema
from stele.models.types import AnyType

__all__ = ["ModelSignature", "infer_signature"]


class ModelSignature:
    """What a model takes and gives.

    Args:
        inputs: What ``predict`` takes, a schema or a dataclass; None when nobody knows.
        outputs: What it gives.
        params: The parameters that it takes besides.

    Raises:
        InvalidParameterValue: None of them is given.
    """

    def __init__(self, inputs: Any = None, outputs: Any = None, params: ParamSchema | None = None) -> None:
        if inputs is None and outputs is None and params is None:
            raise InvalidParameterValue("A signature needs inputs, outputs or params.")
        self.inputs: Schema | None = _as_schema(inputs, "inputs")
        self.outputs: Schema | None = _as_schema(outputs, "outputs")
        if not isinstance(params, (ParamSchema, type(None))):
            raise InvalidParameterValue(f"params is {shown(params)}, it must be a ParamSchema.")
        self.params = params

    def to_dict(self) -> dict[str, Any]:
        """The signature as it stands in MLmodel: JSON texts."""
        return {
            "inputs": self.inputs.to_json() if self.inputs else None,
            "outputs": self.outputs.to_json() if self.outputs else None,
            "params": self.params.to_json() if self.params else None,
        }

    @classmethod
    def from_dict(cls, signature_dict: dict[str, Any]) -> ModelSignature:
        """From the mapping of MLmodel.

        Raises:
            InvalidParameterValue: It is no signature.
        """
        if not isinstance(signature_dict, Mapping):
            raise InvalidParameterValue(f"{shown(signature_dict)} is no signature.")
        texts = {key: signature_dict.get(key) for key in ("inputs", "outputs", "params")}
        return cls(
            Schema.from_json(texts["inputs"]) if texts["inputs"] else None,
            Schema.from_json(texts["outputs"]) if texts["outputs"] else None,
            ParamSchema.from_json(texts["params"]) if texts["params"] else None,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelSignature) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # equal ones may be changed apart

    def __repr__(self) -> str:
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return "".join(f"{name}: \n  {part!r}\n" for name, part in parts.items())


def _as_schema(value: Any, what: str) -> Schema | None:
    if value is None or isinstance(value, Schema):
        return value
    if schema := schema_of_dataclass(value):
        return schema
    raise InvalidParameterValue(f"{what} is {shown(value)}, it must be a Schema or a dataclass.")


def infer_signature(
    model_input: Any = None, model_output: Any = None, params: dict[str, Any] | None = None
) -> ModelSignature:
    """The signature of example data.

    Data without a type that a schema can name (see :func:`stele.models.inference.infer_schema`) give a schema of one
    column ``any``, which checks nothing, with a warning that says why.

    Args:
        model_input: What ``predict`` takes.
        model_output: What it gave.
        params: Parameters with their defaults.

    Raises:
        InvalidParameterValue: Nothing was given, or a parameter has no type.
    """
    return ModelSignature(
        None if model_input is None else _schema_or_any(model_input, "input"),
        None if model_output is None else _schema_or_any(model_output, "output"),
        None if params is None else infer_params(params),
    )


def _schema_or_any(data: Any, what: str) -> Schema:
    try:
        return infer_schema(data)
    except CannotInfer as e:
        warnings.warn(f"The {what} of the model gets the type 'any', so it is not checked: {e}", stacklevel=3)
        return Schema([ColSpec(AnyType())])
