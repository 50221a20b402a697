"""The types that signatures are made of, under MLflow's names; nested ones are in :mod:`stele.types.schema`."""

from __future__ import annotations

from stele.models.params import ParamSchema, ParamSpec
from stele.models.schema import ColSpec, Schema, TensorSpec
from stele.models.types import DataType
from stele.types import schema

__all__ = ["ColSpec", "DataType", "ParamSchema", "ParamSpec", "Schema", "TensorSpec", "schema"]
