"""Pickles of user's code that MLflow can load where Stele is not installed.

A class of the user's derives from Stele's ``PythonModel``, and code names the module ``stele``. In the pickle both
stand under the names that MLflow has for them. When Stele loads it, they are answered by Stele (see
:mod:`stele.client.shim`); elsewhere MLflow's own are found.
"""

from __future__ import annotations

import io
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from stele.client.shim import mlflow_name
from stele.errors import InvalidParameterValue
from stele.models.python_model import FunctionModel

__all__ = ["dump"]

_FUNCTION_MODEL = ("mlflow.pyfunc.model", "_FunctionPythonModel")


class _Module(str):
    """The name of a module, pickled as the module."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        from cloudpickle.cloudpickle import subimport

        return subimport, (str(self),)


def dump(value: Any, path: Path) -> None:
    """Write a pickle of an object with its code.

    Raises:
        InvalidParameterValue: Something in it cannot be pickled.
    """
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # the class exists once the library is loaded
        def reducer_override(self, obj: Any) -> Any:
            theirs = _theirs(obj)
            return super().reducer_override(obj) if theirs is None else theirs

    buffer = io.BytesIO()
    try:
        Pickler(buffer).dump(value)
    except Exception as e:  # whatever an object raises that does not want to be pickled
        raise InvalidParameterValue(
            f"The model cannot be pickled: {e}. Open files, locks and connections belong into load_context(), or save "
            "the model from code: python_model='script.py'."
        ) from e
    path.write_bytes(buffer.getvalue())


def _theirs(value: Any) -> tuple[Any, ...] | None:
    """How a module, class or function of Stele is pickled under MLflow's name; None for everything else."""
    if isinstance(value, ModuleType):
        found = mlflow_name(value.__name__)
        return None if found is None else _Module(found).__reduce__()
    if not isinstance(value, (type, FunctionType)) or not value.__module__.startswith("stele."):
        return None
    if value is FunctionModel:
        module, name = _FUNCTION_MODEL
        return getattr, (_Module(module), name)
    module_name = mlflow_name(value.__module__)
    return None if module_name is None else (getattr, (_Module(module_name), value.__qualname__))
