"""Environments of models: made once, shared by models that need the same, refused for models of strangers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stele.errors import InvalidParameterValue, MissingDependency, Unavailable
from stele.serving import environments
from stele.serving.environments import prepare_environment, require_manager, serving_requirements


@pytest.fixture
def small(linear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose environment is quickly made: it needs one small package, and not even Stele."""
    model = tmp_path / "model"
    shutil.copytree(linear, model)
    (model / "requirements.txt").write_text("mlflow==3.17.2\niniconfig\n-c constraints.txt")
    (model / "constraints.txt").write_text("iniconfig<2.1")
    monkeypatch.setenv("STELE_ENVIRONMENTS_DIR", str(tmp_path / "environments"))
    monkeypatch.setattr(environments, "_stele_requirement", lambda: "pluggy")
    return model


def installed(python: Path) -> str:
    program = (
        "import iniconfig, pluggy, sys; from importlib.metadata import version; print(version('iniconfig'), sys.prefix)"
    )
    return subprocess.run([str(python), "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("manager", ["virtualenv", "uv"])
def test_an_environment_has_what_the_model_asks_for(manager: str, small: Path, tmp_path: Path) -> None:
    python = prepare_environment(small, require_manager(manager))
    version, prefix = installed(python).split()
    assert version.startswith("2.0")
    assert Path(prefix).is_relative_to(tmp_path / "environments")
    assert (tmp_path / "environments").stat().st_mode & 0o777 == 0o700


def test_it_is_made_once(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare_environment(small, "virtualenv")
    ran: list[list[str]] = []
    monkeypatch.setattr(environments, "_run", ran.append)
    other = tmp_path / "other"
    shutil.copytree(small, other)
    assert prepare_environment(other, "virtualenv") == first
    assert ran == []
    (other / "requirements.txt").write_text("iniconfig")
    (other / "constraints.txt").unlink()
    with pytest.raises(Unavailable):  # what was to be run was not
        prepare_environment(other, "virtualenv")
    assert ran[0][1:3] == ["-m", "venv"]


def test_an_installation_that_failed_is_not_taken_for_one(small: Path, tmp_path: Path) -> None:
    (small / "requirements.txt").write_text("iniconfig==0.0.0.1")
    for _ in range(2):
        with pytest.raises(Unavailable, match="while the environment was made"):
            prepare_environment(small, "virtualenv")


def test_the_tracker_is_replaced(small: Path) -> None:
    assert serving_requirements(small).lines == ["iniconfig"]
    assert serving_requirements(small).constraints == ["iniconfig<2.1"]


def test_another_python_must_be_there(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (small / "python_env.yaml").write_text("python: 3.99.1\n")
    with pytest.raises(MissingDependency, match=r"python3\.99"):
        prepare_environment(small, "virtualenv")
    (small / "python_env.yaml").write_text("python: '3.11; touch x'\n")
    with pytest.raises(InvalidParameterValue, match="no version of Python"):
        prepare_environment(small, "virtualenv")


def test_local_is_this_interpreter(small: Path) -> None:
    assert prepare_environment(small, "local") == Path(sys.executable)


def test_unknown_managers_are_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="conda"):
        require_manager("conda")
