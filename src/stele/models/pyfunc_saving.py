"""Saving code of one's own as a model: an object, a function, a script, or data with a loader module."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from stele.artifacts import scheme_of
from stele.artifacts.paths import normalise
from stele.client.downloads import download_artifacts
from stele.client.shim import answering_mlflow
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.models.examples import InputExample
from stele.models.files import copy_in
from stele.models.flavor import Flavor, Written
from stele.models.flavors.own_loader import FLAVOR as OWN_LOADER
from stele.models.flavors.own_loader import write_own_loader
from stele.models.flavors.python_object import FLAVOR as PYTHON_OBJECT
from stele.models.flavors.python_object import write_python_object
from stele.models.flavors.script import FLAVOR as SCRIPT
from stele.models.flavors.script import run_script, write_script
from stele.models.format import Model, as_config
from stele.models.hints import schema_of_hint
from stele.models.inference import CannotInfer, infer_params
from stele.models.log import Logging, log
from stele.models.model_info import ModelInfo
from stele.models.python_model import PythonModel, PythonModelContext, as_python_model
from stele.models.save import Packing, save
from stele.models.signature import ModelSignature
from stele.models.trust import module_of_script

__all__ = ["PythonFunction", "log_model", "save_model"]


def save_model(
    path: str | Path,
    loader_module: str | None = None,
    data_path: str | Path | None = None,
    code_paths: Sequence[str | Path] | None = None,
    infer_code_paths: bool = False,
    conda_env: Any = None,
    mlflow_model: Model | None = None,
    python_model: Any = None,
    artifacts: Mapping[str, str] | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    model_config: str | Path | dict[str, Any] | None = None,
    streamable: bool | None = None,
    resources: Any = None,
    auth_policy: Any = None,
    uv_project_path: str | Path | None = None,
    uv_groups: list[str] | None = None,
    uv_extras: list[str] | None = None,
) -> None:
    """Save code of your own as a model.

    Args:
        path: The directory to make.
        loader_module: A module with ``_load_pyfunc(path)``, instead of ``python_model``.
        data_path: What that function gets: a file or directory.
        code_paths: Files and directories that are copied along and can be imported when the model is loaded.
        infer_code_paths: Copy along modules of this program that the model refers to.
        conda_env: A conda environment, or the path of its file, instead of requirements.
        mlflow_model: A description to complete.
        python_model: A :class:`~stele.models.python_model.PythonModel`, a function of one argument, or the path of a
            script that calls ``set_model``.
        artifacts: Paths or URIs of files by name; the model finds them in ``context.artifacts``.
        signature: What the model takes and gives; None reads it from type hints, else from the example.
        input_example: An input, kept with the model.
        pip_requirements: Requirements that replace those that are found out.
        extra_pip_requirements: Requirements in addition.
        metadata: Anything that YAML can hold.
        model_config: Values, or the path of a YAML file, for ``context.model_config``.
        streamable: Whether ``predict_stream`` works; None looks whether the class has one.
        resources: What the model needs on the platform that serves it.
        auth_policy: Who may use it there.
        uv_project_path: Directory of a ``uv.lock`` that is taken along.
        uv_groups: Accepted because MLflow has it; the lock file is taken along whole.
        uv_extras: Likewise.

    Raises:
        AlreadyExists: Something is at the path.
        InvalidParameterValue: An argument is not allowed. Nothing was written.
    """
    arguments = locals()
    del uv_groups, uv_extras
    function = PythonFunction(loader_module, data_path, python_model, artifacts, as_config(model_config), streamable)
    save(path, function.flavor, function.write, function.described(Packing.of(arguments)))


def log_model(
    artifact_path: str | None = None,
    loader_module: str | None = None,
    data_path: str | Path | None = None,
    code_paths: Sequence[str | Path] | None = None,
    infer_code_paths: bool = False,
    conda_env: Any = None,
    python_model: Any = None,
    artifacts: Mapping[str, str] | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    model_config: str | Path | dict[str, Any] | None = None,
    streamable: bool | None = None,
    resources: Any = None,
    auth_policy: Any = None,
    uv_project_path: str | Path | None = None,
    uv_groups: list[str] | None = None,
    uv_extras: list[str] | None = None,
    prompts: list[Any] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Log code of your own as a model of the active run, or of the current experiment when there is no run.

    The arguments are those of :func:`save_model`, and those of :class:`stele.models.log.Logging`.

    Raises:
        InvalidParameterValue: An argument is not allowed. The model is marked as failed.
    """
    arguments = locals()
    del uv_groups, uv_extras
    function = PythonFunction(loader_module, data_path, python_model, artifacts, as_config(model_config), streamable)
    return log(function.flavor, function.write, function.described(Packing.of(arguments)), Logging.of(arguments))


