"""From a path or URI of a model to its files on this machine, and what is known about their origin."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from stele.artifacts import scheme_of
from stele.client.locations import locate
from stele.client.model_files import fetch_model
from stele.client.transfers import download_to
from stele.errors import DataLoss, DoesNotExist, shown
from stele.models.trust import Source

__all__ = ["model_source"]


def model_source(uri: str, dst_path: str | None = None) -> Source:
    """Where the files of a model are now; they are downloaded when they are elsewhere.

    Args:
        uri: A local path, or a URI.
        dst_path: Where to put what is downloaded; None keeps it in the cache of models.

    Raises:
        DoesNotExist: There is no such model.
        InvalidParameterValue: The URI is not understood.
    """
    if scheme_of(uri) == "file":
        path = Path(unquote(urlsplit(uri).path) if uri.startswith("file:") else uri).expanduser()
        directory = path.parent if path.name == "MLmodel" and path.is_file() else path
        if not directory.is_dir():
            raise DoesNotExist(f"There is no directory {shown(uri)}.")
        return Source(uri, directory, is_local=True)
    try:
        local = fetch_model(uri, dst_path)
        return Source(uri, local.directory, local.digest, is_verified=local.is_cached)
    except DataLoss:  # not what was logged: the gate says so, and what the caller can do
        found = locate(uri)
        return Source(uri, Path(download_to(found.repository, found.path, dst_path)), found.digest)
