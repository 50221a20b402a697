"""What a model would import and run when it is loaded, and whether it would be loaded, without loading it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from stele.artifacts.digests import manifest_digest
from stele.errors import SteleError
from stele.models.files import ModelFiles
from stele.models.findings import Finding, code_findings
from stele.models.flavors import FLAVORS
from stele.models.format import FLAVOR
from stele.models.load import findings_of, open_files
from stele.models.trust import judge

__all__ = ["Inspection", "inspect"]


class Inspection(Struct, frozen=True):
    """What was found.

    Attributes:
        uri: The model.
        flavors: The flavors that it was saved in.
        findings: What loading each of its files does; one entry for each file.
        digest: Of the files as they are now.
        recorded_digest: What the store recorded when the model was logged; None when it recorded nothing.
        loads: Whether it would be loaded now, with the settings in force and no ``trust`` given.
        reason: Why it would not be.
        warns: Whether a warning would be given.
        problems: What could not be looked into, and why.
    """

    uri: str
    flavors: list[str]
    findings: list[Finding]
    digest: str
    recorded_digest: str | None
    loads: bool
    reason: str = ""
    warns: bool = False
    problems: list[str] = []

    @property
    def runs_code(self) -> bool:
        """Whether loading can run code that comes with the model."""
        return any(each.runs_code for each in self.findings)


def inspect(model_uri: str | Path) -> Inspection:
    """Look into a model without importing or running anything of it.

    Args:
        model_uri: A local path, or a URI as in :func:`stele.pyfunc.load_model`.

    Raises:
        DoesNotExist: There is no such model.
        InvalidParameterValue: Its MLmodel file is damaged.
    """
    source, files = open_files(model_uri)
    findings: dict[str, Finding] = {}
    problems: list[str] = []
    for name in files.model.flavors:
        try:
            found = findings_of(files) if name == FLAVOR else _of_flavor(files, name)
        except SteleError as e:
            problems.append(f"{name}: {e}")
        else:
            findings |= {each.file: each for each in found if each.file not in findings or each.runs_code}
    verdict = judge(source, list(findings.values()))
    return Inspection(
        uri=str(model_uri),
        flavors=list(files.model.flavors),
        findings=list(findings.values()),
        digest=manifest_digest(files.directory),
        recorded_digest=source.recorded_digest,
        loads=verdict.admitted and not problems,
        reason=verdict.reason or "; ".join(problems),
        warns=verdict.warns,
        problems=problems,
    )


def _of_flavor(files: ModelFiles, name: str) -> list[Finding]:
    loader = f"mlflow.{name}"
    known = FLAVORS.get(loader).findings(files) if loader in FLAVORS.names() else []
    return [*known, *code_findings(files, files.config(name))]
