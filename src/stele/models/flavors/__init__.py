"""The flavors: one file and one line each. A package adds its own by an entry point of the group ``stele.flavors``."""

from __future__ import annotations

from stele.errors import NotImplementedHere, shown
from stele.models.flavor import Flavor
from stele.registry import Registry

__all__ = ["FLAVORS", "flavor_of_loader"]

FLAVORS: Registry[Flavor] = Registry(
    "flavor",
    ("stele.flavors",),
    {
        "mlflow.lightgbm": "stele.models.flavors.lightgbm:FLAVOR",
        "mlflow.onnx": "stele.models.flavors.onnx:FLAVOR",
        "mlflow.pyfunc.loaders.code_model": "stele.models.flavors.script:FLAVOR",
        "mlflow.pyfunc.model": "stele.models.flavors.python_object:FLAVOR",
        "mlflow.pytorch": "stele.models.flavors.pytorch:FLAVOR",
        "mlflow.sklearn": "stele.models.flavors.sklearn:FLAVOR",
        "mlflow.statsmodels": "stele.models.flavors.statsmodels:FLAVOR",
        "mlflow.xgboost": "stele.models.flavors.xgboost:FLAVOR",
    },
)
"""Loader module, as MLmodel names it, -> flavor."""


def flavor_of_loader(loader_module: str) -> Flavor | None:
    """The flavor that reads what a loader module of MLmodel reads; None for a module that is not MLflow's.

    Raises:
        NotImplementedHere: It is one of MLflow's, for which Stele has no flavor.
    """
    if loader_module in FLAVORS.names():
        return FLAVORS.get(loader_module)
    if loader_module == "mlflow" or loader_module.startswith("mlflow."):
        raise NotImplementedHere(
            f"Stele does not read models of {shown(loader_module)} yet. "
            f"It reads {', '.join(sorted(name for name in FLAVORS.names()))}."
        )
    return None
