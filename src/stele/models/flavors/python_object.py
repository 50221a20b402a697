"""Models that are a pickled object with ``predict``, or a pickled function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stele.client.shim import answering_mlflow
from stele.errors import InvalidParameterValue, shown
from stele.models.files import ModelFiles
from stele.models.findings import Finding, pickle_finding
from stele.models.flavor import Written
from stele.models.hinted_data import checked_by_hint
from stele.models.pickling import dump
from stele.models.python_model import PythonModel, PythonModelContext
from stele.models.trust import AdmittedModel, unpickle_own

__all__ = ["FLAVOR", "PythonModelPredictor", "PythonObjectFlavor", "context_of", "write_python_object"]

MODEL_FILE = "python_model.pkl"


class PythonModelPredictor:
    """A :class:`~stele.models.python_model.PythonModel` as a function of data and parameters."""

    def __init__(self, python_model: PythonModel, context: PythonModelContext) -> None:
        self.python_model = python_model
        self.context = context
        self.hint = python_model.predict_type_hints.input

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Call ``predict`` with what it takes: context and params only where it has them."""
        return self._call(self.python_model.predict, data, params)

    def predict_stream(self, data: Any, params: dict[str, Any] | None = None) -> Iterator[Any]:
        """Call ``predict_stream`` likewise."""
        found: Iterator[Any] = self._call(self.python_model.predict_stream, data, params)
        return found

    def _call(self, method: Callable[..., Any], data: Any, params: dict[str, Any] | None) -> Any:
        names = inspect.signature(method).parameters
        given: list[Any] = [checked_by_hint(data, self.hint)]
        if len([name for name in names if name != "params"]) > 1:
            given.insert(0, self.context)
        return method(*given, params=params) if "params" in names else method(*given)


def context_of(files: ModelFiles, model_config: Mapping[str, Any]) -> PythonModelContext:
    """What a model finds beside itself: its artifacts as local paths, and its configuration."""
    artifacts = files.pyfunc.get("artifacts") or {}
    if not isinstance(artifacts, dict) or not all(isinstance(each, dict) for each in artifacts.values()):
        raise InvalidParameterValue(f"MLmodel names the artifacts {shown(artifacts)}, which is no mapping of paths.")
    return PythonModelContext(
        {name: str(files.path(each.get("path"))) for name, each in artifacts.items()}, model_config
    )


class PythonObjectFlavor:
    """See :mod:`stele.models.flavors.python_object`."""

    name = "python_function"
    loader_module = "mlflow.pyfunc.model"
    purpose = "to load the model"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        return [pickle_finding(files, files.pyfunc.get("python_model"))]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`."""
        del options
        return admitted.unpickle(admitted.files.pyfunc["python_model"])

    def as_predictor(
        self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]
    ) -> PythonModelPredictor:
        """See :class:`stele.models.flavor.Flavor`."""
        if not hasattr(native, "load_context") or not hasattr(native, "predict"):
            raise InvalidParameterValue(f"The pickle of the model holds {shown(native)}, which is no PythonModel.")
        context = context_of(admitted.files, model_config)
        native.load_context(context)
        return PythonModelPredictor(native, context)


FLAVOR = PythonObjectFlavor()


def write_python_object(
    directory: Path, model: PythonModel, block: dict[str, Any], context: PythonModelContext
) -> Written:
    """Write the pickle of a model.

    Args:
        directory: Of the model.
        model: What is pickled.
        block: What else the python_function block says.
        context: With which an example is tried.
    """
    path = directory / MODEL_FILE
    dump(model, path)

    def predictor() -> PythonModelPredictor:
        # What was written, not the user's object, which load_context would change.
        with answering_mlflow():
            again = unpickle_own(path)
        again.load_context(context)
        return PythonModelPredictor(again, context)

    return Written(pyfunc={"python_model": MODEL_FILE, **block}, libraries=["cloudpickle"], predictor=predictor)
