"""Models that a module of the user's loads: its ``_load_pyfunc(path)`` returns an object with ``predict``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stele.errors import InvalidParameterValue, shown
from stele.models.files import ModelFiles, copy_in
from stele.models.findings import Finding
from stele.models.flavor import Predictor, Written
from stele.models.flavors.python_object import PythonModelPredictor
from stele.models.python_model import PythonModel, PythonModelContext
from stele.models.trust import AdmittedModel

__all__ = ["FLAVOR", "OwnLoader", "write_own_loader"]


class OwnLoader:
    """See :mod:`stele.models.flavors.own_loader`."""

    name = "python_function"
    loader_module = ""
    purpose = "to load the model"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        return [Finding("MLmodel", "loader module", (files.pyfunc["loader_module"],), runs_code=True)]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`. The model is read when its configuration is known."""
        del options
        return admitted.import_module(admitted.files.pyfunc["loader_module"])

    def as_predictor(self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]) -> Predictor:
        """See :class:`stele.models.flavor.Flavor`."""
        load = getattr(native, "_load_pyfunc", None)
        if load is None:
            raise InvalidParameterValue(f"The loader module {native.__name__} has no function _load_pyfunc(path).")
        files = admitted.files
        data = files.pyfunc.get("data")
        path = str(files.path(data) if data else files.directory)
        takes_config = "model_config" in inspect.signature(load).parameters
        model = load(path, model_config=dict(model_config)) if takes_config and model_config else load(path)
        return as_predictor(model, files.pyfunc)


FLAVOR = OwnLoader()


def as_predictor(model: Any, block: Mapping[str, Any]) -> Predictor:
    """What a loader returned, as a function of data and parameters.

    Raises:
        InvalidParameterValue: It has no method of the name that MLmodel says, ``predict`` by default.
    """
    if isinstance(model, PythonModel):
        return PythonModelPredictor(model, PythonModelContext())
    name = str(block.get("predict_fn") or "predict")
    method = getattr(model, name, None)
    if name.startswith("_") or not callable(method):
        raise InvalidParameterValue(f"The loaded {type(model).__name__} has no method {shown(name)} to predict with.")
    return model if name == "predict" else _Renamed(method)


class _Renamed:
    """A method under the name that all call."""

    def __init__(self, method: Any) -> None:
        self.predict = method


def write_own_loader(
    directory: Path, loader_module: str | None, data_path: str | Path | None, block: dict[str, Any]
) -> Written:
    """Copy the data of a model that its own module loads.

    Args:
        directory: Of the model.
        loader_module: Name of the module.
        data_path: A file or directory; None when there is none.
        block: What else the python_function block says.
    """
    block = {"loader_module": loader_module, **block}
    if data_path is None:
        return Written(pyfunc=block)
    source = Path(data_path)
    path = f"data/{source.resolve().name}"
    copy_in(source, directory / path)
    return Written(pyfunc={**block, "data": path})