class PythonFunction:
    """Code of the user's, checked, and how it is written. The arguments are those of :func:`save_model`.

    Raises:
        InvalidParameterValue: It is neither a model nor a loader, or both.
    """

    def __init__(
        self,
        loader_module: str | None,
        data_path: str | Path | None,
        python_model: Any,
        artifacts: Mapping[str, str] | None,
        model_config: dict[str, Any],
        streamable: bool | None,
    ) -> None:
        if (loader_module is None) == (python_model is None):
            raise InvalidParameterValue("Give either python_model, or loader_module with data_path.")
        if loader_module is not None and artifacts:
            raise InvalidParameterValue("artifacts belong to python_model; a loader module has data_path.")
        self._artifacts = dict(artifacts or {})
        self._config = model_config
        self._streamable = streamable
        self._loader = (loader_module, data_path)
        self._script = Path(python_model) if isinstance(python_model, (str, Path)) else None
        self.model: PythonModel | None = None
        if self._script is not None:
            self.flavor: Flavor = SCRIPT
            self.model = run_script(partial(_run_user_script, self._script), model_config)
        elif python_model is not None:
            self.flavor = PYTHON_OBJECT
            self.model = as_python_model(python_model)
        else:
            self.flavor = OWN_LOADER

    def described(self, packing: Packing) -> Packing:
        """The packing with the signature that type hints tell, unless there is one."""
        if self.model is None or packing.signature is not None:
            return packing
        signature = _signature_of_hints(self.model, packing.input_example)
        return packing if signature is None else replace(packing, signature=signature, from_hints=True)

    def write(self, directory: Path) -> Written:
        """Write the files; see :class:`stele.models.flavor.Written`."""
        block: dict[str, Any] = {"streamable": self._is_streamable()}
        if self._config:
            block["config"] = self._config
        if self.model is None:
            return write_own_loader(directory, *self._loader, block)
        block |= {"code": None, "cloudpickle_version": version("cloudpickle")}
        paths = _copy_artifacts(directory, self._artifacts)
        if paths:
            block["artifacts"] = {name: {"path": paths[name], "uri": uri} for name, uri in self._artifacts.items()}
        context = PythonModelContext({name: str(directory / each) for name, each in paths.items()}, self._config)
        if self._script is not None:
            return write_script(directory, self._script, block, context)
        return write_python_object(directory, self.model, block, context)

    def _is_streamable(self) -> bool:
        if self._streamable is not None or self.model is None:
            return bool(self._streamable)
        return type(self.model).predict_stream is not PythonModel.predict_stream


def _run_user_script(script: Path) -> None:
    if not script.is_file():
        raise DoesNotExist(f"There is no script {shown(str(script))}.")
    with answering_mlflow():
        module_of_script(script)


def _signature_of_hints(model: PythonModel, example: Any) -> ModelSignature | None:
    """The signature that ``predict`` tells by its hints; None when it tells nothing about the data."""
    hints = model.predict_type_hints
    try:
        inputs = schema_of_hint(hints.input)
        outputs = schema_of_hint(hints.output)
    except CannotInfer as e:
        warnings.warn(f"The type hints of predict make no signature: {e}", stacklevel=4)
        return None
    if inputs is None:
        return None
    params = InputExample.of(example).params if example is not None else None
    return ModelSignature(inputs, outputs, infer_params(params) if params else None)


def _copy_artifacts(directory: Path, artifacts: Mapping[str, str]) -> dict[str, str]:
    """Copy the files that a model finds in its context; name -> path in the model."""
    paths: dict[str, str] = {}
    for name, uri in artifacts.items():
        source = Path(uri.removeprefix("file://") if scheme_of(uri) == "file" else download_artifacts(uri))
        path = f"artifacts/{source.resolve().name}"
        if path in paths.values():
            path = f"artifacts/{normalise(name)}/{source.resolve().name}"
        copy_in(source, directory / path)
        paths[name] = path
    return paths
