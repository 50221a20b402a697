"""Files between this machine and a repository, with a progress bar on a terminal.

Imported with the first file that is logged or downloaded, because it brings thread pools and archives.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from stele.artifacts.base import ArtifactRepository
from stele.artifacts.progress import shown_progress
from stele.artifacts.transfer import download, upload_directory, upload_file
from stele.errors import InvalidParameterValue, shown

__all__ = ["download_to", "upload"]


def upload(repository: ArtifactRepository, local_path: str, path: str) -> None:
    """Copy a local file, or everything below a local directory, to a path of the repository.

    Raises:
        InvalidParameterValue: There is no such file or directory, or a path is not allowed.
    """
    source = Path(local_path)
    if source.is_dir():
        with shown_progress("Uploading") as progress:
            upload_directory(repository, source, path, progress)
    elif source.is_file():
        with shown_progress("Uploading", source.stat().st_size, 1) as progress:
            upload_file(repository, source, path, progress)
    else:
        raise InvalidParameterValue(f"There is no file or directory {shown(local_path)}.")


def download_to(repository: ArtifactRepository, path: str, dst_path: str | None) -> str:
    """Copy a file or directory of the repository to this machine under its own path, and return where it is.

    Args:
        repository: From where.
        path: The file or directory; an empty text means everything.
        dst_path: A local directory, made when it does not exist; None makes a temporary one.

    Raises:
        DoesNotExist: There is no such file or directory.
        InvalidParameterValue: The path is not allowed.
    """
    target = Path(tempfile.mkdtemp(prefix="stele-") if dst_path is None else dst_path).absolute()
    with shown_progress("Downloading") as progress:
        return str(download(repository, path, target, progress))
