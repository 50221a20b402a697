"""Models as functions of data: the names of MLflow's module of this name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stele.registry import loaded_when_used

if TYPE_CHECKING:
    from stele.models.pyfunc import PyFuncModel, get_model_dependencies, load_model, load_pyfunc
    from stele.models.pyfunc_saving import log_model, save_model
    from stele.models.python_model import PythonModel, PythonModelContext
    from stele.models.spark import spark_udf

__all__ = [
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "get_model_dependencies",
    "load_model",
    "load_pyfunc",
    "log_model",
    "save_model",
    "spark_udf",
]

__getattr__ = loaded_when_used(
    __name__,
    {
        "stele.models.pyfunc": ("PyFuncModel", "get_model_dependencies", "load_model", "load_pyfunc"),
        "stele.models.pyfunc_saving": ("log_model", "save_model"),
        "stele.models.python_model": ("PythonModel", "PythonModelContext"),
        "stele.models.spark": ("spark_udf",),
    },
)
