"""Models of XGBoost, in its own formats, which hold data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

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

__all__ = ["FLAVOR", "XGBoostFlavor", "load_model", "log_model", "save_model"]

_FORMATS = ("ubj", "json", "xgb")
_CLASSES = ("Booster", "XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")


class XGBoostFlavor:
    """See :mod:`stele.models.flavors.xgboost`."""

    name = "xgboost"
    loader_module = "mlflow.xgboost"
    purpose = "to load a model of XGBoost"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        return [data_finding(files, self._file(files), "XGBoost")]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`."""
        del options
        library = _library(self.purpose)
        config = admitted.files.model.flavors.get(self.name) or {}
        name = str(config.get("model_class") or "xgboost.core.Booster").rpartition(".")[2]
        if name not in _CLASSES:
            raise InvalidParameterValue(
                f"MLmodel names the class {shown(config.get('model_class'))}; allowed are {', '.join(_CLASSES)}."
            )
        model = getattr(library, name)()
        admitted.load(lambda path: model.load_model(str(path)), self._file(admitted.files))
        return model

    def as_predictor(self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]) -> Predictor:
        """See :class:`stele.models.flavor.Flavor`."""
        del admitted, model_config
        return _XGBoostPredictor(native)

    def _file(self, files: ModelFiles) -> str:
        config = files.model.flavors.get(self.name) or {}
        return str(config.get("data") or files.pyfunc.get("data"))


FLAVOR = XGBoostFlavor()


def _library(purpose: str) -> Any:
    try:
        import xgboost
    except ImportError as e:
        raise MissingDependency("xgboost", purpose, "xgboost") from e
    return xgboost


class _XGBoostPredictor:
    def __init__(self, native: Any) -> None:
        self.native = native

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        del params
        library = _library(FLAVOR.purpose)
        return self.native.predict(library.DMatrix(data) if isinstance(self.native, library.Booster) else data)


def _write(model: Any, directory: Path, model_format: str, options: Mapping[str, Any]) -> Written:
    library = _library("to save a model of XGBoost")
    kind = type(model)
    if not isinstance(model, (library.Booster, library.XGBModel)):
        raise InvalidParameterValue(f"{shown(model)} is no model of XGBoost, but a {kind.__name__}.")
    if model_format not in _FORMATS:
        raise InvalidParameterValue(f"model_format is {shown(model_format)}; allowed are {', '.join(_FORMATS)}.")
    name = f"model.{model_format}"
    model.save_model(str(directory / name), **options)
    known = next(cls for cls in kind.__mro__ if cls.__module__.startswith("xgboost") and cls.__name__ in _CLASSES)
    config = {
        "xgb_version": library.__version__,
        "data": name,
        "model_class": f"{known.__module__}.{known.__name__}",
        "model_format": model_format,
    }
    libraries = ["xgboost", *([] if isinstance(model, library.Booster) else ["sklearn"])]
    predictor = partial(_XGBoostPredictor, model)
    return Written(config=config, pyfunc={"data": name}, libraries=libraries, predictor=predictor)


def save_model(
    xgb_model: Any,
    path: str | Path,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    mlflow_model: Model | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    model_format: str = "ubj",
    metadata: dict[str, Any] | None = None,
    extra_files: Sequence[str | Path] | None = None,
    **kwargs: Any,
) -> None:
    """Save a model of XGBoost to a directory.

    Args:
        xgb_model: A Booster, or an estimator of ``xgboost.sklearn``.
        path: The directory to make.
        conda_env: A conda environment, or the path of its file, instead of requirements.
        code_paths: Files and directories that are copied along and can be imported when the model is loaded.
        mlflow_model: A description to complete.
        signature: What the model takes and gives; None infers it from the example.
        input_example: An input, kept with the model.
        pip_requirements: Requirements that replace those that are found out.
        extra_pip_requirements: Requirements in addition.
        model_format: ``ubj``, ``json`` or ``xgb``.
        metadata: Anything that YAML can hold.
        extra_files: Files that are copied beside the model.
        **kwargs: Passed to the library's own function that writes the model.

    Raises:
        AlreadyExists: Something is at the path.
        InvalidParameterValue: An argument is not allowed. Nothing was written.
    """
    arguments = locals()
    write = partial(_write, xgb_model, model_format=model_format, options=kwargs)
    save(path, FLAVOR, write, Packing.of(arguments))


def log_model(
    xgb_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    model_format: str = "ubj",
    metadata: dict[str, Any] | None = None,
    extra_files: Sequence[str | Path] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Log a model of XGBoost as a model of the active run, or of the current experiment when there is no run.

    The arguments are those of :func:`save_model`, and those of :class:`stele.models.log.Logging`.

    Raises:
        InvalidParameterValue: An argument is not allowed. The model is marked as failed.
    """
    arguments = locals()
    write = partial(_write, xgb_model, model_format=model_format, options=kwargs)
    return log(FLAVOR, write, Packing.of(arguments), Logging.of(arguments))


def load_model(model_uri: str, dst_path: str | None = None, *, trust: bool | None = None) -> Any:
    """Load a model of XGBoost.

    Args:
        model_uri: A local path, or a URI as in :func:`stele.pyfunc.load_model`.
        dst_path: Where to put what is downloaded; None keeps it in the cache.
        trust: True says that you trust whoever made the model, so that it may run code.

    Raises:
        DoesNotExist: There is no such model, or it was not saved by this flavor.
        UntrustedModel: It may run code, and nobody vouched for it.
        MissingDependency: XGBoost is not installed.
    """
    return load_native(model_uri, FLAVOR, dst_path, trust=trust)
