"""The fluent functions about the registry."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from stele.client.client import Client
from stele.client.paged_list import all_pages
from stele.errors import AlreadyExists, DoesNotExist, shown
from stele.limits import MAX_MODELS_PAGE
from stele.schema.registered_models import ModelVersion, RegisteredModel

__all__ = ["register_model", "search_model_versions", "search_registered_models", "set_model_version_tag"]

_VERSIONS_PAGE = 10_000


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: int = 300,
    *,
    tags: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Add a model as the next version of a registered model, which is made when it does not exist.

    Args:
        model_uri: ``models:/m-...``, ``runs:/<run id>/<model name or path>``, ``models:/name/version``, or the address
            of files in an object store.
        name: The registered model.
        await_registration_for: Seconds; not used, a version is ready at once.
        tags: Tags of the version; values become text.

    Raises:
        DoesNotExist: There is nothing at the address.
        InvalidParameterValue: The name is not allowed, or the address may not be a source.
    """
    del await_registration_for
    client = Client()
    source, run_id, model_id = _source(client, model_uri)
    with contextlib.suppress(AlreadyExists):
        client.create_registered_model(name)
    return client.create_model_version(name, source, run_id, tags, model_id=model_id)


def _source(client: Client, uri: str) -> tuple[str, str | None, str | None]:
    """Source, run and logged model of a new version."""
    if uri.startswith("models:/m-"):
        model = client.get_logged_model(uri.removeprefix("models:/").strip("/"))
        return uri.rstrip("/"), model.source_run_id or None, model.model_id
    if not uri.startswith("runs:/"):
        return uri, None, None
    run_id, _, path = uri.removeprefix("runs:/").strip("/").partition("/")
    found = client.model_of_run(run_id, path)
    if found is not None and found.name == path:
        return found.model_uri, run_id, found.model_id
    if client.repository(run_id).stat(path) is None:
        raise DoesNotExist(f"The run {run_id} has neither a logged model nor a file {shown(path)}.")
    return f"{client.get_run(run_id).info.artifact_uri.rstrip('/')}/{path}", run_id, None


def search_registered_models(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[RegisteredModel]:
    """The registered models that fit a filter, those of all pages; see :meth:`stele.Client.search_registered_models`.

    Args:
        max_results: How many at most; None means all.
        filter_string: The filter.
        order_by: The order.
    """
    client = Client()
    return all_pages(
        lambda size, token: client.search_registered_models(filter_string, size, order_by, token),
        max_results,
        MAX_MODELS_PAGE,
    )


def search_model_versions(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[ModelVersion]:
    """The versions that fit a filter, those of all pages; see :meth:`stele.Client.search_model_versions`.

    Args:
        max_results: How many at most; None means all.
        filter_string: The filter.
        order_by: The order.
    """
    client = Client()
    return all_pages(
        lambda size, token: client.search_model_versions(filter_string, size, order_by, token),
        max_results,
        _VERSIONS_PAGE,
    )


def set_model_version_tag(name: str, version: str | None = None, key: str | None = None, value: Any = None) -> None:
    """Set a tag of a version; see :meth:`stele.Client.set_model_version_tag`."""
    Client().set_model_version_tag(name, version, key, value)
