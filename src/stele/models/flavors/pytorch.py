"""Models of PyTorch: exported programs, which are graphs and tensors, or pickled modules when that is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.models.examples import InputExample
from stele.models.files import ModelFiles
from stele.models.findings import Finding
from stele.models.flavor import Predictor, Written
from stele.models.flavors.torch_archives import program_finding, saved_finding
from stele.models.format import Model
from stele.models.load import load_native
from stele.models.log import Logging, log
from stele.models.model_info import ModelInfo
from stele.models.save import Packing, save
from stele.models.signature import ModelSignature
from stele.models.trust import AdmittedModel

__all__ = ["FLAVOR", "PyTorchFlavor", "load_model", "log_model", "save_model"]

_DIRECTORY = "data"
_PROGRAM, _PICKLE, _PICKLE_INFO = "model.pt2", "model.pth", "pickle_module_info.txt"
_PICKLE_MODULE = "mlflow.pytorch.pickle_module"
"""What MLflow reads pickles with; Stele never imports a module that a file names."""


class PyTorchFlavor:
    """See :mod:`stele.models.flavors.pytorch`."""

    name = "pytorch"
    loader_module = "mlflow.pytorch"
    purpose = "to load a model of PyTorch"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        name = self._file(files)
        return [program_finding(files, name) if name.endswith(_PROGRAM) else saved_finding(files, name)]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`. Options are those of ``torch.load``, such as ``map_location``."""
        torch = _library(self.purpose)
        name = self._file(admitted.files)
        if name.endswith(_PROGRAM):
            return admitted.load(lambda path: torch.export.load(str(path)), name).module()
        options.setdefault("map_location", None if torch.cuda.is_available() else "cpu")
        return admitted.load(torch.load, name, weights_only=False, **options)

    def as_predictor(self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]) -> Predictor:
        """See :class:`stele.models.flavor.Flavor`."""
        del admitted
        device = model_config.get("device")
        return _TorchPredictor(native if device is None else native.to(device), device)

    def _file(self, files: ModelFiles) -> str:
        config = files.model.flavors.get(self.name) or {}
        directory = str(config.get("model_data") or files.pyfunc.get("data") or _DIRECTORY)
        path = files.path(directory)
        if path.is_file():  # models of old versions
            return directory
        return f"{directory}/{_PROGRAM if (path / _PROGRAM).is_file() else _PICKLE}"


FLAVOR = PyTorchFlavor()


def _library(purpose: str) -> Any:
    try:
        import torch
    except ImportError as e:
        raise MissingDependency("torch", purpose, "pytorch") from e
    return torch


