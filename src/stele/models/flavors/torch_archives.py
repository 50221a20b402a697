"""What is in the archives of PyTorch: whether they hold tensors and graphs only, or can run code.

An exported program (``.pt2``) is a graph of named operations beside tensors. Reading one evaluates its symbolic
expressions and turns names into Python, and falls back to unpickling; so it counts as data only when every name is one
of an operation or of a value, and every pickle in it rebuilds tensors. All else is taken for code.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from stele.errors import InvalidParameterValue, shown
from stele.models.files import ModelFiles
from stele.models.findings import MAX_SCHEMA_BYTES, Finding, pickle_finding
from stele.models.pickle_contents import pickle_contents

__all__ = ["program_finding", "saved_finding"]

_REBUILDERS = {
    "_codecs.encode",
    "collections.OrderedDict",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch.Size",
    "torch.device",
}
_DATA = re.compile(r"torch\.(\w+Storage|(u?int|b?float|complex)\d+|bool)")
_PROGRAM_ENTRIES = re.compile(
    r"(models/\w+\.json|data/weights/(\w+\.json|weight_\d+)|data/constants/(\w+\.json|tensor_\d+)"
    r"|data/sample_inputs/\w+\.pt|archive_(format|version)|byteorder|\.data/\w+|version|extra/[\w.]+)"
)
_OPERATION = re.compile(
    r"torch\.ops\.(aten|prims|prim|inductor|quantized_decomposed|higher_order)\.[\w.]+|_operator\.\w+"
)
_VALUE = re.compile(r"[\w.:/\[\]+ -]*")
_WORDS = (
    "Symbol|Integer|Rational|Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv|CleanDiv|CeilDiv|Eq|Ne|Lt|Le|Gt|Ge|Equality|"
    "Unequality|StrictLessThan|LessThan|StrictGreaterThan|GreaterThan|positive|negative|nonnegative|integer|True|False"
)
_EXPRESSION = re.compile(rf"(({_WORDS}|[suz]\d+|'[suz]\d+')(?!\w)|\d+(?!\w)|[(),=+*/<> -])*")
"""A symbolic size: sums and products of named sizes; no other word, so nothing that could be called."""

_FREE_TEXT = {"stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node", "metadata"}


def saved_finding(files: ModelFiles, name: str) -> Finding:
    """A file of ``torch.save``: whole modules are pickles, and a file with tensors alone is data."""
    path = files.path(name)
    if not zipfile.is_zipfile(path):
        return pickle_finding(files, name)
    with zipfile.ZipFile(path) as archive:
        names, problem = _names_in_pickles(archive)
    return Finding(name, "PyTorch pickle", tuple(names), bool(problem) or not all(map(_rebuilds, names)), problem)


def _rebuilds(name: str) -> bool:
    return name in _REBUILDERS or bool(_DATA.fullmatch(name))


def _names_in_pickles(archive: zipfile.ZipFile) -> tuple[list[str], str]:
    """Names in every ``.pkl`` of an archive, and what could not be read."""
    names: dict[str, None] = {}
    problems = []
    for entry in archive.infolist():
        if entry.filename.endswith(".pkl"):
            found = pickle_contents(io.BytesIO(_read(archive, entry.filename)))
            names |= dict.fromkeys([*map(".".join, found.names), *sorted(found.imports)])
            problems += [found.problem] if found.problem else []
        elif "/code/" in entry.filename or entry.filename.endswith((".py", ".so")):
            problems.append(f"{entry.filename} is code")
    return list(names), "; ".join(problems)


def program_finding(files: ModelFiles, name: str) -> Finding:
    """An exported program."""
    path = files.path(name)
    try:
        with zipfile.ZipFile(path) as archive:
            names, problems = _look_into_program(archive)
    except (zipfile.BadZipFile, ValueError, KeyError, RecursionError) as e:
        raise InvalidParameterValue(f"{shown(path.name)} is no exported program of PyTorch: {e}") from e
    return Finding(name, "exported program", tuple(dict.fromkeys(names)), bool(problems), "; ".join(problems[:3]))


def _look_into_program(archive: zipfile.ZipFile) -> tuple[list[str], list[str]]:
    """The operations of a program, and why it may run code."""
    names: list[str] = []
    problems: list[str] = []
    for entry in archive.namelist():
        inner = entry.partition("/")[2]
        if not _PROGRAM_ENTRIES.fullmatch(inner):
            problems.append(f"it has the entry {shown(entry)}")
        elif inner.endswith(".json"):
            operations, strange = _look_into_json(json.loads(_read(archive, entry)))
            names += operations
            problems += strange
        elif inner.endswith(".pt"):
            found, strange = _look_into_tensors(_read(archive, entry))
            names += found
            problems += strange
    return names, problems


def _look_into_tensors(content: bytes) -> tuple[list[str], list[str]]:
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return [], ["example inputs are a plain pickle"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names, problem = _names_in_pickles(archive)
    strange = [each for each in names if not _rebuilds(each)]
    return strange, [*([problem] if problem else []), *(f"its pickle names {each}" for each in strange)]


def _look_into_json(content: Any) -> tuple[list[str], list[str]]:
    operations: list[str] = []
    problems: list[str] = []
    for key, value in _texts(content):
        if key == "target":
            operations.append(value)
            if not _OPERATION.fullmatch(value):
                problems.append(f"{shown(value)} is no operation of a graph")
        elif not _VALUE.fullmatch(value) and not _EXPRESSION.fullmatch(value):
            problems.append(f"{shown(value)} is more than a name")
    if any(value for key, value in _leaves(content, "use_pickle")):
        problems.append("tensors in it are pickled")
    return operations, problems


def _texts(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the key that it stands under, but those that are only for people."""
    if isinstance(node, str) and node[:1] in ("[", "{") and (inner := _inner_json(node)) is not None:
        yield from _texts(inner, "inner")  # how inputs are nested is a text that holds JSON
    elif isinstance(node, str):
        yield key, node
    elif isinstance(node, dict):
        for name, value in node.items():
            if name not in _FREE_TEXT:
                yield "name", name
                yield from _texts(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value, key)


def _inner_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _leaves(node: Any, wanted: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == wanted:
                yield name, value
            yield from _leaves(value, wanted)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, wanted)


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MAX_SCHEMA_BYTES:
        raise InvalidParameterValue(f"{shown(name)} is too large to be looked into.")
    return archive.read(name)
