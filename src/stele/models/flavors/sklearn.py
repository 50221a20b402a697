"""Models of scikit-learn: kept with skops, which holds data only, or pickled when asked to or where skops cannot."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from stele.errors import InvalidParameterValue, shown
from stele.models.files import ModelFiles
from stele.models.findings import Finding, pickle_finding, skops_finding, unknown_skops_types
from stele.models.flavor import Predictor, Written
from stele.models.flavors.estimator_arrays import nameless
from stele.models.flavors.known_types import KNOWN_TYPES
from stele.models.format import FLAVOR as PYFUNC
from stele.models.format import Model
from stele.models.load import load_native
from stele.models.log import Logging, log
from stele.models.model_info import ModelInfo
from stele.models.pickling import dump
from stele.models.save import Packing, save
from stele.models.signature import ModelSignature
from stele.models.skops_library import skops_io
from stele.models.trust import AdmittedModel

__all__ = ["FLAVOR", "FORMATS", "SklearnFlavor", "load_model", "log_model", "save_model", "write_estimator"]

FORMATS = ("skops", "pickle", "cloudpickle")


class SklearnFlavor:
    """See :mod:`stele.models.flavors.sklearn`."""

    name = "sklearn"
    loader_module = "mlflow.sklearn"
    purpose = "to load a model of scikit-learn"

    def findings(self, files: ModelFiles) -> list[Finding]:
        """See :class:`stele.models.flavor.Flavor`."""
        name, form = self._file(files)
        return [skops_finding(files, name, KNOWN_TYPES) if form == "skops" else pickle_finding(files, name)]

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """See :class:`stele.models.flavor.Flavor`."""
        del options
        name, form = self._file(admitted.files)
        return read_estimator(admitted, name, form)

    def as_predictor(self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]) -> Predictor:
        """See :class:`stele.models.flavor.Flavor`."""
        del model_config
        return EstimatorPredictor(native, str(admitted.files.pyfunc.get("predict_fn") or "predict"))

    def _file(self, files: ModelFiles) -> tuple[str, str]:
        """The file of the estimator and its format; models of old versions say less."""
        config = files.model.flavors.get(self.name) or {}
        pyfunc = files.model.flavors.get(PYFUNC) or {}
        name = config.get("pickled_model") or pyfunc.get("model_path") or pyfunc.get("data") or "model.pkl"
        return str(name), checked_format(config.get("serialization_format") or "pickle")


FLAVOR = SklearnFlavor()


class EstimatorPredictor:
    """An estimator as a function of data and parameters; ``native`` is the estimator."""

    def __init__(self, native: Any, method: str) -> None:
        self.native = native
        predict = getattr(native, method, None)
        if method.startswith("_") or not callable(predict):
            raise InvalidParameterValue(f"{type(native).__name__} has no method {shown(method)} to predict with.")
        self._method, self._predict = method, predict
        self._names = inspect.signature(predict).parameters.keys()

    def on_arrays(self, names: Sequence[str]) -> Callable[[Any], Any] | None:
        """See :class:`stele.models.flavor.ArrayPredictor`."""
        found = nameless(self.native, names)
        predict: Callable[[Any], Any] | None = None if found is None else getattr(found, self._method)
        return predict

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """The predictions; of the parameters, the method gets those that it has."""
        known = {name: value for name, value in (params or {}).items() if name in self._names}
        return self._predict(data, **known)


def checked_format(serialization_format: object) -> str:
    """The format, if it is one.

    Raises:
        InvalidParameterValue: It is none.
    """
    if serialization_format not in FORMATS:
        raise InvalidParameterValue(
            f"serialization_format is {shown(serialization_format)}; allowed are {', '.join(FORMATS)}."
        )
    return str(serialization_format)


def read_estimator(admitted: AdmittedModel, name: str, form: str) -> Any:
    """An estimator from a file in one of the :data:`FORMATS`."""
    if form != "skops":
        return admitted.unpickle(name)
    io = skops_io("to load a model in its format")
    # The types were judged with the rest of the file; now they are what it may have.
    return admitted.load(io.load, name, trusted=unknown_skops_types(admitted.files.path(name)))


class WrittenEstimator(NamedTuple):
    """Where an estimator was written: the file, its format, and the types in it that skops must be told to trust."""

    name: str
    form: str
    trusted_types: list[str]


def write_estimator(
    estimator: Any, directory: Path, serialization_format: str | None, trusted: Collection[str] | None
) -> WrittenEstimator:
    """Write an estimator.

    Args:
        estimator: Of scikit-learn, or of a library that follows it.
        directory: Where to.
        serialization_format: One of :data:`FORMATS`; None takes skops, and cloudpickle with a warning when skops cannot
            keep the estimator, or only with types that nobody knows.
        trusted: Types that skops may keep although nobody knows them.

    Raises:
        InvalidParameterValue: The format is unknown, or the one that was asked for cannot keep the estimator.
    """
    form = checked_format(serialization_format or "skops")
    if form == "skops":
        try:
            return WrittenEstimator(
                "model.skops", form, _write_skops(estimator, directory, {*KNOWN_TYPES, *(trusted or ())})
            )
        except _SkopsCannot as e:
            kind = type(estimator).__name__
            if serialization_format is not None:
                raise InvalidParameterValue(f"skops cannot keep this {kind}: {e}.") from e
            form = "cloudpickle"
            warnings.warn(
                f"This {kind} is pickled, so loading it can run code, because skops cannot keep it: {e}. "
                "skops_trusted_types=[...] names types that it may keep; serialization_format='cloudpickle' says that "
                "a pickle is meant.",
                stacklevel=2,
            )
    dump(estimator, directory / "model.pkl")
    return WrittenEstimator("model.pkl", form, [])


class _SkopsCannot(Exception):
    """skops cannot keep an estimator; says why."""


def _write_skops(estimator: Any, directory: Path, trusted: set[str]) -> list[str]:
    """Write a skops file; the types in it that skops does not know."""
    io = skops_io("to save a model in its format")
    path = directory / "model.skops"
    try:
        io.dump(estimator, path)
        unknown = unknown_skops_types(path)
    except Exception as e:  # it raises whatever an object raises that cannot be taken apart
        path.unlink(missing_ok=True)
        raise _SkopsCannot(f"{type(e).__name__}: {e}") from e
    if strange := [each for each in unknown if each not in trusted]:
        path.unlink()
        raise _SkopsCannot(f"it does not know the types {', '.join(strange)}")
    return unknown


def _write(estimator: Any, directory: Path, form: str | None, method: str, trusted: Sequence[str] | None) -> Written:
    import sklearn

    if not hasattr(estimator, "fit") and not hasattr(estimator, "predict"):
        raise InvalidParameterValue(
            f"{shown(estimator)} is no estimator of scikit-learn: it has no fit and no predict."
        )
    name, form, unknown = write_estimator(estimator, directory, form, trusted)
    config = {
        "pickled_model": name,
        "sklearn_version": sklearn.__version__,
        "serialization_format": form,
        "skops_trusted_types": unknown or None,
    }
    libraries = ["sklearn", *([] if form == "pickle" else [form])]
    if not hasattr(estimator, method):
        return Written(config=config, libraries=libraries)
    pyfunc = {"model_path": name, "predict_fn": method}
    make: Callable[[], Predictor] = lambda: EstimatorPredictor(estimator, method)  # noqa: E731
    return Written(config=config, pyfunc=pyfunc, libraries=libraries, predictor=make)


def save_model(
    sk_model: Any,
    path: str | Path,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    mlflow_model: Model | None = None,
    serialization_format: str | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    pyfunc_predict_fn: str = "predict",
    metadata: dict[str, Any] | None = None,
    skops_trusted_types: Sequence[str] | None = None,
    extra_files: Sequence[str | Path] | None = None,
) -> None:
    """Save an estimator to a directory.

    Args:
        sk_model: The estimator.
        path: The directory to make.
        conda_env: A conda environment, or the path of its file, instead of requirements.
        code_paths: Files and directories that are copied along and can be imported when the model is loaded.
        mlflow_model: A description to complete.
        serialization_format: ``skops``, ``pickle`` or ``cloudpickle``; None takes skops when it can keep the estimator,
            else cloudpickle, and says so.
        signature: What the model takes and gives; None infers it from the example.
        input_example: An input, kept with the model.
        pip_requirements: Requirements that replace those that are found out.
        extra_pip_requirements: Requirements in addition.
        pyfunc_predict_fn: The method that predicts when the model is used as a function.
        metadata: Anything that YAML can hold.
        skops_trusted_types: Types that skops may keep although it does not know them. Loading asks for trust anyway.
        extra_files: Files that are copied beside the model.

    Raises:
        AlreadyExists: Something is at the path.
        InvalidParameterValue: An argument is not allowed. Nothing was written.
    """
    arguments = locals()
    write = partial(_write, sk_model, form=serialization_format, method=pyfunc_predict_fn, trusted=skops_trusted_types)
    save(path, FLAVOR, write, Packing.of(arguments))


def log_model(
    sk_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: Sequence[str | Path] | None = None,
    serialization_format: str | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    pyfunc_predict_fn: str = "predict",
    metadata: dict[str, Any] | None = None,
    extra_files: Sequence[str | Path] | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    name: str | None = None,
    skops_trusted_types: Sequence[str] | None = None,
) -> ModelInfo:
    """Log an estimator as a model of the active run, or of the current experiment when there is no run.

    The arguments are those of :func:`save_model`, and those of :class:`stele.models.log.Logging`.

    Raises:
        InvalidParameterValue: An argument is not allowed. The model is marked as failed.
    """
    arguments = locals()
    write = partial(_write, sk_model, form=serialization_format, method=pyfunc_predict_fn, trusted=skops_trusted_types)
    return log(FLAVOR, write, Packing.of(arguments), Logging.of(arguments))


def load_model(model_uri: str, dst_path: str | None = None, *, trust: bool | None = None) -> Any:
    """Load an estimator.

    Args:
        model_uri: A local path, or a URI as in :func:`stele.pyfunc.load_model`.
        dst_path: Where to put what is downloaded; None keeps it in the cache.
        trust: True says that you trust whoever made the model, so that it may run code.

    Raises:
        DoesNotExist: There is no such model, or it was not saved by this flavor.
        UntrustedModel: It may run code, and nobody vouched for it.
        MissingDependency: scikit-learn or skops is not installed.
    """
    return load_native(model_uri, FLAVOR, dst_path, trust=trust)
