"""Models of PyTorch: the names of MLflow's module of this name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stele.registry import loaded_when_used

if TYPE_CHECKING:
    from stele.models.flavors.pytorch import load_model, log_model, save_model

__all__ = ["load_model", "log_model", "save_model"]

__getattr__ = loaded_when_used(__name__, {"stele.models.flavors.pytorch": __all__})
