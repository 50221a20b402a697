"""Models of LightGBM: boosters in its own text format, estimators as those of scikit-learn are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.models.files import ModelFiles
from stele.models.findings import Finding, data_finding, pickle_finding, skops_finding
from stele.models.flavor import Predictor, Written
from stele.models.flavors.known_types import KNOWN_TYPES
from stele.models.flavors.sklearn import EstimatorPredictor, checked_format, read_estimator, write_estimator
from stele.models.format import Model
from stele.models.load import load_native
from stele.models.log import Logging, log
from stele.models.model_info import ModelInfo
from stele.models.save import Packing, save
from stele.models.signature import ModelSignature
from stele.models.trust import AdmittedModel

__all__ = ["FLAVOR", "LightGBMFlavor", "load_model", "log_model", "save_model"]

_BOOSTER = "lightgbm.basic.Booster"


class LightGBMFlavor:
    """See :mod:`stele.models.flavors.lightgbm`."""

    name = "lightgbm"
    loader_module = "mlflow.lightgbm"
    purpose = "to load a model of LightGBM"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        name, form = self._file(files)
        if form == "booster":
            return [data_finding(files, name, "LightGBM")]
        return [skops_finding(files, name, KNOWN_TYPES) if form == "skops" else pickle_finding(files, name)]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`."""
        del options
        library = _library(self.purpose)
        name, form = self._file(admitted.files)
        if form == "booster":
            return admitted.load(lambda path: library.Booster(model_file=str(path)), name)
        return read_estimator(admitted, name, form)

    def as_predictor(self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]) -> Predictor:
        """See :class:`stele.models.flavor.Flavor`."""
        del admitted, model_config
        return _predictor(native)

    def _file(self, files: ModelFiles) -> tuple[str, str]:
        """The file of the model, and ``booster`` or the format of an estimator."""
        config = files.model.flavors.get(self.name) or {}
        name = str(config.get("data") or files.pyfunc.get("data"))
        if config.get("model_class", _BOOSTER) == _BOOSTER:
            return name, "booster"
        return name, checked_format(config.get("serialization_format") or "pickle")


FLAVOR = LightGBMFlavor()


def _library(purpose: str) -> Any:
    try:
        import lightgbm
    except ImportError as e:
        raise MissingDependency("lightgbm", purpose, "lightgbm") from e
    return lightgbm


def _predictor(native: Any) -> Predictor:
    return EstimatorPredictor(native, "predict")


def _write(model: Any, directory: Path, form: str | None, trusted: Sequence[str] | None) -> Written:
    library = _library("to save a model of LightGBM")
    if isinstance(model, library.Booster):
        unknown: list[str] = []
        name, kind = "model.lgb", checked_format(form or "skops")
        model.save_model(str(directory / name))
        libraries = ["lightgbm"]
    elif isinstance(model, library.LGBMModel):
        name, kind, unknown = write_estimator(model, directory, form, trusted)
        libraries = ["lightgbm", "sklearn", *([] if kind == "pickle" else [kind])]
    else:
        raise InvalidParameterValue(f"{shown(model)} is no model of LightGBM, but a {type(model).__name__}.")
    config = {
        "lgb_version": library.__version__,
        "data": name,
        "model_class": f"{type(model).__module__}.{type(model).__name__}",
        "serialization_format": kind,
        "skops_trusted_types": unknown or None,
    }
    return Written(config=config, pyfunc={"data": name}, libraries=libraries, predictor=partial(_predictor, model))


def save_model(
    lgb_model: Any,
    path: str | Path,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    mlflow_model: Model | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    serialization_format: str | None = None,
    skops_trusted_types: Sequence[str] | None = None,
    extra_files: Sequence[str | Path] | None = None,
) -> None:
    """Save a model of LightGBM to a directory.

    Args:
        lgb_model: A Booster, or an estimator of ``lightgbm.sklearn``.
        path: The directory to make.
        conda_env: A conda environment, or the path of its file, instead of requirements.
        code_paths: Files and directories that are copied along and can be imported when the model is loaded.
        mlflow_model: A description to complete.
        signature: What the model takes and gives; None infers it from the example.
        input_example: An input, kept with the model.
        pip_requirements: Requirements that replace those that are found out.
        extra_pip_requirements: Requirements in addition.
        metadata: Anything that YAML can hold.
        serialization_format: Of an estimator; see :func:`stele.sklearn.save_model`.
        skops_trusted_types: Likewise.
        extra_files: Files that are copied beside the model.

    Raises:
        AlreadyExists: Something is at the path.
        InvalidParameterValue: An argument is not allowed. Nothing was written.
    """
    arguments = locals()
    write = partial(_write, lgb_model, form=serialization_format, trusted=skops_trusted_types)
    save(path, FLAVOR, write, Packing.of(arguments))


def log_model(
    lgb_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    registered_model_name: str | None = None,
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
    serialization_format: str | None = None,
    skops_trusted_types: Sequence[str] | None = None,
) -> ModelInfo:
    """Log a model of LightGBM as a model of the active run, or of the current experiment when there is no run.

    The arguments are those of :func:`save_model`, and those of :class:`stele.models.log.Logging`.

    Raises:
        InvalidParameterValue: An argument is not allowed. The model is marked as failed.
    """
    arguments = locals()
    write = partial(_write, lgb_model, form=serialization_format, trusted=skops_trusted_types)
    return log(FLAVOR, write, Packing.of(arguments), Logging.of(arguments))


def load_model(model_uri: str, dst_path: str | None = None, *, trust: bool | None = None) -> Any:
    """Load a model of LightGBM.

    Args:
        model_uri: A local path, or a URI as in :func:`stele.pyfunc.load_model`.
        dst_path: Where to put what is downloaded; None keeps it in the cache.
        trust: True says that you trust whoever made the model, so that it may run code.

    Raises:
        DoesNotExist: There is no such model, or it was not saved by this flavor.
        UntrustedModel: It may run code, and nobody vouched for it.
        MissingDependency: LightGBM is not installed.
    """
    return load_native(model_uri, FLAVOR, dst_path, trust=trust)
