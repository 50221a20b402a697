"""The fluent functions about logged models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from stele.client import context, experiments
from stele.client import tag_names as names
from stele.client.active_model import ActiveModel, activate, get_active_model_id
from stele.client.client import Client
from stele.client.fluent import active_run, client_of
from stele.client.paged_list import all_pages
from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.limits import DEFAULT_PAGE
from stele.schema.logged_models import LoggedModel, LoggedModelStatus

__all__ = [
    "create_external_model",
    "delete_logged_model_tag",
    "finalize_logged_model",
    "get_logged_model",
    "initialize_logged_model",
    "last_logged_model",
    "log_model_params",
    "search_logged_models",
    "set_active_model",
    "set_logged_model_tags",
]

_LAST: ContextVar[tuple[Client, str] | None] = ContextVar("stele_last_logged_model", default=None)


def initialize_logged_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Make a logged model whose files will follow; it is PENDING until :func:`finalize_logged_model`.

    Args:
        name: Its name, without any of ``/ : . % " '``; None lets the store invent one.
        source_run_id: The run that makes it; None means the active one, if there is one.
        tags: Tags by key; values become text.
        params: Parameters by key; values become text.
        model_type: Any text that says what kind of model it is.
        experiment_id: Where it belongs; None means the experiment of the active run, else the current one.

    Raises:
        InvalidParameterValue: A name, key or value is not allowed.
    """
    run = active_run()
    client = client_of(run.info.run_id) if run is not None else Client()
    if run is not None:
        source_run_id = source_run_id or run.info.run_id
        experiment_id = experiment_id or run.info.experiment_id
    experiment_id = experiment_id or experiments.current_experiment_id()
    own = context.context_tags() | dict(tags or {})
    model = client.create_logged_model(experiment_id, name, source_run_id, own, params, model_type)
    _LAST.set((client, model.model_id))
    return model


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Make a logged model whose files are somewhere else, so that metrics can be about it; it is READY at once.

    The arguments are those of :func:`initialize_logged_model`.

    Raises:
        InvalidParameterValue: A name, key or value is not allowed.
    """
    own = dict(tags or {}) | {names.EXTERNAL_MODEL: "true"}
    model = initialize_logged_model(name, source_run_id, own, params, model_type, experiment_id)
    client = _client()
    client.open_repository(model.artifact_location).write("MLmodel", [_external_file(model)])
    return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)


def _external_file(model: LoggedModel) -> bytes:
    made = datetime.fromtimestamp(model.creation_timestamp / 1000, UTC).replace(tzinfo=None)
    return (
        f"artifact_path: {model.artifact_location}\n"
        "flavors: {}\n"
        f"metadata:\n  {names.EXTERNAL_MODEL}: true\n"
        f"model_id: {model.model_id}\n"
        f"model_uuid: {model.model_id}\n"
        f"run_id: '{model.source_run_id}'\n"
        f"utc_time_created: '{made}'\n"
    ).encode()


def finalize_logged_model(model_id: str, status: str | LoggedModelStatus, digest: str | None = None) -> LoggedModel:
    """Say that the files of a model are complete, or will not be; see :meth:`stele.Client.finalize_logged_model`."""
    return _client().finalize_logged_model(model_id, status, digest)


def get_logged_model(model_id: str) -> LoggedModel:
    """A logged model; see :meth:`stele.Client.get_logged_model`."""
    return _client().get_logged_model(model_id)


def last_logged_model() -> LoggedModel | None:
    """The logged model that this thread or task made last, read anew; None when it made none."""
    last = _LAST.get()
    return last[0].get_logged_model(last[1]) if last is not None else None


def search_logged_models(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str | None = None,
    datasets: Sequence[Mapping[str, Any]] | None = None,
    max_results: int | None = None,
    order_by: Sequence[Mapping[str, Any]] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
) -> Any:
    """The logged models that fit a filter, those of all pages.

    Args:
        experiment_ids: Where to look; None means the current experiment.
        filter_string: See :meth:`stele.Client.search_logged_models`, as for the next two.
        datasets: Only what was measured on these counts.
        max_results: How many at most; None means all.
        order_by: The order; the newest come first without it.
        output_format: ``pandas`` for a table with a row for each model, or ``list``.

    Raises:
        InvalidParameterValue: An argument is not allowed.
        MissingDependency: pandas is not installed.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidParameterValue(f"output_format {shown(output_format)} is not one of list, pandas.")
    client = _client()
    ids = list(experiment_ids) if experiment_ids is not None else [experiments.current_experiment_id()]
    models = all_pages(
        lambda size, token: client.search_logged_models(ids, filter_string, datasets, size, order_by, token),
        max_results,
        DEFAULT_PAGE,
    )
    if output_format == "list":
        return models
    try:
        import pandas as pd
    except ImportError as e:
        raise MissingDependency("pandas", 'for a table; output_format="list" needs nothing') from e
    return pd.DataFrame([dict(sorted(model.to_dictionary().items())) for model in models])


def set_logged_model_tags(model_id: str, tags: Mapping[str, Any]) -> None:
    """Set tags of a logged model; see :meth:`stele.Client.set_logged_model_tags`."""
    _client().set_logged_model_tags(model_id, tags)


def delete_logged_model_tag(model_id: str, key: str) -> None:
    """Remove a tag of a logged model; see :meth:`stele.Client.delete_logged_model_tag`."""
    _client().delete_logged_model_tag(model_id, key)


def log_model_params(params: Mapping[str, Any], model_id: str | None = None) -> None:
    """Record parameters of a logged model; see :meth:`stele.Client.log_model_params`.

    Args:
        params: Values by name; they become text.
        model_id: The model; None means the active one.

    Raises:
        InvalidParameterValue: No model was named and none is active, or a parameter has another value already.
    """
    model_id = model_id or get_active_model_id()
    if model_id is None:
        raise InvalidParameterValue("log_model_params needs a model_id, because no model is active.")
    _client().log_model_params(model_id, params)


def set_active_model(*, name: str | None = None, model_id: str | None = None) -> ActiveModel:
    """Make a logged model the one that metrics of this thread or task are about.

    Use it as ``with set_active_model(...):``, or until the next call of it.

    Args:
        name: Name of a model of the current experiment, the newest one; it is made, without files, when there is none.
        model_id: The model, instead of a name.

    Raises:
        DoesNotExist: There is no model with this id.
        InvalidParameterValue: Not exactly one of name and id was given.
    """
    if (name is None) == (model_id is None):
        raise InvalidParameterValue("set_active_model needs either name or model_id.")
    if model_id is not None:
        return activate(_client().get_logged_model(model_id))
    assert name is not None
    return activate(_newest_of_name(name) or create_external_model(name=name))


def _newest_of_name(name: str) -> LoggedModel | None:
    run = active_run()
    experiment_id = run.info.experiment_id if run is not None else experiments.current_experiment_id()
    quote = '"' if "'" in name else "'"
    found = _client().search_logged_models([experiment_id], f"name = {quote}{name}{quote}", max_results=1)
    return next(iter(found), None)


def _client() -> Client:
    """A client for the store of the active run, or for the current one."""
    run = active_run()
    return client_of(run.info.run_id) if run is not None else Client()
