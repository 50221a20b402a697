"""Requirements come from what the files name, with the versions that are installed."""

from __future__ import annotations

import logging
import pickle
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import yaml
from sklearn.linear_model import LinearRegression

from stele.errors import InvalidParameterValue
from stele.models.distributions import distribution_of
from stele.models.environment import conda_requirements, write_environment
from stele.models.requirements import Requirements, infer_requirements, model_requirements


def test_pickle_of_an_estimator_needs_its_library(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])))
    found = infer_requirements(tmp_path)
    assert found == [f"{name}=={version(name)}" for name in ("numpy", "scikit-learn", "scipy")]


def test_code_and_imports_inside_functions_count(tmp_path: Path) -> None:
    def predict(data: Any) -> Any:
        import polars

        return polars.DataFrame(data)

    (tmp_path / "python_model.pkl").write_bytes(cloudpickle.dumps(predict))
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "helpers.py").write_text(
        "import yaml\nfrom PIL import Image\nfrom . import other\nimport json\n"
    )
    (tmp_path / "code" / "main.py").write_text("import helpers\n")
    found = {line.partition("==")[0] for line in infer_requirements(tmp_path)}
    assert found == {"cloudpickle", "polars", "PyYAML", "pillow"}


def test_the_model_is_not_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Loud:
        def __reduce__(self) -> tuple[Any, ...]:
            return print, ("loaded",)

    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Loud()))
    assert infer_requirements(tmp_path) == []
    assert capsys.readouterr().out == ""


def test_modules_of_nobody_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "model.py").write_text("import my_private_module\nimport os\n")
    with caplog.at_level(logging.WARNING):
        assert infer_requirements(tmp_path) == []
    assert "my_private_module" in caplog.text
    assert "code_paths" in caplog.text


def test_tracker_itself_is_no_requirement_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import stele\nimport mlflow.pyfunc\n")
    assert infer_requirements(tmp_path) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("sklearn.svm", "scikit-learn"),
        ("yaml", "PyYAML"),
        ("PIL.Image", "pillow"),
        ("google.protobuf", "protobuf"),
        ("dateutil", "python-dateutil"),
        ("mpl_toolkits.mplot3d", "matplotlib"),
        ("_pytest", "pytest"),
    ],
)
def test_modules_lead_to_their_distributions(module: str, name: str) -> None:
    found = distribution_of(module)
    assert found is not None
    assert found.metadata["Name"].lower() == name.lower()


@pytest.mark.parametrize("module", ["os.path", "json", "__main__", "nobody_has_this"])
def test_other_modules_have_none(module: str) -> None:
    assert distribution_of(module) is None


def test_tracker_stands_first_and_extras_replace() -> None:
    found = model_requirements(["numpy==1", "scipy==2"], extra_pip_requirements=["Numpy>=2", "rich"])
    assert found.lines == ["mlflow==3.17.2", "Numpy>=2", "scipy==2", "rich"]


def test_own_requirements_replace_all(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("# why\nscipy>=1 \\\n , <2  # text\n-c limits.txt\n")
    (tmp_path / "limits.txt").write_text("numpy<3\n")
    found = model_requirements(["numpy==1"], pip_requirements=[f"-r {tmp_path}/more.txt", "stele"])
    assert found == Requirements(["scipy>=1 , <2", "stele"], ["numpy<3"])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("scikit learn", "no requirement"),
        ("x; import os", "no requirement"),
        ("$(touch x)", "no requirement"),
        ("-e .", "option"),
        ("--config-settings=x", "option"),
        ("--index-url=https://me:secret@example.org/simple", "password"),
        ("pkg @ https://me:secret@example.org/a.whl", "password"),
        ("-r missing.txt", "cannot be read"),
    ],
)
def test_bad_lines_are_refused_without_their_secret(line: str, problem: str) -> None:
    with pytest.raises(InvalidParameterValue, match=problem) as caught:
        model_requirements([], pip_requirements=[line])
    assert "secret" not in str(caught.value)


def test_files_that_refer_to_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r a.txt")
    with pytest.raises(InvalidParameterValue, match="more than"):
        model_requirements([], pip_requirements=tmp_path / "a.txt")


def test_environment_files(tmp_path: Path) -> None:
    project, model = tmp_path / "project", tmp_path / "model"
    project.mkdir()
    model.mkdir()
    (project / "uv.lock").write_text("version = 1")
    (project / "pyproject.toml").write_text("[project]")
    env = write_environment(model, Requirements(["mlflow==3.17.2", "numpy==2"], ["scipy<2"]), project=project)
    assert env == {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    assert (model / "requirements.txt").read_text() == "mlflow==3.17.2\nnumpy==2"
    assert (model / "constraints.txt").read_text() == "scipy<2"
    assert (model / "uv.lock").read_text() == "version = 1"
    conda = yaml.safe_load((model / "conda.yaml").read_text())
    assert conda["dependencies"][-1] == {"pip": ["mlflow==3.17.2", "numpy==2", "-c constraints.txt"]}
    assert list(yaml.safe_load((model / "python_env.yaml").read_text())) == [
        "python",
        "build_dependencies",
        "dependencies",
    ]


def test_conda_environment_of_the_user() -> None:
    given = {"name": "mine", "dependencies": ["python=3.11", {"pip": ["numpy==2"]}]}
    conda, requirements = conda_requirements(given)
    assert requirements.lines == ["mlflow==3.17.2", "numpy==2"]
    assert conda == {"name": "mine", "dependencies": ["python=3.11", "pip", {"pip": ["mlflow==3.17.2", "numpy==2"]}]}
    with pytest.raises(InvalidParameterValue, match="mapping"):
        conda_requirements({"name": "mine"})
