"""What the files of a model would import and run when it is loaded, read from them without running anything."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from stele.errors import InvalidParameterValue, shown
from stele.models.files import ModelFiles
from stele.models.pickle_contents import pickle_contents
from stele.models.skops_library import skops_io

__all__ = [
    "Finding",
    "code_findings",
    "data_finding",
    "pickle_finding",
    "skops_finding",
    "skops_names",
    "unknown_skops_types",
]

MAX_SCHEMA_BYTES = 64 * 1024 * 1024


class Finding(Struct, frozen=True):
    """One file of a model, and what loading it does.

    Attributes:
        file: Its path in the model.
        format: ``pickle``, ``skops``, ``code``, ``loader module``, ``data`` and so on.
        names: What is imported and may be called: dotted names.
        runs_code: Whether loading can run anything that the file wants.
        remark: What else there is to know, such as that the file could not be read to its end.
    """

    file: str
    format: str
    names: tuple[str, ...] = ()
    runs_code: bool = False
    remark: str = ""


def data_finding(files: ModelFiles, name: object, format: str) -> Finding:  # noqa: A002 - the field's name
    """A file in a format that holds data only."""
    files.path(name)
    return Finding(str(name), format)


def pickle_finding(files: ModelFiles, name: object) -> Finding:
    """A pickle: it may run whatever it names."""
    with files.path(name).open("rb") as file:
        contents = pickle_contents(file)
    names = [*map(".".join, contents.names), *sorted(contents.imports)]
    return Finding(str(name), "pickle", tuple(dict.fromkeys(names)), runs_code=True, remark=contents.problem)


def skops_finding(files: ModelFiles, name: object, known: Collection[str] = ()) -> Finding:
    """A skops file: data, as long as skops and the flavor know all of its types.

    The list of trusted types in MLmodel counts for nothing here: it comes from the same hand as the file.

    Args:
        files: The model.
        name: The file.
        known: Types that the flavor knows to be harmless, besides those of skops.
    """
    path = files.path(name)
    unknown = [each for each in unknown_skops_types(path) if each not in known]
    return Finding(str(name), "skops", tuple(unknown or skops_names(path)), runs_code=bool(unknown))


def unknown_skops_types(path: Path) -> list[str]:
    """The types of a skops file that skops does not know to be harmless. Nothing of the file is imported.

    Raises:
        InvalidParameterValue: It is no skops file.
        MissingDependency: skops is not installed.
    """
    skops_names(path)  # is it a skops file at all, and small enough to be looked into?
    io = skops_io("to read a model in its format")

    try:
        return list(io.get_untrusted_types(file=path))
    except Exception as e:  # a damaged file may raise anything there
        raise InvalidParameterValue(f"{shown(path.name)} is no skops file that can be read: {e}") from e


def skops_names(path: Path) -> list[str]:
    """Every type that a skops file names.

    Raises:
        InvalidParameterValue: It is no skops file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo("schema.json")
            if entry.file_size > MAX_SCHEMA_BYTES:
                raise InvalidParameterValue(f"The schema of {shown(path.name)} is too large.")
            schema = json.loads(archive.read(entry))
        return list(dict.fromkeys(_types_in(schema)))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError) as e:
        raise InvalidParameterValue(f"{shown(path.name)} is no skops file: {e}") from e


def _types_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        module, name = node.get("__module__"), node.get("__class__")
        if isinstance(module, str) and isinstance(name, str):
            yield f"{module}.{name}"
        inner: Iterable[Any] = node.values()
    else:
        inner = node if isinstance(node, list) else ()
    for each in inner:
        yield from _types_in(each)


def code_findings(files: ModelFiles, config: Mapping[str, Any]) -> list[Finding]:
    """Modules that the model brought along: any of them can be imported by whatever else is loaded."""
    directory = files.code(config)
    if directory is None:
        return []
    names = sorted({path.name.removesuffix(".py") for path in directory.iterdir()})
    return [Finding(str(config["code"]), "code", tuple(names), runs_code=True)]
