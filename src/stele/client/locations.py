"""From an address to the place where its files are.

``runs:/<run id>/<path>`` are files of a run, or of a logged model of the run by its name; ``models:/m-...`` are those
of a logged model. Anything else is an address that a repository understands.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stele.artifacts.base import ArtifactRepository
from stele.client.client import Client
from stele.client.fluent import client_of
from stele.errors import InvalidParameterValue, shown

__all__ = ["Location", "locate"]

_RUNS, _MODELS = "runs:/", "models:/"
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


class Location(NamedTuple):
    """Where files are.

    Attributes:
        repository: What keeps them.
        path: The file or directory in it; empty for its root.
        digest: What the files of a logged model had as digest when they were logged; None when nobody told it.
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
        DoesNotExist: There is no such run or model.
        InvalidParameterValue: The address is not understood.
    """
    if uri.startswith(_RUNS):
        run_id, _, path = uri.removeprefix(_RUNS).lstrip("/").partition("/")
        client = Client(tracking_uri, registry_uri) if tracking_uri else client_of(run_id)
        return Location(*client.located(run_id, path))
    client = Client(tracking_uri, registry_uri)
    if uri.startswith(_MODELS):
        return _of_model(client, uri)
    root, _, name = uri.rstrip("/").rpartition("/")
    return Location(client.open_repository(root or "."), name)


def _of_model(client: Client, uri: str) -> Location:
    name, _, path = uri.removeprefix(_MODELS).strip("/").partition("/")
    if not _MODEL_ID.fullmatch(name):
        raise InvalidParameterValue(f"{shown(uri)} is no address of a model, such as models:/m-... with its id.")
    model = client.get_logged_model(name)
    return Location(client.open_repository(model.artifact_location), path, None if path else model.digest)
