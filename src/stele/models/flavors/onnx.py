"""Models of ONNX: graphs of known operations, which hold data only, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from stele.artifacts.paths import resolve_beneath
from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.models.files import ModelFiles
from stele.models.findings import Finding, data_finding
from stele.models.flavor import Predictor, Written
from stele.models.format import Model
from stele.models.load import load_native
from stele.models.log import Logging, log
from stele.models.model_info import ModelInfo
from stele.models.save import Packing, save
from stele.models.signature import ModelSignature
from stele.models.trust import AdmittedModel

__all__ = ["FLAVOR", "OnnxFlavor", "load_model", "log_model", "save_model"]

_FILE = "model.onnx"
_PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]
_SESSION_OPTIONS = (
    "execution_mode",
    "graph_optimization_level",
    "inter_op_num_threads",
    "intra_op_num_threads",
    "extra_session_config",
)
_MODES = {"sequential": "ORT_SEQUENTIAL", "parallel": "ORT_PARALLEL"}
_SMALL_BYTES = 1024


class OnnxFlavor:
    """See :mod:`stele.models.flavors.onnx`."""

    name = "onnx"
    loader_module = "mlflow.onnx"
    purpose = "to load a model of ONNX"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        extra = _options(files).get("extra_session_config")
        if extra:  # ONNX Runtime may read files and libraries that it names
            return [Finding(self._file(files), "ONNX", tuple(map(str, extra)), True, "sets options of the runtime")]
        return [data_finding(files, self._file(files), "ONNX")]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`."""
        del options
        library = _library("onnx", self.purpose)
        name = self._file(admitted.files)
        model = admitted.load(library.load, name, load_external_data=False)
        place = admitted.files.path(name).parent
        _check_external_data(library, model, place)
        library.load_external_data_for_model(model, str(place))
        return model

    def as_predictor(self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]) -> Predictor:
        """See :class:`stele.models.flavor.Flavor`."""
        del model_config
        providers = (admitted.files.model.flavors.get(self.name) or {}).get("providers")
        path = str(admitted.files.path(self._file(admitted.files)))
        return _OnnxPredictor(native, path, providers, _options(admitted.files))

    def _file(self, files: ModelFiles) -> str:
        config = files.model.flavors.get(self.name) or {}
        return str(config.get("data") or files.pyfunc.get("data"))


FLAVOR = OnnxFlavor()


def _library(name: str, purpose: str) -> Any:
    try:
        if name == "onnx":
            import onnx

            return onnx
        import onnxruntime
    except ImportError as e:
        raise MissingDependency(name, purpose, "onnx") from e
    return onnxruntime


def _options(files: ModelFiles) -> Mapping[str, Any]:
    found = (files.model.flavors.get(FLAVOR.name) or {}).get("onnx_session_options")
    return _checked_options(found)


def _checked_options(options: Any) -> Mapping[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, dict) or set(options) - set(_SESSION_OPTIONS):
        raise InvalidParameterValue(
            f"onnx_session_options is {shown(options)}; allowed are the keys {', '.join(_SESSION_OPTIONS)}."
        )
    return options


def _check_external_data(library: Any, model: Any, directory: Path) -> None:
    """Files that hold tensors of the model must lie beside it."""
    for tensor in library.external_data_helper._get_all_tensors(model):  # noqa: SLF001 - it knows where all tensors are
        for entry in tensor.external_data:
            if entry.key == "location":
                resolve_beneath(directory, entry.value)


class _OnnxPredictor:
    """A session of ONNX Runtime as a function: a data frame gives a data frame, arrays give arrays by name."""

    def __init__(self, native: Any, path: str, providers: Any, options: Mapping[str, Any]) -> None:
        self.native = native
        self._path = path
        self._wanted = [each if isinstance(each, str) else each[0] for each in providers or _PROVIDERS]
        self._options = options

    @cached_property
    def _session(self) -> Any:
        runtime = _library("onnxruntime", "to predict with a model of ONNX")
        there = runtime.get_available_providers()
        providers = [each for each in self._wanted if each in there] or ["CPUExecutionProvider"]
        return runtime.InferenceSession(self._path, _session_options(runtime, self._options), providers)

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """The outputs of the graph."""
        del params
        inputs = self._session.get_inputs()
        frame = hasattr(data, "columns")
        feed = self._feed(data, [each.name for each in inputs], frame)
        for each in inputs:
            if each.type == "tensor(float)" and feed[each.name].dtype == "float64":
                feed[each.name] = feed[each.name].astype("float32")
        names = [each.name for each in self._session.get_outputs()]
        outputs = dict(zip(names, self._session.run(names, feed), strict=True))
        return _as_frame(outputs) if frame else outputs

    def _feed(self, data: Any, names: list[str], frame: bool) -> dict[str, Any]:
        if frame and len(names) > 1:
            data = {name: data[name].to_numpy() for name in names if name in data}
        elif frame:
            return {names[0]: data.to_numpy()}
        if hasattr(data, "ndim") and len(names) == 1:
            return {names[0]: data}
        if not isinstance(data, dict) or set(names) - set(data):
            raise InvalidParameterValue(
                f"The model takes the arrays {shown(names)} by name, got {type(data).__name__}."
            )
        return {name: self._with_rank(name, data[name]) for name in names}

    def _with_rank(self, name: str, array: Any) -> Any:
        """A column as an array of the rank that the graph wants."""
        shape = next(each.shape for each in self._session.get_inputs() if each.name == name)
        return array.reshape(-1, 1) if array.ndim == 1 and len(shape) == 2 else array


