"""Models as functions of columns of Spark.

The model is loaded on the driver first, where the gate is; then its files are sent to the workers, each of which loads
it once and predicts batches that Arrow brings. A worker needs the libraries that the driver has.
"""

from __future__ import annotations

import shutil
import tempfile
import typing
import uuid
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stele.errors import InvalidParameterValue, MissingDependency, NotImplementedHere, shown
from stele.models.format import as_config
from stele.models.params import checked_params
from stele.models.pyfunc import PyFuncModel, load_model
from stele.models.spark_results import as_spark_type, column_of, type_of_schema

if TYPE_CHECKING:
    import pandas

__all__ = ["spark_udf"]

_loaded: dict[str, PyFuncModel] = {}
"""The models of this worker by the name of their archive."""


def spark_udf(
    spark: Any,
    model_uri: str,
    result_type: Any = None,
    env_manager: str | None = None,
    params: dict[str, Any] | None = None,
    extra_env: dict[str, str] | None = None,
    prebuilt_env_uri: str | None = None,
    model_config: str | Path | dict[str, Any] | None = None,
    *,
    trust: bool | None = None,
) -> Callable[..., Any]:
    """A model as a function of columns of Spark.

    It takes columns or their names; columns of a struct are the model's columns by their names, several ones are those
    of the signature in order, or ``0``, ``1`` and so on without a signature. Without any, the signature's are taken.

    Args:
        spark: The session.
        model_uri: As in :func:`stele.pyfunc.load_model`.
        result_type: A type of Spark or its DDL; None takes that of the signature's outputs, else ``double``. ``int``,
            ``long``, ``float``, ``double``, ``boolean`` and ``string`` take the first column of the result that fits
            (any for ``string``), an array of them all that fit, and a struct those of its names.
        env_manager: None or ``local``: the workers have what the model needs.
        params: Parameters of the prediction.
        extra_env: Only with another environment; None.
        prebuilt_env_uri: Likewise.
        model_config: As in :func:`stele.pyfunc.load_model`.
        trust: Likewise.

    Raises:
        DoesNotExist: There is no such model.
        InvalidParameterValue: The type of the result cannot be one, or the parameters do not fit the signature.
        MissingDependency: pyspark or pyarrow is not installed.
        NotImplementedHere: Another environment is asked for, or the session is one of Spark Connect.
        UntrustedModel: The model may run code, and nobody vouched for it.
    """
    try:
        from pyspark.sql.functions import pandas_udf
    except ImportError as e:
        raise MissingDependency("pyspark", "to use a model with Spark") from e
    if env_manager not in (None, "local") or extra_env or prebuilt_env_uri:
        raise NotImplementedHere(
            f"env_manager is {shown(str(env_manager))}: only 'local' is there, without extra_env and prebuilt_env_uri. "
            "Install what the model needs where the workers run."
        )
    model = load_model(model_uri, model_config=model_config, trust=trust)
    outputs = model.metadata.get_output_schema()
    wanted = as_spark_type(result_type) if result_type is not None else type_of_schema(outputs)
    inputs = model.metadata.get_input_schema()
    names = [str(name) for name in inputs.input_names()] if inputs is not None and inputs.has_input_names() else None
    checked_params(params, model.metadata.get_params_schema())  # here, before anything is sent
    work = _predictor(_send(spark, model), wanted, names, params, as_config(model_config))
    function = pandas_udf(work, wanted)

    def apply(*columns: Any) -> Any:
        if not columns and not names:
            raise InvalidParameterValue("Name the columns: the model has no signature with names of columns.")
        return function(*(columns or names or ()))

    apply.__doc__ = f"The predictions of {model_uri}."
    return apply


def _send(spark: Any, model: PyFuncModel) -> str:
    """Send a model's files to the workers of a session; the name under which they find them."""
    context = getattr(spark, "_sc", None) or getattr(spark, "sparkContext", None)
    if context is None:
        raise NotImplementedHere("This session of Spark Connect cannot be sent files; a classic session can.")
    if model.directory is None:
        raise InvalidParameterValue("The model was not loaded from files, so it cannot be sent.")
    name = f"stele-model-{uuid.uuid4().hex}"
    context.addFile(shutil.make_archive(str(Path(_outbox().name) / name), "zip", model.directory))
    return f"{name}.zip"


@cache
def _outbox() -> tempfile.TemporaryDirectory[str]:
    """Where the archives of this process are, until it ends: a worker may ask for one as long as the session lives."""
    return tempfile.TemporaryDirectory(prefix="stele-spark-")


def _received(archive: str, config: dict[str, Any]) -> PyFuncModel:
    """The model of an archive, loaded once in a worker."""
    if archive not in _loaded:
        from pyspark import SparkFiles

        folder = Path(tempfile.mkdtemp(prefix="stele-model-"))
        with zipfile.ZipFile(SparkFiles.get(archive)) as files:  # what the driver wrote; zipfile keeps it inside
            files.extractall(folder)
        # The driver has asked the gate; these are the files that it let through.
        _loaded[archive] = load_model(str(folder), model_config=config, trust=True)
    return _loaded[archive]


def _predictor(
    archive: str, wanted: Any, names: list[str] | None, params: dict[str, Any] | None, config: dict[str, Any]
) -> Callable[..., Any]:
    """What the workers run; Spark reads the kind of function from its annotations."""
    import pandas as pd
    from pyspark.sql.types import StructType

    def predict(batches: Iterator[Any]) -> Iterator[Any]:
        model = _received(archive, config)
        for batch in batches:
            parts = batch if isinstance(batch, tuple) else (batch,)
            yield column_of(model.predict(_frame(parts, names), params=params), wanted)

    result = pd.DataFrame if isinstance(wanted, StructType) else pd.Series
    # Spark knows the forms of ``typing`` only.
    taken = typing.Iterator[typing.Tuple[typing.Union[pd.Series, pd.DataFrame], ...]]  # noqa: UP006, UP007
    predict.__annotations__ = {"batches": taken, "return": typing.Iterator[result]}  # type: ignore[valid-type]
    return predict


def _frame(parts: tuple[Any, ...], names: list[str] | None) -> pandas.DataFrame:
    """The columns of a batch as the model's input."""
    import pandas as pd

    if len(parts) == 1 and isinstance(parts[0], pd.DataFrame):
        return parts[0]
    known = names if names is not None and len(names) >= len(parts) else [str(place) for place in range(len(parts))]
    return pd.DataFrame(dict(zip(known, parts, strict=False)))
