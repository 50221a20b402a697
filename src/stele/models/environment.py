"""The files that say in what environment a model runs: ``requirements.txt``, ``conda.yaml``, ``python_env.yaml``."""

from __future__ import annotations

import platform
import re
import shutil
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from stele.artifacts.paths import resolve_beneath
from stele.errors import InvalidParameterValue, shown
from stele.models.distributions import script_directory
from stele.models.requirements import Requirements, model_requirements

__all__ = [
    "CONDA_FILE",
    "CONSTRAINTS_FILE",
    "PYTHON_ENV_FILE",
    "REQUIREMENTS_FILE",
    "conda_requirements",
    "read_environment",
    "write_environment",
]

REQUIREMENTS_FILE = "requirements.txt"
CONSTRAINTS_FILE = "constraints.txt"
CONDA_FILE = "conda.yaml"
PYTHON_ENV_FILE = "python_env.yaml"

_PYTHON_VERSION = re.compile(r"3\.\d{1,2}(\.\d{1,2})?")
_PROJECT_FILES = ("uv.lock", "pyproject.toml", ".python-version")


def write_environment(
    directory: Path,
    requirements: Requirements,
    conda_env: dict[str, Any] | None = None,
    project: Path | None = None,
) -> dict[str, str]:
    """Write the environment of a model beside it.

    Args:
        directory: The model.
        requirements: See :func:`stele.models.requirements.model_requirements`.
        conda_env: A conda environment of the user's; None makes one from the requirements.
        project: Where ``uv.lock`` is looked for; it is taken along with ``pyproject.toml`` and ``.python-version``. The
            default is the directory of the script that runs.

    Returns:
        ``env`` of the python_function flavor.
    """
    _write(directory / REQUIREMENTS_FILE, "\n".join(requirements.lines))
    if requirements.constraints:
        _write(directory / CONSTRAINTS_FILE, "\n".join(requirements.constraints))
    _write_yaml(directory / CONDA_FILE, conda_env or _conda_env(requirements))
    _write_yaml(directory / PYTHON_ENV_FILE, _python_env())
    project = project or script_directory()
    if (project / _PROJECT_FILES[0]).is_file():
        for name in _PROJECT_FILES:
            if (project / name).is_file():
                shutil.copyfile(project / name, directory / name)
    return {"conda": CONDA_FILE, "virtualenv": PYTHON_ENV_FILE}


def read_environment(directory: Path) -> tuple[str, Requirements]:
    """The version of Python and the requirements of a saved model.

    Args:
        directory: The model. No file outside of it is read, whatever its requirements refer to.

    Raises:
        InvalidParameterValue: A file is damaged, or a line is no requirement.
    """
    try:
        lines = _lines(directory, REQUIREMENTS_FILE)
        python = yaml.safe_load("\n".join(_lines(directory, PYTHON_ENV_FILE))) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise InvalidParameterValue(f"The environment of the model {shown(str(directory))} cannot be read: {e}.") from e
    version = str(python.get("python", "")) if isinstance(python, dict) else ""
    if version and not _PYTHON_VERSION.fullmatch(version):
        raise InvalidParameterValue(f"{shown(version)} in {PYTHON_ENV_FILE} is no version of Python such as 3.11.7.")
    own = [line for line in lines if line.strip() != f"-c {CONSTRAINTS_FILE}"]
    if outside := [line for line in own if line.strip().startswith(("-r", "-c", "--r", "--c"))]:
        raise InvalidParameterValue(f"The requirements of the model refer to another file: {shown(outside[0])}.")
    constraints = _lines(directory, CONSTRAINTS_FILE)
    found = model_requirements([], pip_requirements=own)
    return version or platform.python_version(), Requirements(found.lines, constraints)


def _lines(directory: Path, name: str) -> list[str]:
    path = resolve_beneath(directory, name)
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def conda_requirements(conda_env: dict[str, Any] | str | Path) -> tuple[dict[str, Any], Requirements]:
    """A conda environment that a user gave, with what it asks of pip.

    Args:
        conda_env: The environment as a dict, or the path of its YAML file. ``mlflow`` is added to the packages of pip
            when no tracker is among them.

    Raises:
        InvalidParameterValue: It is no conda environment, or a line for pip is no requirement.
    """
    if not isinstance(conda_env, dict):
        try:
            conda_env = yaml.safe_load(Path(conda_env).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
            raise InvalidParameterValue(f"The conda environment {shown(str(conda_env))} cannot be read: {e}.") from e
    dependencies = conda_env.get("dependencies") if isinstance(conda_env, dict) else None
    if not isinstance(conda_env, dict) or not isinstance(dependencies, list):
        raise InvalidParameterValue("A conda environment is a mapping with a list 'dependencies'.")
    for_pip = [line for item in dependencies if isinstance(item, dict) for line in item.get("pip", ())]
    others = [item for item in dependencies if not isinstance(item, dict)]
    requirements = model_requirements([], pip_requirements=[str(line) for line in for_pip])
    if not any(str(item).startswith("pip") for item in others):
        others.append("pip")
    return conda_env | {"dependencies": [*others, {"pip": _with_constraints(requirements)}]}, requirements


def _with_constraints(requirements: Requirements) -> list[str]:
    return requirements.lines + ([f"-c {CONSTRAINTS_FILE}"] if requirements.constraints else [])


def _conda_env(requirements: Requirements) -> dict[str, Any]:
    pip = _version("pip")
    return {
        "channels": ["conda-forge"],
        "dependencies": [
            f"python={platform.python_version()}",
            f"pip<={pip}" if pip else "pip",
            {"pip": _with_constraints(requirements)},
        ],
        "name": "mlflow-env",
    }


def _python_env() -> dict[str, Any]:
    tools = [f"{name}=={version}" if (version := _version(name)) else name for name in ("pip", "setuptools")]
    return {
        "python": platform.python_version(),
        "build_dependencies": [*tools, "wheel"],
        "dependencies": [f"-r {REQUIREMENTS_FILE}"],
    }


@lru_cache(maxsize=16)
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    _write(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=False))
