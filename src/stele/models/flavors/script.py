"""Models that are a script, which makes them and hands them over with ``set_model``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path, PureWindowsPath
from typing import Any

from stele.client.shim import answering_mlflow
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.models.files import ModelFiles
from stele.models.findings import Finding
from stele.models.flavor import Written
from stele.models.flavors.python_object import PythonModelPredictor, context_of
from stele.models.format import as_config
from stele.models.python_model import PythonModel, PythonModelContext, as_python_model
from stele.models.references import modules_in_code
from stele.models.trust import AdmittedModel, module_of_script

__all__ = ["FLAVOR", "ModelConfig", "ScriptFlavor", "run_script", "set_model", "write_script"]

_HANDED_OVER: ContextVar[list[Any] | None] = ContextVar("stele_model_of_script", default=None)
_CONFIG: ContextVar[Mapping[str, Any] | None] = ContextVar("stele_config_of_script", default=None)


def set_model(model: Any) -> None:
    """Hand over the model that a script makes; called by scripts that are saved as models.

    Args:
        model: A :class:`~stele.models.python_model.PythonModel`, or a function of one argument. Outside of saving and
            loading, as when the script is just run, the call does nothing.

    Raises:
        InvalidParameterValue: It is neither.
    """
    model = as_python_model(model)
    handed_over = _HANDED_OVER.get()
    if handed_over is not None:
        handed_over.append(model)


class ModelConfig:
    """The configuration of a model that is a script, for the script: what it was saved or loaded with.

    Args:
        development_config: What holds while the script is just run: a dictionary, or the path of a YAML file.
    """

    def __init__(self, *, development_config: str | Path | Mapping[str, Any] | None = None) -> None:
        config = _CONFIG.get()
        self._config = as_config(development_config) if config is None else dict(config)

    def get(self, key: str) -> Any:
        """The value of a key.

        Raises:
            DoesNotExist: It has none.
        """
        if key not in self._config:
            raise DoesNotExist(
                f"The configuration of the model has no {shown(key)}; it has {shown(list(self._config))}."
            )
        return self._config[key]

    def to_dict(self) -> dict[str, Any]:
        """All of it."""
        return dict(self._config)


def run_script(run: Callable[[], Any], model_config: Mapping[str, Any]) -> Any:
    """The model that a script hands over.

    Args:
        run: Runs the script.
        model_config: What :class:`ModelConfig` holds in it.

    Raises:
        InvalidParameterValue: It handed over none.
    """
    handed_over: list[Any] = []
    collecting, configured = _HANDED_OVER.set(handed_over), _CONFIG.set(model_config)
    try:
        run()
    finally:
        _HANDED_OVER.reset(collecting)
        _CONFIG.reset(configured)
    if not handed_over:
        raise InvalidParameterValue("The script made no model: it must call stele.models.set_model(model).")
    return handed_over[-1]


class _Script:
    """A script that waits for its configuration."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self.run = run


class ScriptFlavor:
    """See :mod:`stele.models.flavors.script`."""

    name = "python_function"
    loader_module = "mlflow.pyfunc.loaders.code_model"
    purpose = "to load the model"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        name = _script_name(files)
        return [Finding(name, "code", tuple(sorted(modules_in_code(files.path(name)))), runs_code=True)]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`. The script runs when its configuration is known."""
        del options
        return _Script(lambda: admitted.run_script(_script_name(admitted.files)))

    def as_predictor(
        self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]
    ) -> PythonModelPredictor:
        """See :class:`stele.models.flavor.Flavor`."""
        return _predictor(run_script(native.run, model_config), context_of(admitted.files, model_config))


FLAVOR = ScriptFlavor()


def _predictor(model: PythonModel, context: PythonModelContext) -> PythonModelPredictor:
    model.load_context(context)
    return PythonModelPredictor(model, context)


def _script_name(files: ModelFiles) -> str:
    """The script in the model's directory: of the path that its author had, only the last name counts."""
    return PureWindowsPath(str(files.pyfunc.get("model_code_path"))).name


def write_script(directory: Path, script: Path, block: dict[str, Any], context: PythonModelContext) -> Written:
    """Copy a script into the directory of a model.

    Args:
        directory: Of the model.
        script: The user's file.
        block: What else the python_function block says.
        context: With which an example is tried.
    """
    path = directory / script.name
    shutil.copyfile(script, path)

    def predictor() -> PythonModelPredictor:
        with answering_mlflow():
            model = run_script(lambda: module_of_script(path), context.model_config)
        return _predictor(model, context)

    return Written(pyfunc={"model_code_path": str(script), **block}, predictor=predictor)
