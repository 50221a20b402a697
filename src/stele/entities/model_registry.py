"""What the registry keeps, under MLflow's names."""

from __future__ import annotations

from stele.client.paged_list import PagedList
from stele.schema.registered_models import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)

__all__ = [
    "ModelVersion",
    "ModelVersionTag",
    "PagedList",
    "RegisteredModel",
    "RegisteredModelAlias",
    "RegisteredModelTag",
]
