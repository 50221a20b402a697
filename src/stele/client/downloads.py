"""Reading files by their address, run or not: what ``stele.artifacts`` offers to users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stele.client.client import Client
from stele.client.fluent import client_of
from stele.client.locations import Location, locate
from stele.client.model_files import copy_from_cache
from stele.client.transfers import download_to
from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.schema.artifacts import FileInfo

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | None = None,
    tracking_uri: str | None = None,
    registry_uri: str | None = None,
) -> str:
    """Copy a file or directory to this machine.

    Args:
        artifact_uri: ``runs:/<run id>/<path>``, ``models:/<name>/<version>`` and the other addresses of models,
            ``mlflow-artifacts:/...``, a local path or another address of a file.
        run_id: A run, instead of an address.
        artifact_path: Path in the run; None means everything.
        dst_path: A local directory, made when it does not exist; None makes a temporary one.
        tracking_uri: Address of the store; None means the current one.
        registry_uri: Address of the store of registered models; None means the one that is set.

    Returns:
        The local path of what was copied.

    Raises:
        DoesNotExist: There is no such run, file or directory.
        InvalidParameterValue: Not exactly one of address and run was given, or the address is not understood.
    """
    found = _locate(artifact_uri, run_id, artifact_path, tracking_uri, registry_uri)
    return copy_from_cache(found, dst_path) or download_to(found.repository, found.path, dst_path)


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """The files and directories directly below an address.

    Args:
        artifact_uri: As for :func:`download_artifacts`.
        run_id: A run, instead of an address.
        artifact_path: Directory in the run; None means its root.
        tracking_uri: Address of the store; None means the current one.

    Raises:
        DoesNotExist: There is no such run.
        InvalidParameterValue: Not exactly one of address and run was given, or the address is not understood.
    """
    found = _locate(artifact_uri, run_id, artifact_path, tracking_uri, None)
    return list(found.repository.list(found.path))


def load_text(artifact_uri: str) -> str:
    """The content of a text file.

    Raises:
        DoesNotExist: There is no such file.
        InvalidParameterValue: It is not UTF-8.
    """
    try:
        return _read(artifact_uri).decode()
    except UnicodeDecodeError as e:
        raise InvalidParameterValue(f"{shown(artifact_uri)} is no UTF-8 text: {e}") from e


def load_dict(artifact_uri: str) -> dict[str, Any]:
    """The content of a JSON file.

    Raises:
        DoesNotExist: There is no such file.
        InvalidParameterValue: It is not JSON.
    """
    try:
        content: dict[str, Any] = msgspec.json.decode(_read(artifact_uri))
    except msgspec.DecodeError as e:
        raise InvalidParameterValue(f"{shown(artifact_uri)} is no JSON file: {e}") from e
    return content


def load_image(artifact_uri: str) -> PIL.Image.Image:
    """The content of a picture file, as a Pillow image.

    Raises:
        DoesNotExist: There is no such file.
        InvalidParameterValue: It is no picture.
        MissingDependency: Pillow is not installed.
    """
    import io

    try:
        import PIL.Image
    except ImportError as e:
        raise MissingDependency("pillow", "to load an image") from e
    try:
        image = PIL.Image.open(io.BytesIO(_read(artifact_uri)))
        image.load()
    except PIL.UnidentifiedImageError as e:
        raise InvalidParameterValue(f"{shown(artifact_uri)} is no picture.") from e
    return image


def _read(artifact_uri: str) -> bytes:
    found = _locate(artifact_uri, None, None, None, None)
    return found.repository.open_read(found.path).read()


def _locate(
    artifact_uri: str | None,
    run_id: str | None,
    artifact_path: str | None,
    tracking_uri: str | None,
    registry_uri: str | None,
) -> Location:
    if (artifact_uri is None) == (run_id is None):
        raise InvalidParameterValue("Name either an artifact_uri or a run_id.")
    if artifact_uri is not None:
        if artifact_path is not None:
            raise InvalidParameterValue("artifact_path goes with a run_id; an artifact_uri holds the path.")
        return locate(artifact_uri, tracking_uri, registry_uri)
    assert run_id is not None
    client = Client(tracking_uri, registry_uri) if tracking_uri else client_of(run_id)
    return Location(*client.located(run_id, artifact_path or ""))
