"""From a path or URI of a model to its files on this machine, and what is known about their origin."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from stele.artifacts import scheme_of
from stele.client.downloads import download_artifacts
from stele.errors import DoesNotExist, shown
from stele.models.trust import Source

__all__ = ["locate"]


def locate(uri: str, dst_path: str | None = None) -> Source:
    """Where the files of a model are now; they are downloaded when they are elsewhere.

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
    return Source(uri, Path(download_artifacts(artifact_uri=uri, dst_path=dst_path)))
