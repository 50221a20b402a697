"""Environments for models: a virtual environment with what a model needs, made once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import filelock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from stele import settings
from stele.errors import InvalidParameterValue, MissingDependency, Unavailable, shown
from stele.models.environment import REQUIREMENTS_FILE, read_environment
from stele.models.findings import Finding
from stele.models.load import open_files
from stele.models.requirements import TRACKERS, Requirements
from stele.models.trust import admit

__all__ = [
    "EnvManager",
    "admitted_directory",
    "environment_of",
    "prepare_environment",
    "require_manager",
    "serving_requirements",
    "stele_source",
]

EnvManager = Literal["local", "virtualenv", "uv"]

_LOCK_SECONDS = 3600.0


def admitted_directory(model_uri: str, *, trust: bool) -> Path:
    """The files of a model whose requirements may be installed, which runs code of whoever chose them.

    Raises:
        UntrustedModel: Nobody vouched for the model.
    """
    source, files = open_files(model_uri)
    admit(source, files, [Finding(REQUIREMENTS_FILE, "requirements", runs_code=True)], trust or None)
    return files.directory


def environment_of(model_uri: str, manager: EnvManager, *, trust: bool) -> Path:
    """The interpreter of the environment of a model, made when it is not there.

    Raises:
        UntrustedModel: Nobody vouched for the model, whose requirements would be installed.
        SteleError: See :func:`prepare_environment`.
    """
    return prepare_environment(admitted_directory(model_uri, trust=trust), manager)


def serving_requirements(directory: Path) -> Requirements:
    """What must be installed to serve a saved model: its requirements without the tracker, which Stele replaces.

    Raises:
        InvalidParameterValue: They cannot be read.
    """
    _, found = read_environment(directory)
    return Requirements([line for line in found.lines if _name(line) not in TRACKERS], found.constraints)


def _name(line: str) -> str:
    try:
        return canonicalize_name(Requirement(line).name)
    except InvalidRequirement:  # an option of pip
        return ""


def stele_source() -> Path | None:
    """The directory from which this Stele was installed; None when it came from an index."""
    try:
        origin = json.loads(metadata.distribution("stele").read_text("direct_url.json") or "{}")
    except ValueError:
        return None
    url = urlsplit(str(origin.get("url", "")))
    return Path(unquote(url.path)) if url.scheme == "file" and "dir_info" in origin else None


def _stele_requirement() -> str:
    source = stele_source()
    return f"stele=={metadata.version('stele')}" if source is None else str(source)


def prepare_environment(directory: Path, manager: EnvManager) -> Path:
    """The Python interpreter of an environment in which a model can be loaded.

    Args:
        directory: The saved model.
        manager: ``local`` is the environment that runs now; ``virtualenv`` makes one with ``venv`` and pip, ``uv``
            with uv. Models with the same requirements share one.

    Raises:
        InvalidParameterValue: The model's requirements cannot be read.
        MissingDependency: uv, or the Python that the model wants, is not installed.
        Unavailable: Installing failed; what the installer said is on standard error.
    """
    if manager == "local":
        return Path(sys.executable)
    version, _ = read_environment(directory)
    wanted = serving_requirements(directory)
    minor = ".".join(version.split(".")[:2])
    lines = [_stele_requirement(), *wanted.lines]
    key = hashlib.sha256(json.dumps([minor, lines, wanted.constraints, platform.machine()]).encode()).hexdigest()[:20]
    root = environments_root()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = root / key
    python = folder / "bin" / "python"
    with filelock.FileLock(root / f"{key}.lock", timeout=_LOCK_SECONDS, mode=0o600):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)  # what an installation left that was ended
            _make(folder, python, minor, manager)
            _install(folder, python, lines, wanted.constraints, manager)
            (folder / "complete").touch()
    return python


def environments_root() -> Path:
    """Where environments are kept."""
    if given := settings.ENVIRONMENTS_DIR.get():
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stele" / "environments"


def _make(folder: Path, python: Path, minor: str, manager: EnvManager) -> None:
    if manager == "uv":
        _run([_uv(), "venv", "--quiet", "--python", minor, str(folder)])
        return
    _run([_interpreter(minor), "-m", "venv", str(folder)])
    if not python.exists():
        raise Unavailable(f"The environment {folder} has no interpreter.")


def _interpreter(minor: str) -> str:
    if minor == ".".join(platform.python_version_tuple()[:2]):
        return sys.executable
    found = shutil.which(f"python{minor}")
    if found is None:
        raise MissingDependency(
            f"Python {minor}", f"for this model, and python{minor} is not on the PATH; --env-manager uv downloads it"
        )
    return found


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise MissingDependency("uv", "for --env-manager uv")
    return found


def _install(folder: Path, python: Path, lines: Sequence[str], constraints: Sequence[str], manager: EnvManager) -> None:
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = ["-r", str(folder / "requirements.txt")]
    if constraints:
        (folder / "constraints.txt").write_text("\n".join(constraints) + "\n", encoding="utf-8")
        arguments += ["-c", str(folder / "constraints.txt")]
    if manager == "uv":
        _run([_uv(), "pip", "install", "--quiet", "--python", str(python), *arguments])
    else:
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])


def _run(command: list[str]) -> None:
    """Run a program, its output on standard error."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), check=False)  # noqa: S603 - a list, no shell
    if done.returncode != 0:
        raise Unavailable(
            f"{shown(Path(command[0]).name)} ended with code {done.returncode} while the environment was made."
        )


def require_manager(name: str) -> EnvManager:
    """A name as a manager.

    Raises:
        InvalidParameterValue: It is none.
    """
    if name not in ("local", "virtualenv", "uv"):
        raise InvalidParameterValue(
            f"The environment manager {shown(name)} is unknown. Known are local, virtualenv and uv."
        )
    return name  # type: ignore[return-value]  # checked above
