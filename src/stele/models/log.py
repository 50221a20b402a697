"""The one way in which models are logged: saved, uploaded, and finished with the digest of what was uploaded."""

from __future__ import annotations

import logging as logs
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import replace

from stele import settings
from stele.artifacts.digests import manifest_digest
from stele.client.calls.files import upload
from stele.client.client import Client
from stele.client.fluent import active_run, client_of
from stele.client.logged_models import initialize_logged_model
from stele.client.model_registry import register_model
from stele.client.stores import open_journalled
from stele.errors import InvalidParameterValue, shown
from stele.models.flavor import Flavor
from stele.models.format import Model
from stele.models.model_info import ModelInfo, model_info
from stele.models.run_metrics import link_metrics
from stele.models.save import Packing, Writer, write_model
from stele.schema.datasets import LoggedModelOutput
from stele.schema.logged_models import LoggedModel, LoggedModelStatus
from stele.schema.runs import Run

__all__ = ["Logging", "log", "log_by_module"]

_LOGGER = logs.getLogger(__name__)

_Save = Callable[[Path, Model], Model]
"""Makes a directory with a model, given its description so far, and returns the whole description."""


class Logging(Struct, kw_only=True):
    """What can be said of any model when it is logged; the arguments that all flavors share.

    Attributes:
        name: Of the logged model; None lets the store invent one.
        artifact_path: The old word for ``name``.
        registered_model_name: Register it under this name, too.
        await_registration_for: Seconds; not used, a version is ready at once.
        params: Parameters of the model by key; values become text.
        tags: Tags of the model by key; values become text.
        model_type: Any text that says what kind of model it is.
        step: At which step of the run it was made.
        model_id: A model that was initialised before; None makes one.
        prompts: URIs of prompts that it uses.
        run_id: The run that it belongs to; None means the active one, if there is one.
    """

    name: str | None = None
    artifact_path: str | None = None
    registered_model_name: str | None = None
    await_registration_for: int | None = 300
    params: Mapping[str, Any] | None = None
    tags: Mapping[str, Any] | None = None
    model_type: str | None = None
    step: int = 0
    model_id: str | None = None
    prompts: list[Any] | None = None
    run_id: str | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """From the arguments of a flavor's ``log_model``, which have the names of the fields."""
        return cls(**{name: arguments[name] for name in cls.__struct_fields__ if name in arguments})


def log(flavor: Flavor, write: Writer, packing: Packing, logging: Logging) -> ModelInfo:
    """Log a model: in the active run, or without a run in the current experiment.

    The model is ready when all of its files are there, or marked as failed. What the run measured
    at the step becomes metrics of the model; see :func:`stele.models.run_metrics.link_metrics`.
    Under ``STELE_OFFLINE`` all of it is kept for the sync; only a registration is left to the caller, who is warned.

    Args:
        flavor: Of the model.
        write: Writes its files.
        packing: What is kept with it.
        logging: What is said of it in the store.

    Raises:
        InvalidParameterValue: An argument is not allowed.
        DoesNotExist: There is no model with the id that was given.
    """

    def save(directory: Path, model: Model) -> Model:
        directory.mkdir()
        return write_model(directory, flavor, write, replace(packing, mlflow_model=model))

    return _log(save, packing.mlflow_model or Model(), logging)


def log_by_module(flavor: Any, model: Model, arguments: Mapping[str, Any], passed_on: Mapping[str, Any]) -> ModelInfo:
    """Log a model that somebody else's module saves; see :meth:`stele.models.Model.log`.

    Args:
        flavor: The module, or any object with a function ``save_model(path, mlflow_model, ...)``.
        model: The description to complete.
        arguments: Of ``Model.log``; those with the names of :class:`Logging` are said of it in the store.
        passed_on: To the function.

    Raises:
        InvalidParameterValue: There is no such function, or an argument is not allowed.
        DoesNotExist: The function made no MLmodel file; or there is no model or run with the id that was given.
    """
    save_model = getattr(flavor, "save_model", None)
    if not callable(save_model):
        raise InvalidParameterValue(f"flavor is {shown(flavor)}; it must be a module with a function save_model.")

    def save(directory: Path, model: Model) -> Model:
        save_model(path=str(directory), mlflow_model=model, **passed_on)
        return Model.read(directory)

    return _log(save, model, Logging.of(arguments))


def _log(save: _Save, model: Model, logging: Logging) -> ModelInfo:
    run = Client().get_run(logging.run_id) if logging.run_id is not None else active_run()
    run_id = run.info.run_id if run is not None else None
    client = client_of(run_id) if run_id is not None else Client()
    is_offline = open_journalled(client.tracking_uri).offline
    logged = _logged_model(client, logging, run)
    try:
        if run_id is not None:
            client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, logging.step)])
            link_metrics(client, run_id, logged.model_id, logging.step, is_offline=is_offline)
        _describe(model, logging, logged, run_id, is_offline=is_offline)
        model, digest = _save_and_upload(client, save, model, logged)
    except BaseException:
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
        raise
    logged = client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY, digest)
    version = None
    if logging.registered_model_name and is_offline:
        _LOGGER.warning(
            "The model %s is kept in the journal, and not registered as %r, because %s is set. Register it after the "
            "sync: stele.register_model(%r, %r)",
            logged.model_id,
            logging.registered_model_name,
            settings.OFFLINE.name,
            logged.model_uri,
            logging.registered_model_name,
        )
    elif logging.registered_model_name:
        version = int(register_model(logged.model_uri, logging.registered_model_name).version)
    return model_info(model, logged.model_uri, logged, version)


def _logged_model(client: Client, logging: Logging, run: Run | None) -> LoggedModel:
    if logging.artifact_path is not None:
        warnings.warn("artifact_path is the old word for the name of a model; use name.", FutureWarning, stacklevel=5)
    if logging.model_id is None:
        return initialize_logged_model(
            logging.name or logging.artifact_path,
            run.info.run_id if run is not None else None,
            logging.tags,
            logging.params,
            logging.model_type,
            run.info.experiment_id if run is not None else None,
        )
    if logging.params:
        client.log_model_params(logging.model_id, logging.params)
    if logging.tags:
        client.set_logged_model_tags(logging.model_id, logging.tags)
    return client.get_logged_model(logging.model_id)


def _describe(model: Model, logging: Logging, logged: LoggedModel, run_id: str | None, *, is_offline: bool) -> None:
    model.artifact_path = logged.model_uri if is_offline else logged.artifact_location  # where they lie until the sync
    model.run_id = run_id or logged.source_run_id or None
    model.model_id = model.model_uuid = logged.model_id
    model.prompts = [str(getattr(each, "uri", each)) for each in logging.prompts] if logging.prompts else None


def _save_and_upload(client: Client, save: _Save, model: Model, logged: LoggedModel) -> tuple[Model, str]:
    with tempfile.TemporaryDirectory(prefix="stele-model-") as private:  # 0700
        directory = Path(private) / "model"
        model = save(directory, model)
        upload(client.open_repository(logged.artifact_location), str(directory), "")
        return model, manifest_digest(directory)
