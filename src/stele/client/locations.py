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
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.schema.registered_models import ModelVersion

__all__ = ["Location", "find_version", "locate"]

_RUNS, _MODELS = "runs:/", "models:/"
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
_FORMS = "models:/m-<id>, models:/<name>/<version>, /<stage> or /latest, or models:/<name>@<alias>"


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
    version, path = _version_and_path(client, uri, name, path)
    place = client.get_model_version_download_uri(version.name, version.version)
    if place.startswith(_RUNS):
        found = locate(place, client.tracking_uri, None)
        inner = "/".join(part for part in (found.path, path) if part)
        return Location(found.repository, inner, None if path else found.digest)
    digest = None if path else _digest_of(client, version, place)
    return Location(client.open_repository(place), path, digest)


def find_version(client: Client, uri: str) -> ModelVersion:
    """The version that an address of the registry names now.

    Raises:
        DoesNotExist: There is no such model, version or stage.
        InvalidParameterValue: It is no such address, or there is no such alias.
    """
    name, _, rest = uri.removeprefix(_MODELS).strip("/").partition("/")
    version, path = _version_and_path(client, uri, name, rest)
    if path or not uri.startswith(_MODELS):
        raise InvalidParameterValue(f"{shown(uri)} names no version of a model. The addresses are {_FORMS}.")
    return version


def _version_and_path(client: Client, uri: str, name: str, rest: str) -> tuple[ModelVersion, str]:
    plain, at, alias = name.partition("@")
    if at and plain and alias:
        return client.get_model_version_by_alias(plain, alias), rest
    which, _, path = rest.partition("/")
    if at or not plain or not which:
        raise InvalidParameterValue(f"{shown(uri)} is no address of a model. The addresses are {_FORMS}.")
    if which.isascii() and which.isdigit():
        return client.get_model_version(name, which), path
    stages = None if which.lower() == "latest" else [which]
    newest = client.get_latest_versions(name, stages)
    if not newest:
        raise DoesNotExist(f"The registered model {shown(name)} has no version {f'in {which}' if stages else 'yet'}.")
    return max(newest, key=lambda version: int(version.version)), path


def _digest_of(client: Client, version: ModelVersion, place: str) -> str | None:
    """The digest of the logged model that a version is, deleted or not, if its files are where the version's are."""
    if not version.model_id:
        return None
    try:
        model = client.get_logged_model(version.model_id, allow_deleted=True)
    except DoesNotExist:  # the registry has another store than the logged models
        return None
    return model.digest if model.artifact_location.rstrip("/") == place.rstrip("/") else None
