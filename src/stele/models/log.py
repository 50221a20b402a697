"""The one way in which models are logged: saved, uploaded, and finished with the digest of what was uploaded."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import replace

from stele.artifacts.digests import manifest_digest
from stele.client.calls.files import upload
from stele.client.client import Client
from stele.client.fluent import active_run, client_of
from stele.client.logged_models import initialize_logged_model
from stele.client.model_registry import register_model
from stele.models.flavor import Flavor
from stele.models.format import Model
from stele.models.model_info import ModelInfo, model_info
from stele.models.run_metrics import link_metrics
from stele.models.save import Packing, Writer, write_model
from stele.schema.datasets import LoggedModelOutput
from stele.schema.logged_models import LoggedModel, LoggedModelStatus

__all__ = ["Logging", "log"]


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

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """From the arguments of a flavor's ``log_model``, which have the names of the fields."""
        return cls(**{name: arguments[name] for name in cls.__struct_fields__ if name in arguments})


def log(flavor: Flavor, write: Writer, packing: Packing, logging: Logging) -> ModelInfo:
    """Log a model: in the active run, or without a run in the current experiment.

    The model is ready when all of its files are there, or marked as failed. What the run measured
    at the step becomes metrics of the model; see :func:`stele.models.run_metrics.link_metrics`.

    Args:
        flavor: Of the model.
        write: Writes its files.
        packing: What is kept with it.
        logging: What is said of it in the store.

    Raises:
        InvalidParameterValue: An argument is not allowed.
        DoesNotExist: There is no model with the id that was given.
    """
    run = active_run()
    client = client_of(run.info.run_id) if run is not None else Client()
    logged = _logged_model(client, logging)
    run_id = run.info.run_id if run is not None else None
    try:
        if run_id is not None:
            client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, logging.step)])
            link_metrics(client, run_id, logged.model_id, logging.step)
        model, digest = _write_and_upload(client, flavor, write, _described(packing, logging, logged, run_id), logged)
    except BaseException:
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
        raise
    logged = client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY, digest)
    version = None
    if logging.registered_model_name:
        version = int(register_model(logged.model_uri, logging.registered_model_name).version)
    return model_info(model, logged.model_uri, logged, version)


def _logged_model(client: Client, logging: Logging) -> LoggedModel:
    if logging.artifact_path is not None:
        warnings.warn("artifact_path is the old word for the name of a model; use name.", FutureWarning, stacklevel=4)
    if logging.model_id is None:
        name = logging.name or logging.artifact_path
        return initialize_logged_model(name, tags=logging.tags, params=logging.params, model_type=logging.model_type)
    if logging.params:
        client.log_model_params(logging.model_id, logging.params)
    if logging.tags:
        client.set_logged_model_tags(logging.model_id, logging.tags)
    return client.get_logged_model(logging.model_id)


def _described(packing: Packing, logging: Logging, logged: LoggedModel, run_id: str | None) -> Packing:
    model = packing.mlflow_model or Model()
    model.artifact_path = logged.artifact_location
    model.run_id = run_id or logged.source_run_id or None
    model.model_id = model.model_uuid = logged.model_id
    model.prompts = [str(getattr(each, "uri", each)) for each in logging.prompts] if logging.prompts else None
    return replace(packing, mlflow_model=model)


def _write_and_upload(
    client: Client, flavor: Flavor, write: Writer, packing: Packing, logged: LoggedModel
) -> tuple[Model, str]:
    with tempfile.TemporaryDirectory(prefix="stele-model-") as directory:  # 0700
        model = write_model(Path(directory), flavor, write, packing)
        upload(client.open_repository(logged.artifact_location), directory, "")
        return model, manifest_digest(Path(directory))
