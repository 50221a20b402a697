"""Models as functions of data, whatever their flavor."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stele.errors import InvalidParameterValue, NotImplementedHere, shown
from stele.models.enforcement import enforce_schema
from stele.models.environment import CONDA_FILE, REQUIREMENTS_FILE
from stele.models.examples import read_example
from stele.models.flavor import ArrayPredictor
from stele.models.flavors.python_object import PythonModelPredictor
from stele.models.format import Model, as_config
from stele.models.load import load_predictor, open_files
from stele.models.params import checked_params

__all__ = ["PyFuncModel", "get_model_dependencies", "load_model", "load_pyfunc"]


class PyFuncModel:
    """A loaded model as a function; :func:`load_model` makes it.

    Args:
        model_meta: What describes it.
        model_impl: What predicts: an object with ``predict(data)`` or ``predict(data, params=None)``.
        predict_fn: The name of its method.
        predict_stream_fn: The name of the method that yields part by part; None when there is none.
        model_id: Of the logged model.
    """

    def __init__(
        self,
        model_meta: Model,
        model_impl: Any,
        predict_fn: str = "predict",
        predict_stream_fn: str | None = None,
        model_id: str | None = None,
    ) -> None:
        self._model_meta = model_meta
        self._model_impl = model_impl
        self._predict = getattr(model_impl, predict_fn)
        self._predict_stream = getattr(model_impl, predict_stream_fn or "predict_stream", None)
        self._model_id = model_id or model_meta.model_id
        self._directory: Path | None = None
        self._config: dict[str, Any] = {}
        self._takes_params = "params" in inspect.signature(self._predict).parameters

    @property
    def metadata(self) -> Model:
        """What describes the model: flavors, signature, origin."""
        return self._model_meta

    @property
    def directory(self) -> Path | None:
        """Where its files are; None when it was not loaded from files."""
        return self._directory

    @property
    def model_id(self) -> str | None:
        """The id of the logged model, None when it was not logged."""
        return self._model_id

    @property
    def model_config(self) -> dict[str, Any]:
        """The configuration that it was saved with, with what the caller of ``load_model`` changed."""
        return self._config

    @property
    def loader_module(self) -> str | None:
        """What loads it, as MLmodel names it."""
        found: str | None = self._model_meta.flavors.get("python_function", {}).get("loader_module")
        return found

    @property
    def input_example(self) -> Any:
        """The example that it was saved with, None when there is none."""
        info = self._model_meta.saved_input_example_info
        return None if info is None or self._directory is None else read_example(self._directory, info)[0]

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """The predictions for data.

        Args:
            data: What the signature says: a data frame, an array, a dictionary of arrays, a list, or a dictionary.
                Lossless conversions are made, see :mod:`stele.models.enforcement`.
            params: Parameters of the signature; those that are not given have their defaults.

        Raises:
            InvalidParameterValue: The data or parameters do not fit the signature.
        """
        data, checked = self._checked(data, params)
        return self._predict(data, params=checked) if self._takes_params else self._predict(data)

    def array_function(self) -> Callable[[Any], Any] | None:
        """What predicts for a two-dimensional array as :meth:`predict` does for a frame with the signature's columns.

        Nothing is checked by it. None when the signature has no named columns, or the model wants frames.
        """
        schema = self._model_meta.get_input_schema()
        if schema is None or schema.is_tensor_spec() or not schema.has_input_names():
            return None
        if not isinstance(self._model_impl, ArrayPredictor):
            return None
        return self._model_impl.on_arrays(schema.input_names())

    def predict_stream(self, data: Any, params: dict[str, Any] | None = None) -> Iterator[Any]:
        """The predictions, part by part as the model yields them.

        Raises:
            NotImplementedHere: The model does not do that.
            InvalidParameterValue: The data or parameters do not fit the signature.
        """
        if self._predict_stream is None:
            raise NotImplementedHere("This model predicts no streams.")
        data, checked = self._checked(data, params)
        found: Iterator[Any] = self._predict_stream(data, params=checked)
        return found

    def _checked(self, data: Any, params: dict[str, Any] | None) -> tuple[Any, dict[str, Any]]:
        # What hints describe, the model checks itself against the hints, which say more than a schema can.
        schema = None if self._model_meta.is_signature_from_type_hint else self._model_meta.get_input_schema()
        return enforce_schema(data, schema), checked_params(params, self._model_meta.get_params_schema())

    def unwrap_python_model(self) -> Any:
        """The object of your own class that predicts.

        Raises:
            InvalidParameterValue: The model is none of a class of your own.
        """
        if not isinstance(self._model_impl, PythonModelPredictor):
            raise InvalidParameterValue(f"The model was saved by {self.loader_module}; it is no PythonModel.")
        return self._model_impl.python_model

    def get_raw_model(self) -> Any:
        """The model as its library knows it.

        Raises:
            NotImplementedHere: It has none.
        """
        native = getattr(self._model_impl, "native", None)
        if native is None:
            raise NotImplementedHere(f"A model of {self.loader_module} has no other form.")
        return native

    def __repr__(self) -> str:
        facts = {"artifact_path": self._model_meta.artifact_path, "flavor": self.loader_module}
        facts |= {"run_id": self._model_meta.run_id, "model_id": self._model_id}
        return "stele.pyfunc.loaded_model:\n" + "".join(f"  {key}: {each}\n" for key, each in facts.items() if each)


def load_model(
    model_uri: str,
    suppress_warnings: bool = False,
    dst_path: str | None = None,
    model_config: str | Path | dict[str, Any] | None = None,
    *,
    trust: bool | None = None,
) -> PyFuncModel:
    """Load a model of any flavor as a function.

    Args:
        model_uri: A local path, or ``runs:/<run>/<path>``, ``models:/<name>/<version>``, ``models:/<name>@<alias>``,
            ``models:/<model id>``.
        suppress_warnings: Accepted because MLflow has it; nothing is suppressed.
        dst_path: Where to put what is downloaded; None keeps it in the cache.
        model_config: Values, or the path of a YAML file, that replace those that the model was saved with.
        trust: True says that you trust whoever made the model, so that it may run code; see
            :mod:`stele.models.trust` for what holds otherwise.

    Raises:
        DoesNotExist: There is no such model.
        UntrustedModel: It may run code, and nobody vouched for it.
        MissingDependency: Its library is not installed.
    """
    del suppress_warnings
    source, files = open_files(model_uri, dst_path)
    config = as_config(model_config)
    predictor = load_predictor(source, files, config, trust=trust)
    model = PyFuncModel(files.model, predictor)
    model._directory = files.directory  # noqa: SLF001 - MLflow's constructor has no place for it
    model._config = {**(files.pyfunc.get("config") or {}), **config}  # noqa: SLF001
    return model


load_pyfunc = load_model


def get_model_dependencies(model_uri: str, format: str = "pip") -> str:  # noqa: A002 - MLflow's name
    """The local path of the file that says what a model needs.

    Args:
        model_uri: As in :func:`load_model`.
        format: ``pip`` for ``requirements.txt``, ``conda`` for ``conda.yaml``.

    Raises:
        InvalidParameterValue: It is another format.
        DoesNotExist: The model has no such file.
    """
    names = {"pip": REQUIREMENTS_FILE, "conda": CONDA_FILE}
    if format not in names:
        raise InvalidParameterValue(f"format is {shown(format)}; allowed are pip and conda.")
    _, files = open_files(model_uri)
    return str(files.path(names[format]))
