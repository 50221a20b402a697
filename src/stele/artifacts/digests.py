"""The digest of a model: one text that stands for the names and contents of all of its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from stele.artifacts.paths import RESERVED

__all__ = ["files_below", "manifest_digest"]


def manifest_digest(directory: Path) -> str:
    """``sha256:`` and 64 hexadecimal digits over the names and contents of all files below a directory.

    It is the SHA-256 of one line for each file, sorted by path: the SHA-256 of the file, two spaces, and its path with
    forward slashes; what ``sha256sum`` prints for the files, and so can be checked with it.
    """
    whole = hashlib.sha256()
    for path in sorted(files_below(directory)):
        with (directory / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        whole.update(f"{digest.hexdigest()}  {path}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{whole.hexdigest()}"


def files_below(directory: Path) -> Iterator[str]:
    """The path of every file, with forward slashes; not those in which a repository keeps its own records."""
    for folder, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if name != RESERVED]
        for name in names:
            yield (Path(folder) / name).relative_to(directory).as_posix()
