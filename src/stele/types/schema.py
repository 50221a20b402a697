"""Every type that a signature may hold, under MLflow's names."""

from __future__ import annotations

from stele.models.params import ParamSchema, ParamSpec
from stele.models.schema import ColSpec, Schema, TensorSpec
from stele.models.types import AnyType, Array, BaseType, DataType, Map, Object, Property, SparkMLVector

__all__ = [
    "AnyType",
    "Array",
    "BaseType",
    "ColSpec",
    "DataType",
    "Map",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "SparkMLVector",
    "TensorSpec",
]
