"""The gate: no flavor imports or unpickles anything of a model but through here, and only after it was admitted.

A flavor says what its files can do (:class:`~stele.models.findings.Finding`). When one of them can run code, the
model is admitted if

1. the caller said ``trust=True``, or
2. the files are, byte by byte, those whose digest the store recorded when the model was logged, or
3. it lies at a plain local path that the caller named; then a warning names the risk.

``STELE_MODEL_TRUST`` (see :data:`stele.settings.MODEL_TRUST`) makes that stricter or waives it. Nothing that the model
says of itself counts.
"""

from __future__ import annotations

import importlib.util
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from msgspec import Struct

from stele import settings
from stele.artifacts.digests import manifest_digest
from stele.client.shim import answering_mlflow
from stele.errors import InvalidParameterValue, UntrustedModel, shown
from stele.models.files import ModelFiles
from stele.models.findings import Finding

__all__ = ["AdmittedModel", "Source", "Verdict", "admit", "judge", "module_of_script", "unpickle_own"]

_SHOWN_NAMES = 6


class Source(Struct, frozen=True):
    """Where the files of a model come from.

    Attributes:
        uri: What the caller asked for, for messages.
        directory: Where the files are now.
        recorded_digest: What the store recorded when the model was logged; None when it recorded nothing.
        is_local: Whether the caller named a plain path of this machine.
        is_verified: Whether the files were compared with the digest already.
    """

    uri: str
    directory: Path
    recorded_digest: str | None = None
    is_local: bool = False
    is_verified: bool = False


class Verdict(Struct, frozen=True):
    """Whether a model is loaded.

    Attributes:
        admitted: Whether it is.
        reason: Why it is not.
        warns: Whether it is admitted only because nobody forbade it.
    """

    admitted: bool
    reason: str = ""
    warns: bool = False


def admit(source: Source, files: ModelFiles, findings: Sequence[Finding], trust: bool | None = None) -> AdmittedModel:
    """Judge a model before anything of it is loaded.

    Args:
        source: Where it comes from.
        files: Its files.
        findings: What loading would do, of every file that is going to be loaded.
        trust: True when the caller vouches for the model, False when it must not run code, None when nothing is said.

    Raises:
        UntrustedModel: It can run code, and none of the reasons to admit it holds.
    """
    verdict = judge(source, findings, trust)
    risky = [each for each in findings if each.runs_code]
    if not verdict.admitted:
        raise UntrustedModel(_refused(source, risky, verdict.reason))
    if verdict.warns:
        warnings.warn(_warning(source, risky), stacklevel=4)
    return AdmittedModel(source, files, findings)


def judge(source: Source, findings: Sequence[Finding], trust: bool | None = None) -> Verdict:
    """Whether a model would be admitted."""
    mode = settings.MODEL_TRUST.get()
    if not any(each.runs_code for each in findings):
        return Verdict(admitted=True)
    if mode == "none":
        return Verdict(admitted=False, reason="STELE_MODEL_TRUST=none allows no model to run code")
    if trust is False:
        return Verdict(admitted=False, reason="the caller said trust=False")
    if trust or mode == "any":
        return Verdict(admitted=True)
    if source.recorded_digest is not None:
        changed = not source.is_verified and manifest_digest(source.directory) != source.recorded_digest
        return Verdict(
            not changed, "its files are not those that were logged: somebody changed them" if changed else ""
        )
    if not source.is_local:
        return Verdict(admitted=False, reason="the store has no digest of its files to compare them with")
    if mode == "recorded":
        return Verdict(admitted=False, reason="STELE_MODEL_TRUST=recorded admits only what a store recorded")
    return Verdict(admitted=True, warns=True)


def _what(risky: Sequence[Finding]) -> str:
    return "; ".join(f"{each.file} ({each.format}) {_names(each)}" for each in risky)


