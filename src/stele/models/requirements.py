"""What must be installed for a model to load, found out from its files and from what is imported now.

The model is not loaded for it: names in pickles, skops files and code lead to distributions, and these have versions.
That takes milliseconds; loading the model again in another process, as others do, takes seconds and can fail.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from stele.errors import InvalidParameterValue, shown
from stele.models.distributions import distribution_of, is_local, pinned, required_by
from stele.models.references import referenced_modules
from stele.schema.mlflow_version import MLFLOW_VERSION

__all__ = [
    "MLFLOW_REQUIREMENT",
    "TRACKERS",
    "Requirements",
    "infer_requirements",
    "model_requirements",
    "with_requirements",
    "without_requirements",
]

logger = logging.getLogger(__name__)

MLFLOW_REQUIREMENT = f"mlflow=={MLFLOW_VERSION}"
"""Stands first, so that every tool for MLflow's models can serve this one. Stele's own tools install Stele instead."""

TRACKERS = {"mlflow", "mlflow-skinny", "stele"}
_KEPT = {"numpy": "numpy", "scipy": "scipy", "pandas": "pandas"}
"""Distribution -> module: their version decides how arrays and frames are read, so they are pinned when a library of
the model requires them and they are imported."""

_OPTIONS = (
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--no-index",
    "--pre",
    "--prefer-binary",
    "--no-binary",
    "--only-binary",
    "--trusted-host",
)
_MAX_FILES = 20


class Requirements(Struct, frozen=True):
    """Lines of ``requirements.txt`` and of ``constraints.txt``."""

    lines: list[str]
    constraints: list[str]


def infer_requirements(directory: Path, libraries: Iterable[str] = ()) -> list[str]:
    """Pinned requirements of the model in a directory, sorted by name.

    Args:
        directory: The model's files: pickles, skops files, archives of PyTorch and Python code in it are read.
        libraries: Modules that it needs whatever its files say, such as the library of its flavor.

    Returns:
        ``name==version`` for each distribution that the files refer to, with the installed version. Modules that no
        distribution brings are named in a warning: they have to travel with the model (``code_paths``).
    """
    found: dict[str, str] = {}
    unknown: set[str] = set()
    for module in sorted(referenced_modules(directory) | set(libraries)):
        top = module.partition(".")[0]
        if top in TRACKERS or top in sys.stdlib_module_names or top == "__main__":
            continue
        distribution = distribution_of(module)
        if distribution is None:
            unknown.add(top)
            continue
        if is_local(distribution):
            unknown.add(top)
        found[canonicalize_name(distribution.metadata["Name"])] = pinned(distribution)
    needed = required_by(found)
    for name, module in _KEPT.items():
        if name in needed and module in sys.modules and (distribution := distribution_of(module)) is not None:
            found[name] = pinned(distribution)
    if unknown:
        logger.warning(
            "The model needs %s, which no index has in the state installed here. Give code_paths, or pip_requirements "
            "that bring it; otherwise it loads only where these modules can be imported.",
            ", ".join(sorted(unknown)),
        )
    return [found[name] for name in sorted(found)]


def model_requirements(
    inferred: Sequence[str],
    pip_requirements: str | Path | Iterable[str] | None = None,
    extra_pip_requirements: str | Path | Iterable[str] | None = None,
) -> Requirements:
    """The requirements that are written beside a model.

    Args:
        inferred: What :func:`infer_requirements` found.
        pip_requirements: What the user wants instead: lines, or the path of a file with them. ``-r file`` and
            ``-c file`` are followed; a constraint goes to ``constraints.txt``.
        extra_pip_requirements: What the user wants in addition; a line for a package that is there replaces it.

    Raises:
        InvalidParameterValue: Both are given, a line is no requirement, holds a password, or a file cannot be read.
    """
    if pip_requirements is not None and extra_pip_requirements is not None:
        raise InvalidParameterValue(
            "pip_requirements and extra_pip_requirements exclude each other; the first replaces all."
        )
    base = _parsed(inferred if pip_requirements is None else pip_requirements)
    extra = _parsed(() if extra_pip_requirements is None else extra_pip_requirements)
    lines = {_key(line): line for line in [*base.lines, *extra.lines]}
    if not lines.keys() & TRACKERS:
        lines = {"mlflow": MLFLOW_REQUIREMENT} | lines
    return Requirements(list(lines.values()), list(dict.fromkeys([*base.constraints, *extra.constraints])))


def with_requirements(lines: Sequence[str], added: Iterable[str]) -> list[str]:
    """Lines of a requirements file with some more, each in the place of what is there for the same package.

    Comments, options and what else is no requirement stay as they are.

    Raises:
        InvalidParameterValue: What is added is no requirement, or holds a password.
    """
    fresh = {_package(line): " ".join(line.split()) for line in added}
    kept: list[str] = []
    for line in lines:
        name = _known_package(line)
        if name not in fresh:
            kept.append(line)
        elif fresh[name] not in kept:
            kept.append(fresh[name])
    return [*kept, *(line for line in fresh.values() if line not in kept)]


def without_requirements(lines: Sequence[str], removed: Iterable[str]) -> list[str]:
    """Lines of a requirements file without those of some packages, whatever versions are named.

    Raises:
        InvalidParameterValue: What is to be removed names no package.
    """
    names = {_package(line) for line in removed}
    return [line for line in lines if _known_package(line) not in names]


def _package(line: str) -> str:
    """The package that a requirement of the user's is about."""
    plain = " ".join(line.split())
    if plain.startswith("-"):
        raise InvalidParameterValue(f"{shown(line)} is an option, no requirement such as 'scikit-learn==1.9.1'.")
    return _key(_checked(plain))


