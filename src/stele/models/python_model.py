"""Models that are Python code of their own: classes and functions with ``predict``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stele.errors import InvalidParameterValue, NotImplementedHere, shown
from stele.models.hints import PredictHints, predict_hints

__all__ = ["FunctionModel", "PythonModel", "PythonModelContext", "as_python_model"]


class PythonModelContext:
    """What a model finds beside itself: ``artifacts``, local paths by name, and ``model_config``."""

    def __init__(
        self, artifacts: Mapping[str, str] | None = None, model_config: Mapping[str, Any] | None = None
    ) -> None:
        self._artifacts = dict(artifacts or {})
        self._model_config = dict(model_config or {})

    @property
    def artifacts(self) -> dict[str, str]:
        """Local paths of the files that the model was saved with, by the names that they got."""
        return self._artifacts

    @property
    def model_config(self) -> dict[str, Any]:
        """Configuration that the model was saved with, with what the caller of ``load_model`` changed."""
        return self._model_config


class PythonModel:
    """A model of your own: derive from it and write ``predict``.

    ``predict`` takes ``(self, context, model_input, params=None)``; ``context`` and ``params`` may be left out. Type
    hints such as ``model_input: list[str]`` become the signature, and what arrives is checked against them.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Prepare for predictions, once, after loading: read files of ``context.artifacts`` into ``self``."""

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Predict.

        Args:
            context: A :class:`PythonModelContext`.
            model_input: The data, checked against the signature.
            params: The parameters of the signature, with their defaults.
        """
        raise NotImplementedHere(f"{type(self).__name__} has no predict.")

    def predict_stream(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Iterator[Any]:
        """Predict, part by part."""
        raise NotImplementedHere(f"{type(self).__name__} has no predict_stream.")

    @property
    def predict_type_hints(self) -> PredictHints:
        """The hints of ``predict``: ``input`` and ``output``, None where there are none."""
        return predict_hints(self.predict)


class FunctionModel(PythonModel):
    """A function as a model; MLflow knows its attributes ``func`` and ``signature``."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func
        self.signature = None

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # type: ignore[override]
        """Call the function."""
        del params
        return self.func(model_input)

    @property
    def predict_type_hints(self) -> PredictHints:
        """The hints of the function."""
        return predict_hints(self.func)


def as_python_model(model: Any) -> PythonModel:
    """A model from what a user passes as one: an object with ``predict``, or a function of one argument.

    Raises:
        InvalidParameterValue: It is neither.
    """
    if isinstance(model, type):
        raise InvalidParameterValue(f"{model.__name__} is a class; pass an object of it: {model.__name__}().")
    if isinstance(model, PythonModel) or hasattr(model, "load_context"):
        return model  # type: ignore[no-any-return]  # a class of MLflow's, which has the same methods
    if not callable(model):
        raise InvalidParameterValue(
            f"python_model is {shown(model)}. It must be a PythonModel, a function of one argument, or the path of a "
            "script that calls set_model()."
        )
    if len(inspect.signature(model).parameters) != 1:
        raise InvalidParameterValue(f"{shown(model)} must take exactly one argument to be a model, the data.")
    return FunctionModel(model)
