"""Names of MLflow's own that stand in pickles which MLflow wrote, answered so that these pickles load."""

from __future__ import annotations

from typing import Any, NamedTuple

from stele.models.hinted_data import checked_by_hint
from stele.models.python_model import FunctionModel

__all__ = ["FuncInfo", "_FunctionPythonModel", "_TypeHints", "_validate_model_input"]


class _TypeHints:
    """Hints that a model remembers; Stele reads them from ``predict`` itself."""

    input: Any = None
    output: Any = None


class FuncInfo(NamedTuple):
    """What a wrapped ``predict`` remembers of itself."""

    input_type_hint: Any
    input_param_name: str


class _FunctionPythonModel(FunctionModel):
    """A function as a model."""


def _validate_model_input(
    args: tuple[Any, ...], kwargs: dict[str, Any], position: int, hint: Any, name: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of ``predict`` with the data checked against the hint.

    Args:
        args: Arguments by position.
        kwargs: Arguments by name.
        position: Where the data stand among the first.
        hint: The hint of the data.
        name: How they are called among the second.
    """
    if name in kwargs:
        return args, kwargs | {name: checked_by_hint(kwargs[name], hint)}
    return (*args[:position], checked_by_hint(args[position], hint), *args[position + 1 :]), kwargs
