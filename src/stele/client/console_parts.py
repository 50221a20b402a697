"""Where the parts of a run's console lie, and in which order."""

from __future__ import annotations

import re

from stele.artifacts.base import ArtifactRepository
from stele.schema.artifacts import FileInfo

__all__ = ["DIRECTORY", "list_parts", "next_part"]

DIRECTORY = "logs/console"
"""The directory of the parts among the files of a run."""

_NAME = re.compile(rf"{DIRECTORY}/([0-9]{{6,9}})\.log")


def list_parts(repository: ArtifactRepository) -> list[FileInfo]:
    """The parts that are there, in the order in which they were printed; put together they are the text."""
    return sorted((file for file in repository.list(DIRECTORY) if _number(file)), key=_number)


def next_part(repository: ArtifactRepository) -> str:
    """The path behind all parts that are there: of this process, of those before, of others that print meanwhile."""
    return f"{DIRECTORY}/{max(map(_number, repository.list(DIRECTORY)), default=0) + 1:06d}.log"


def _number(file: FileInfo) -> int:
    """The number of a part; 0 of any other file."""
    match = _NAME.fullmatch(file.path)
    return int(match[1]) if match and not file.is_dir else 0
