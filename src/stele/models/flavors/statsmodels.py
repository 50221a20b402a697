"""Results of statsmodels, which that library keeps as pickles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.models.files import ModelFiles
from stele.models.findings import Finding, pickle_finding
from stele.models.flavor import Predictor, Written
from stele.models.format import Model
from stele.models.load import load_native
from stele.models.log import Logging, log
from stele.models.model_info import ModelInfo
from stele.models.save import Packing, save
from stele.models.signature import ModelSignature
from stele.models.trust import AdmittedModel

__all__ = ["FLAVOR", "StatsmodelsFlavor", "load_model", "log_model", "save_model"]

_FILE = "model.statsmodels"
_RANGE = ("start", "end")


class StatsmodelsFlavor:
    """See :mod:`stele.models.flavors.statsmodels`."""

    name = "statsmodels"
    loader_module = "mlflow.statsmodels"
    purpose = "to load a model of statsmodels"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        return [pickle_finding(files, self._file(files))]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`."""
        del options
        _library(self.purpose)
        return admitted.unpickle(self._file(admitted.files))

    def as_predictor(self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]) -> Predictor:
        """See :class:`stele.models.flavor.Flavor`."""
        del admitted, model_config
        return _ResultsPredictor(native)

    def _file(self, files: ModelFiles) -> str:
        config = files.model.flavors.get(self.name) or {}
        return str(config.get("data") or files.pyfunc.get("data"))


FLAVOR = StatsmodelsFlavor()


def _library(purpose: str) -> Any:
    try:
        import statsmodels
    except ImportError as e:
        raise MissingDependency("statsmodels", purpose, "statsmodels") from e
    return statsmodels


class _ResultsPredictor:
    def __init__(self, native: Any) -> None:
        self.native = native

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """The predictions for data; one row with ``start`` and ``end`` asks a time series for that range."""
        del params
        columns = list(getattr(data, "columns", ()))
        if columns and set(columns) <= set(_RANGE):
            if len(data) != 1:
                raise InvalidParameterValue(f"A time series takes one row with start and end, got {len(data)}.")
            return self.native.predict(**{name: data[name].iloc[0] for name in columns})
        return self.native.predict(data)


def _write(model: Any, directory: Path, remove_data: bool) -> Written:
    library = _library("to save a model of statsmodels")
    if not callable(getattr(model, "save", None)) or not type(model).__module__.startswith("statsmodels"):
        raise InvalidParameterValue(f"{shown(model)} is no result of statsmodels, but a {type(model).__name__}.")
    model.save(str(directory / _FILE), remove_data)
    config = {"statsmodels_version": library.__version__, "data": _FILE}
    predictor = partial(_ResultsPredictor, model)
    return Written(config=config, pyfunc={"data": _FILE}, libraries=["statsmodels"], predictor=predictor)


def save_model(
    statsmodels_model: Any,
    path: str | Path,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    mlflow_model: Model | None = None,
    remove_data: bool = False,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    extra_files: Sequence[str | Path] | None = None,
) -> None:
    """Save results of statsmodels to a directory.

    Args:
        statsmodels_model: What ``fit`` of statsmodels returned.
        path: The directory to make.
        conda_env: A conda environment, or the path of its file, instead of requirements.
        code_paths: Files and directories that are copied along and can be imported when the model is loaded.
        mlflow_model: A description to complete.
        remove_data: Leave out the data that the results were fitted with.
        signature: What the model takes and gives; None infers it from the example.
        input_example: An input, kept with the model.
        pip_requirements: Requirements that replace those that are found out.
        extra_pip_requirements: Requirements in addition.
        metadata: Anything that YAML can hold.
        extra_files: Files that are copied beside the model.

    Raises:
        AlreadyExists: Something is at the path.
        InvalidParameterValue: An argument is not allowed. Nothing was written.
    """
    arguments = locals()
    write = partial(_write, statsmodels_model, remove_data=remove_data)
    save(path, FLAVOR, write, Packing.of(arguments))


def log_model(
    statsmodels_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    registered_model_name: str | None = None,
    remove_data: bool = False,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    extra_files: Sequence[str | Path] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Log results of statsmodels as a model of the active run, or of the current experiment when there is no run.

    The arguments are those of :func:`save_model`, and those of :class:`stele.models.log.Logging`.

    Raises:
        InvalidParameterValue: An argument is not allowed. The model is marked as failed.
    """
    arguments = locals()
    write = partial(_write, statsmodels_model, remove_data=remove_data)
    return log(FLAVOR, write, Packing.of(arguments), Logging.of(arguments))


def load_model(model_uri: str, dst_path: str | None = None, *, trust: bool | None = None) -> Any:
    """Load results of statsmodels.

    Args:
        model_uri: A local path, or a URI as in :func:`stele.pyfunc.load_model`.
        dst_path: Where to put what is downloaded; None keeps it in the cache.
        trust: True says that you trust whoever made the model, so that it may run code.

    Raises:
        DoesNotExist: There is no such model, or it was not saved by this flavor.
        UntrustedModel: It may run code, and nobody vouched for it.
        MissingDependency: statsmodels is not installed.
    """
    return load_native(model_uri, FLAVOR, dst_path, trust=trust)