def _names(finding: Finding) -> str:
    names = ", ".join(finding.names[:_SHOWN_NAMES])
    more = len(finding.names) - _SHOWN_NAMES
    return f"names {names}{f' and {more} more' if more > 0 else ''}" if names else "names nothing"


def _refused(source: Source, risky: Sequence[Finding], reason: str) -> str:
    return (
        f"The model {shown(source.uri)} was not loaded, because loading it can run any code and {reason}. "
        f"{_what(risky)}. See what it would do with: stele models inspect {source.uri}. If you trust whoever made it, "
        "load it with trust=True, or set STELE_MODEL_TRUST=any."
    )


def _warning(source: Source, risky: Sequence[Finding]) -> str:
    return (
        f"Loading {source.uri} runs code from its files: {_what(risky)}. Do this only with models of people you trust; "
        "trust=True says that you do, and STELE_MODEL_TRUST=recorded admits only what a store recorded."
    )


class AdmittedModel:
    """A model that passed the gate, and the only way to run what is in its files."""

    def __init__(self, source: Source, files: ModelFiles, findings: Sequence[Finding]) -> None:
        self.source = source
        self.files = files
        self._judged = {each.file: each for each in findings}
        self.runs_code = any(each.runs_code for each in findings)

    def load(self, function: Callable[..., Any], name: str, **options: Any) -> Any:
        """What a function of a library reads from a file that was judged.

        Args:
            function: Called with the path and the options.
            name: Path of the file in the model.
            **options: Passed on.

        Raises:
            UntrustedModel: Nobody judged the file; a flavor forgot it.
        """
        if name not in self._judged:
            raise UntrustedModel(f"{shown(name)} was not looked into before, so it is not loaded.")
        return function(self.files.path(name), **options)

    def unpickle(self, name: str) -> Any:
        """The object in a pickle."""
        return self.load(unpickle_own, name)

    def import_module(self, name: str) -> ModuleType:
        """A module that the model brought along, or that it names as its loader."""
        if name not in {module for each in self._judged.values() for module in each.names}:
            raise UntrustedModel(f"The module {shown(name)} was not among what was admitted, so it is not imported.")
        if not all(part.isidentifier() for part in name.split(".")):
            raise InvalidParameterValue(f"{shown(name)} is no name of a module.")
        return import_module(name)

    def run_script(self, name: str) -> ModuleType:
        """A script of the model as a module with a name of its own, after it has run."""
        found: ModuleType = self.load(module_of_script, name)
        return found

    @contextmanager
    def importable(self, code: Path | None) -> Iterator[None]:
        """Modules of the model can be imported, and ``import mlflow`` is answered by Stele if code is going to run.

        The modules stay importable, because a model may import at any time. Those of the same names that another model
        brought are forgotten, so that each gets its own.
        """
        if code is not None:
            _put_first(code)
        with answering_mlflow() if self.runs_code else nullcontext():
            yield


_code_directories: list[str] = []


def _put_first(code: Path) -> None:
    directory = str(code)
    own = {path.name.removesuffix(".py") for path in code.iterdir()}
    others = tuple(f"{each}/" for each in _code_directories if each != directory)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in own and str(getattr(module, "__file__", None) or "").startswith(others or "\0"):
            del sys.modules[name]
    if directory in sys.path:
        sys.path.remove(directory)
    sys.path.insert(0, directory)
    if directory not in _code_directories:
        _code_directories.append(directory)


def unpickle_own(path: Path) -> Any:
    """The object in a pickle that was admitted, or that this process wrote itself."""
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301 - behind the gate


def module_of_script(path: Path) -> ModuleType:
    """A Python file, of the user's or admitted, as a module with a name of its own, after it has run.

    Raises:
        InvalidParameterValue: It is no Python file.
    """
    name = f"{path.stem}_{uuid4().hex}"  # nothing else imports it, and classes in it find their names
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidParameterValue(f"{shown(path.name)} is no Python file.")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
