"""Which modules the files of a model refer to, without running or importing any of them."""

from __future__ import annotations

import ast
import io
import json
import logging
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from stele.models.pickle_contents import pickle_contents

__all__ = ["modules_in_code", "referenced_modules"]

logger = logging.getLogger(__name__)

_MAX_SCHEMA_BYTES = 64 * 1024 * 1024
_ZIPS = {".skops", ".pth", ".pt", ".pt2", ".ckpt"}


def referenced_modules(directory: Path) -> set[str]:
    """Dotted names of the modules that pickles, skops files, archives of PyTorch and Python code in a directory name.

    Modules that lie in the directory itself (below ``code``) are left out. A file that cannot be read to its end
    contributes what was found in it.
    """
    found: set[str] = set()
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found |= _modules_of(path)
    own = {
        path.name.removesuffix(".py")
        for folder in (directory / "code", directory)
        if folder.is_dir()
        for path in folder.iterdir()
    }
    return {module for module in found if module.partition(".")[0] not in own}


def _modules_of(path: Path) -> set[str]:
    reader = _READERS.get(path.suffix)
    if path.suffix in _ZIPS:
        reader = _in_archive
    if reader is None:
        return set()
    with path.open("rb") as file:
        return reader(file, path.name)


def _in_pickle(file: BinaryIO, name: str) -> set[str]:
    contents = pickle_contents(file)
    if contents.problem:
        logger.debug("%s was read in part: %s", name, contents.problem)
    return contents.modules()


def _in_archive(file: BinaryIO, name: str) -> set[str]:
    """A zip archive: the schema of skops, or the pickles of PyTorch, whose old files are plain pickles."""
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        file.seek(0)
        return _in_pickle(file, name)
    found: set[str] = set()
    with archive:
        for entry in archive.infolist():
            if entry.file_size > _MAX_SCHEMA_BYTES:
                continue
            if entry.filename == "schema.json":
                found |= _in_schema(archive.read(entry))
            elif entry.filename.endswith(".pkl"):
                found |= _in_pickle(io.BytesIO(archive.read(entry)), f"{name}/{entry.filename}")
    return found


def _in_schema(text: bytes) -> set[str]:
    try:
        return set(_modules_in_json(json.loads(text)))
    except (ValueError, RecursionError):
        return set()


def _modules_in_json(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(module := node.get("__module__"), str):
            yield module
        for value in node.values():
            yield from _modules_in_json(value)
    elif isinstance(node, list):
        for value in node:
            yield from _modules_in_json(value)


def modules_in_code(path: Path) -> set[str]:
    """Dotted names of the modules that a Python file imports, inside functions too."""
    with path.open("rb") as file:
        return _in_code(file, path.name)


def _in_code(file: BinaryIO, name: str) -> set[str]:
    try:
        tree = ast.parse(file.read())
    except (SyntaxError, ValueError, RecursionError):
        logger.debug("%s is no Python that this version reads", name)
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module)
    return found


_READERS: dict[str, Callable[[BinaryIO, str], set[str]]] = {
    ".pkl": _in_pickle,
    ".pickle": _in_pickle,
    ".cloudpickle": _in_pickle,
    ".statsmodels": _in_pickle,
    ".joblib": _in_pickle,
    ".py": _in_code,
}