class _TorchPredictor:
    """A module as a function: arrays and data frames of numbers become tensors, and the result an array or frame."""

    def __init__(self, native: Any, device: Any = None) -> None:
        self.native = native
        self._device = device

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Call the module without gradients."""
        del params
        torch = _library(FLAVOR.purpose)
        frame = hasattr(data, "columns")
        tensor = _as_tensor(torch, data)
        if self._device is not None:
            tensor = tensor.to(self._device)
        if not type(self.native).__name__.startswith("GraphModule"):
            self.native.eval()  # an exported program has its mode for good
        with torch.no_grad():
            found = self.native(tensor)
        if not isinstance(found, torch.Tensor):
            raise InvalidParameterValue(
                f"The model gives a {type(found).__name__}; as a function it must give a tensor."
            )
        array = found.cpu().numpy()
        return type(data)(array, index=data.index) if frame else array


def _as_tensor(torch: Any, data: Any) -> Any:
    if isinstance(data, torch.Tensor):
        return data
    if hasattr(data, "columns"):
        data = data.to_numpy(dtype="float32")
    if not hasattr(data, "dtype") or not hasattr(data, "ndim"):
        raise InvalidParameterValue(f"A model of PyTorch takes an array or a data frame, got {type(data).__name__}.")
    return torch.from_numpy(data)


def _write(model: Any, directory: Path, *, form: str | None, pickle_module: Any, example: Any, export: bool) -> Written:
    torch = _library("to save a model of PyTorch")
    if not isinstance(model, torch.nn.Module):
        raise InvalidParameterValue(f"{shown(type(model))} is no module of PyTorch.")
    if form not in (None, "pt2", "pickle"):
        raise InvalidParameterValue(f"serialization_format is {shown(form)}; allowed are pt2 and pickle.")
    (directory / _DIRECTORY).mkdir()
    problem = "pickle was asked for" if form == "pickle" and not export else _export(torch, model, directory, example)
    if problem and (form == "pt2" or export):
        raise InvalidParameterValue(f"The model cannot be exported: {problem}.")
    if problem:
        _pickle(torch, model, directory, pickle_module)
        if form is None:
            warnings.warn(
                f"This {type(model).__name__} is pickled, so loading it can run code, because it cannot be exported: "
                f"{problem}. serialization_format='pickle' says that a pickle is meant.",
                stacklevel=2,
            )
    config = {"model_data": _DIRECTORY, "pytorch_version": str(torch.__version__)}
    pyfunc = {"data": _DIRECTORY, "pickle_module_name": _PICKLE_MODULE, "config": {"device": None}}
    libraries = ["torch", *(["cloudpickle"] if problem else [])]
    return Written(config=config, pyfunc=pyfunc, libraries=libraries, predictor=partial(_TorchPredictor, model))


def _export(torch: Any, model: Any, directory: Path, example: Any) -> str:
    """Write an exported program; why there is none, empty when there is one."""
    if example is None:
        return "an export follows the model on its input_example, and there is none"
    training = model.training
    try:
        data = InputExample.of(example).data
        tensors = tuple(_as_tensor(torch, each) for each in (data if isinstance(data, (tuple, list)) else (data,)))
        model.eval()
        rows = torch.export.Dim.AUTO  # any number of rows, unless the model fixes it
        shapes = tuple({0: rows} for _ in tensors)
        program = torch.export.export(model, tensors, dynamic_shapes=shapes)
        torch.export.save(program, str(directory / _DIRECTORY / _PROGRAM))
    except Exception as e:  # whatever the tracing of a user's code raises
        (directory / _DIRECTORY / _PROGRAM).unlink(missing_ok=True)
        return f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"
    finally:
        model.train(training)
    return ""


def _pickle(torch: Any, model: Any, directory: Path, pickle_module: Any) -> None:
    import cloudpickle

    torch.save(model, directory / _DIRECTORY / _PICKLE, pickle_module=pickle_module or cloudpickle)
    (directory / _DIRECTORY / _PICKLE_INFO).write_text(_PICKLE_MODULE, encoding="utf-8")


def save_model(
    pytorch_model: Any,
    path: str | Path,
    conda_env: Any = None,
    mlflow_model: Model | None = None,
    code_paths: Sequence[str | Path] | None = None,
    pickle_module: Any = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    extra_files: Sequence[str | Path] | None = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    export_model: bool = False,
    serialization_format: str | None = None,
) -> None:
    """Save a model of PyTorch to a directory.

    Args:
        pytorch_model: A ``torch.nn.Module``.
        path: The directory to make.
        conda_env: A conda environment, or the path of its file, instead of requirements.
        code_paths: Files and directories that are copied along and can be imported when the model is loaded.
        mlflow_model: A description to complete.
        pickle_module: What pickles with ``serialization_format="pickle"``; None means cloudpickle.
        signature: What the model takes and gives; None infers it from the example.
        input_example: An input, kept with the model.
        extra_files: Files that are copied beside the model.
        pip_requirements: Requirements that replace those that are found out.
        extra_pip_requirements: Requirements in addition.
        metadata: Anything that YAML can hold.
        export_model: Refuse what cannot be exported, as ``serialization_format="pt2"`` does.
        serialization_format: ``pt2`` or ``pickle``; None exports the model on its input example when it can, and says
            so when it pickles instead.

    Raises:
        AlreadyExists: Something is at the path.
        InvalidParameterValue: An argument is not allowed. Nothing was written.
    """
    arguments = locals()
    write = partial(
        _write,
        pytorch_model,
        form=serialization_format,
        pickle_module=pickle_module,
        example=input_example,
        export=export_model,
    )
    save(path, FLAVOR, write, Packing.of(arguments))


def log_model(
    pytorch_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    pickle_module: Any = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    extra_files: Sequence[str | Path] | None = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    export_model: bool = False,
    serialization_format: str | None = None,
) -> ModelInfo:
    """Log a model of PyTorch as a model of the active run, or of the current experiment when there is no run.

    The arguments are those of :func:`save_model`, and those of :class:`stele.models.log.Logging`.

    Raises:
        InvalidParameterValue: An argument is not allowed. The model is marked as failed.
    """
    arguments = locals()
    write = partial(
        _write,
        pytorch_model,
        form=serialization_format,
        pickle_module=pickle_module,
        example=input_example,
        export=export_model,
    )
    return log(FLAVOR, write, Packing.of(arguments), Logging.of(arguments))


def load_model(model_uri: str, dst_path: str | None = None, *, trust: bool | None = None, **kwargs: Any) -> Any:
    """Load a model of PyTorch.

    Args:
        model_uri: A local path, or a URI as in :func:`stele.pyfunc.load_model`.
        dst_path: Where to put what is downloaded; None keeps it in the cache.
        trust: True says that you trust whoever made the model, so that it may run code.
        **kwargs: Passed to ``torch.load`` for a pickled model, such as ``map_location``.

    Raises:
        DoesNotExist: There is no such model, or it was not saved by this flavor.
        UntrustedModel: It may run code, and nobody vouched for it.
        MissingDependency: torch is not installed.
    """
    return load_native(model_uri, FLAVOR, dst_path, trust=trust, **kwargs)
