"""Models as functions of data: the names of MLflow's module of this name."""

from __future__ import annotations

from stele.models.pyfunc import PyFuncModel, get_model_dependencies, load_model, load_pyfunc
from stele.models.pyfunc_saving import log_model, save_model
from stele.models.python_model import PythonModel, PythonModelContext

__all__ = [
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "get_model_dependencies",
    "load_model",
    "load_pyfunc",
    "log_model",
    "save_model",
]
