"""Models of statsmodels: the names of MLflow's module of this name."""

from __future__ import annotations

from stele.models.flavors.statsmodels import load_model, log_model, save_model

__all__ = ["load_model", "log_model", "save_model"]