def _session_options(runtime: Any, options: Mapping[str, Any]) -> Any:
    found = runtime.SessionOptions()
    for name, value in options.items():
        if name == "extra_session_config":
            for key, each in value.items():
                found.add_session_config_entry(str(key), str(each))
        elif name == "execution_mode":
            found.execution_mode = getattr(runtime.ExecutionMode, _MODES[str(value).lower()])
        elif name == "graph_optimization_level":
            found.graph_optimization_level = runtime.GraphOptimizationLevel(int(value))
        else:
            setattr(found, name, int(value))
    return found


def _as_frame(outputs: Mapping[str, Any]) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {name: array.reshape(-1) if array.size == len(array) else list(array) for name, array in outputs.items()}
    )


def _write(model: Any, directory: Path, providers: Any, options: Mapping[str, Any] | None, external: bool) -> Written:
    library = _library("onnx", "to save a model of ONNX")
    if not isinstance(model, library.ModelProto):
        raise InvalidParameterValue(f"{shown(type(model))} is no model of ONNX.")
    path = directory / _FILE
    copied = library.ModelProto()
    copied.CopyFrom(model)  # saving with external data would empty the user's tensors
    library.checker.check_model(copied)
    library.save_model(
        copied, str(path), save_as_external_data=external, location="model.onnx.data", size_threshold=_SMALL_BYTES
    )
    config = {
        "data": _FILE,
        "onnx_session_options": dict(_checked_options(options)) or None,
        "onnx_version": library.__version__,
        "providers": list(providers or _PROVIDERS),
    }
    predictor = partial(_OnnxPredictor, model, str(path), providers, options or {})
    libraries = ["onnx", "onnxruntime", "pandas"]
    return Written(config=config, pyfunc={"data": _FILE}, libraries=libraries, predictor=predictor)


def save_model(
    onnx_model: Any,
    path: str | Path,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    mlflow_model: Model | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    onnx_execution_providers: Sequence[Any] | None = None,
    onnx_session_options: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    save_as_external_data: bool = True,
    extra_files: Sequence[str | Path] | None = None,
) -> None:
    """Save a model of ONNX to a directory.

    Args:
        onnx_model: An ``onnx.ModelProto``.
        path: The directory to make.
        conda_env: A conda environment, or the path of its file, instead of requirements.
        code_paths: Files and directories that are copied along and can be imported when the model is loaded.
        mlflow_model: A description to complete.
        signature: What the model takes and gives; None infers it from the example.
        input_example: An input, kept with the model.
        pip_requirements: Requirements that replace those that are found out.
        extra_pip_requirements: Requirements in addition.
        onnx_execution_providers: Names of providers of ONNX Runtime in order of preference; those that a machine lacks
            are left out there.
        onnx_session_options: Options of the session, such as ``intra_op_num_threads``.
        metadata: Anything that YAML can hold.
        save_as_external_data: Keep large tensors in a file of their own, as models of more than 2 GiB need it.
        extra_files: Files that are copied beside the model.

    Raises:
        AlreadyExists: Something is at the path.
        InvalidParameterValue: An argument is not allowed. Nothing was written.
    """
    arguments = locals()
    write = partial(
        _write,
        onnx_model,
        providers=onnx_execution_providers,
        options=onnx_session_options,
        external=save_as_external_data,
    )
    save(path, FLAVOR, write, Packing.of(arguments))


def log_model(
    onnx_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    onnx_execution_providers: Sequence[Any] | None = None,
    onnx_session_options: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    save_as_external_data: bool = True,
    extra_files: Sequence[str | Path] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Log a model of ONNX as a model of the active run, or of the current experiment when there is no run.

    The arguments are those of :func:`save_model`, and those of :class:`stele.models.log.Logging`.

    Raises:
        InvalidParameterValue: An argument is not allowed. The model is marked as failed.
    """
    arguments = locals()
    write = partial(
        _write,
        onnx_model,
        providers=onnx_execution_providers,
        options=onnx_session_options,
        external=save_as_external_data,
    )
    return log(FLAVOR, write, Packing.of(arguments), Logging.of(arguments))


def load_model(model_uri: str, dst_path: str | None = None, *, trust: bool | None = None) -> Any:
    """Load a model of ONNX.

    Args:
        model_uri: A local path, or a URI as in :func:`stele.pyfunc.load_model`.
        dst_path: Where to put what is downloaded; None keeps it in the cache.
        trust: True says that you trust whoever made the model, so that it may run code.

    Raises:
        DoesNotExist: There is no such model, or it was not saved by this flavor.
        UntrustedModel: It may run code, and nobody vouched for it.
        MissingDependency: onnx is not installed.
    """
    return load_native(model_uri, FLAVOR, dst_path, trust=trust)
