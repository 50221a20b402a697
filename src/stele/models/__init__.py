"""Models: how they are packed, described, trusted and loaded. Names are loaded when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stele.registry import loaded_when_used

if TYPE_CHECKING:
    from stele.models.describe import get_model_info as get_model_info
    from stele.models.describe import validate_schema as validate_schema
    from stele.models.editing import set_signature as set_signature
    from stele.models.editing import update_model_requirements as update_model_requirements
    from stele.models.flavors.script import ModelConfig as ModelConfig
    from stele.models.flavors.script import set_model as set_model
    from stele.models.format import Model as Model
    from stele.models.inspection import Inspection as Inspection
    from stele.models.inspection import inspect as inspect
    from stele.models.model_info import ModelInfo as ModelInfo
    from stele.models.signature import ModelSignature as ModelSignature
    from stele.models.signature import infer_signature as infer_signature

_MODULES = {
    "stele.models.describe": ("get_model_info", "validate_schema"),
    "stele.models.editing": ("set_signature", "update_model_requirements"),
    "stele.models.flavors.script": ("ModelConfig", "set_model"),
    "stele.models.format": ("Model",),
    "stele.models.inspection": ("Inspection", "inspect"),
    "stele.models.model_info": ("ModelInfo",),
    "stele.models.signature": ("ModelSignature", "infer_signature"),
}

__all__ = sorted(name for names in _MODULES.values() for name in names)

__getattr__ = loaded_when_used(__name__, _MODULES)


def __dir__() -> list[str]:
    return __all__