def _known_package(line: str) -> str | None:
    """The package that a line of a file is about, None for any other line."""
    try:
        return canonicalize_name(Requirement(line.split(" #")[0].strip()).name)
    except InvalidRequirement:
        return None


def _key(line: str) -> str:
    """What a line is about: the package's name, or the line itself if it is an option."""
    return line if line.startswith("-") else canonicalize_name(Requirement(line).name)


def _parsed(source: str | Path | Iterable[str]) -> Requirements:
    lines: list[str] = []
    constraints: list[str] = []
    place = Path.cwd()
    if isinstance(source, str | Path):
        path = Path(source)
        source, place = _file_lines(path), path.parent
    for kind, line in _flat(source, place, [0]):
        (constraints if kind == "-c" else lines).append(line)
    return Requirements(lines, constraints)


def _flat(source: Iterable[str], place: Path, files: list[int], kind: str = "-r") -> Iterator[tuple[str, str]]:
    """Every line with the kind of file that it stands in, files that lines refer to included."""
    for raw in source:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        line = " ".join(line.split(" #")[0].split())
        option, _, rest = line.replace("--requirement", "-r").replace("--constraint", "-c").partition(" ")
        option, _, value = option.partition("=")
        if option in ("-r", "-c"):
            files[0] += 1
            if files[0] > _MAX_FILES:
                raise InvalidParameterValue(
                    f"Requirements refer to more than {_MAX_FILES} files; the last was {shown(line)}."
                )
            path = place / (value or rest).strip()
            yield from _flat(_file_lines(path), path.parent, files, "-c" if "-c" in (option, kind) else "-r")
        else:
            yield kind, _checked(line)


def _file_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise InvalidParameterValue(f"The requirements file {shown(str(path))} cannot be read: {e}.") from e


def _checked(line: str) -> str:
    """A line that pip may get.

    Raises:
        InvalidParameterValue: It is no requirement and no harmless option, or shows a password.
    """
    for word in line.replace("=", " ").split():
        if "://" in word and urlsplit(word.removeprefix("git+")).password:
            raise InvalidParameterValue(
                f"The requirement for {shown(line.split('://')[0])} holds a password, which would be kept with the "
                "model. Put it into the configuration of pip."
            )
    if line.startswith("-"):
        if line.replace("=", " ").split()[0] not in _OPTIONS:
            raise InvalidParameterValue(
                f"The option {shown(line)} cannot be a requirement. Allowed are {', '.join(_OPTIONS)}."
            )
        return line
    try:
        Requirement(line)
    except InvalidRequirement as e:
        raise InvalidParameterValue(f"{shown(line)} is no requirement such as 'scikit-learn==1.9.1': {e}.") from e
    return line
