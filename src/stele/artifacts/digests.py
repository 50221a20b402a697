"""The digest of a model: one text that stands for the names and contents of all of its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from stele.artifacts.base import ArtifactRepository, walk
from stele.artifacts.paths import RESERVED

__all__ = ["files_below", "manifest_digest", "repository_digest"]


def manifest_digest(directory: Path) -> str:
    """``sha256:`` and 64 hexadecimal digits over the names and contents of all files below a directory.

    It is the SHA-256 of one line for each file, sorted by path: the SHA-256 of the file, two spaces, and its path with
    forward slashes; what ``sha256sum`` prints for the files, and so can be checked with it.
    """
    return _digest_of((path, _sha256_of(directory / path)) for path in sorted(files_below(directory)))


def repository_digest(repository: ArtifactRepository, most: int) -> str | None:
    """The same over the files in a repository; a file is read only where nothing was recorded when it was written.

    Args:
        repository: Whose root is the directory.
        most: How many files are looked at.

    Returns:
        None when there are no files, or more than that.

    Raises:
        DoesNotExist: A file was removed meanwhile.
    """
    paths = sorted(info.path for info in islice(walk(repository), most + 1))
    if not 0 < len(paths) <= most:
        return None
    return _digest_of((path, _sha256_in(repository, path)) for path in paths)


def files_below(directory: Path) -> Iterator[str]:
    """The path of every file, with forward slashes; not those in which a repository keeps its own records."""
    for folder, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if name != RESERVED]
        for name in names:
            yield (Path(folder) / name).relative_to(directory).as_posix()


def _digest_of(files: Iterable[tuple[str, str]]) -> str:
    """Of pairs of path and hexadecimal digest, in order."""
    whole = hashlib.sha256()
    for path, digest in files:
        whole.update(f"{digest}  {path}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{whole.hexdigest()}"


def _sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sha256_in(repository: ArtifactRepository, path: str) -> str:
    info = repository.stat(path)
    if info is not None and info.sha256 is not None:
        return info.sha256
    content = hashlib.sha256()
    with repository.open_read(path) as reader:
        for chunk in reader:
            content.update(chunk)
    return content.hexdigest()
