"""From an address to the place where its files are.

``runs:/<run id>/<path>`` are files of a run, or of a logged model of the run by its name. A model has the addresses
``models:/m-<32 hexadecimal digits>``, ``models:/<name>/<version>``, ``models:/<name>/<stage>``,
``models:/<name>/latest`` and ``models:/<name>@<alias>``; a path in the model may follow. Anything else is an address
that a repository understands.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stele.artifacts.base import ArtifactRepository, Mounted
from stele.client.client import Client
from stele.client.fluent import client_of
from stele.errors import DoesNotExist
from stele.schema.registered_models import ModelVersion

__all__ = ["Location", "locate"]

_RUNS, _MODELS = "runs:/", "models:/"
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


class Location(NamedTuple):
    """Where files are.

    Attributes:
        repository: What keeps them.
        path: The file or directory in it; empty for its root.
        digest: What the files of a logged model had as digest when they were logged; None when nobody told it, or
            when the location is a part of the model.
    """

    repository: ArtifactRepository
    path: str
    digest: str | None = None


def locate(uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> Location:
    """Where the files of an address are.

    Args:
        uri: The address.
        tracking_uri: Address of the store; None means the one in which the run was started, or the current one.
        registry_uri: Address of the store of registered models; None means the one that is set.

    Raises:
        DoesNotExist: There is no such run, model, version or stage.
        InvalidParameterValue: The address is not understood, or there is no such alias.
    """
    if uri.startswith(_RUNS):
        run_id, _, path = uri.removeprefix(_RUNS).lstrip("/").partition("/")
        client = Client(tracking_uri, registry_uri) if tracking_uri else client_of(run_id)
        return _of_run(client, run_id, path)
    client = Client(tracking_uri, registry_uri)
    if uri.startswith(_MODELS):
        return _of_model(client, uri)
    root, _, name = uri.rstrip("/").rpartition("/")
    return Location(client.open_repository(root or "."), name)


def _of_run(client: Client, run_id: str, path: str) -> Location:
    model = client.model_at(run_id, path)
    if model is None:
        return Location(client.repository(run_id), path)
    files = Mounted(client.open_repository(model.artifact_location), model.name)
    return Location(files, path, model.digest if path.strip("/") == model.name else None)


def _of_model(client: Client, uri: str) -> Location:
    name, _, path = uri.removeprefix(_MODELS).strip("/").partition("/")
    if _MODEL_ID.fullmatch(name):
        model = client.get_logged_model(name)
        return Location(client.open_repository(model.artifact_location), path, None if path else model.digest)
    version, path = client.version_and_path(uri)
    place = client.get_model_version_download_uri(version.name, version.version)
    if place.startswith(_RUNS):
        found = locate(place, client.tracking_uri, None)
        inner = "/".join(part for part in (found.path, path) if part)
        return Location(found.repository, inner, None if path else found.digest)
    digest = None if path else _digest_of(client, version, place)
    return Location(client.open_repository(place), path, digest)


def _digest_of(client: Client, version: ModelVersion, place: str) -> str | None:
    """The digest of the logged model that a version is, deleted or not, if its files are where the version's are."""
    if not version.model_id:
        return None
    try:
        model = client.get_logged_model(version.model_id, allow_deleted=True)
    except DoesNotExist:  # the registry has another store than the logged models
        return None
    return model.digest if model.artifact_location.rstrip("/") == place.rstrip("/") else None
