"""What every flavor must do: subclass :class:`FlavorContract` in a test module, and give it a model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stele.errors import AlreadyExists, InvalidParameterValue, UntrustedModel
from stele.models.findings import Finding
from stele.models.format import Model
from stele.models.inspection import inspect
from stele.models.pyfunc import load_model

__all__ = ["HOSTILE_CODE", "FlavorContract", "Hostile", "Sample", "as_list", "change_mlmodel"]

LOAD_IN_MLFLOW = """
import json, pickle, sys, warnings
warnings.simplefilter("ignore")
import mlflow
assert "stele" not in sys.modules
data = pickle.load(open(sys.argv[2], "rb"))
model = mlflow.pyfunc.load_model(sys.argv[1])
found = model.predict(data)
found = found.detach().numpy() if hasattr(found, "detach") else found
found = found.to_numpy() if hasattr(found, "to_numpy") else found
if isinstance(found, dict): found = list(found.values())[0]
json.dump([each.tolist() if hasattr(each, "tolist") else each for each in found], open(sys.argv[3], "w"))
"""
"""Run by a Python that has MLflow and not Stele: the model, pickled data, where to write the predictions."""

HOOK = """
import sys
heard = []
def hook(event, arguments):
    if event in ("os.system", "subprocess.Popen", "exec", "compile") and "hostile_ran" in repr(arguments):
        heard.append((event, repr(arguments)[:200]))
    if event == "import" and "hostile" in str(arguments[0]):
        heard.append((event, arguments[0]))
    if event == "open" and "hostile_ran" in str(arguments[0]) and "w" in str(arguments[1]):
        heard.append((event, str(arguments[0])))
sys.addaudithook(hook)
"""

ATTACK = (
    HOOK
    + """
import importlib, os, warnings
warnings.simplefilter("ignore")
os.environ["STELE_MODEL_TRUST"] = "recorded"
import stele.models, stele.pyfunc
from stele.errors import SteleError
module = importlib.import_module(sys.argv[1])
for path in sys.argv[2:]:
    outcomes = []
    try:
        stele.models.inspect(path)
    except SteleError:
        pass
    for load in (stele.pyfunc.load_model, module.load_model):
        try:
            load(path)
            outcomes.append("loaded")
        except SteleError as e:
            outcomes.append(type(e).__name__)
    assert "loaded" not in outcomes, (path, outcomes)
    assert not heard, (path, heard)
    assert not os.path.exists("hostile_ran"), path
"""
)
"""Looks into hostile models and tries to load them, with a hook that hears what Python imports, compiles and starts."""

HOSTILE_CODE = "open('hostile_ran', 'w').close()  # hostile"


class Hostile:
    """Pickled, it writes a file when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (HOSTILE_CODE,)


def change_mlmodel(directory: Path, flavor: str, **keys: Any) -> None:
    """Change keys of a block of MLmodel."""
    model = Model.read(directory)
    model.flavors.setdefault(flavor, {}).update(keys)
    model.save(directory / "MLmodel")


def bring_code(directory: Path, *flavors: str) -> None:
    """A module along with the model that does harm when it is imported, and a loader that names it."""
    (directory / "code").mkdir(exist_ok=True)
    (directory / "code" / "hostile_module.py").write_text(HOSTILE_CODE)
    for flavor in flavors:
        change_mlmodel(directory, flavor, code="code")
    change_mlmodel(directory, "python_function", code="code", loader_module="hostile_module")


class Sample:
    """A model to try a flavor with.

    Args:
        native: The model as its library knows it.
        data: What it takes, as a user of the function passes it.
        wrong: The same with a column or type that does not fit; None when the flavor has no signature to check against.
        predict: From the native model and the data to what it gives.
        options: Arguments of ``save_model`` besides the model and the path.
    """

    def __init__(
        self,
        native: Any,
        data: Any,
        wrong: Any,
        predict: Callable[[Any, Any], Any],
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.native = native
        self.data = data
        self.wrong = wrong
        self.predict = predict
        self.options = dict(options or {})

    @property
    def expected(self) -> list[Any]:
        """What the model gives for the data."""
        return as_list(self.predict(self.native, self.data))


def as_list(found: Any) -> list[Any]:
    """Predictions of any kind as nested lists."""
    if hasattr(found, "detach"):
        found = found.detach()
    if isinstance(found, dict):
        found = next(iter(found.values()))
    if hasattr(found, "to_numpy"):
        found = found.to_numpy()
    return [each.tolist() if hasattr(each, "tolist") else each for each in found]


class FlavorContract:
    """Tests of a flavor.

    A subclass sets ``module`` to the public module of the flavor, ``loader`` to the loader module in MLmodel,
    ``requirement`` to the distribution that must be pinned, and has the fixtures ``sample`` (a :class:`Sample`) and
    ``mlflow_python`` (a Python with MLflow and the library, without Stele). ``save_in_mlflow`` is Python that saves a
    model as ``native`` to ``path`` in MLflow, after ``import mlflow``.
    """

    module: Any
    loader: str
    requirement: str
    save_in_mlflow: str
    hostile_files: Mapping[str, Callable[[Path], None]] = {}

    @property
    def attacks(self) -> dict[str, Callable[[Path], None]]:
        """Name -> what makes a saved model hostile: those of the flavor's files, and those that any model can have."""
        name = self.loader.rpartition(".")[2]
        return {**self.hostile_files, "code": lambda directory: bring_code(directory, name)}

    @pytest.fixture
    def saved(self, sample: Sample, tmp_path: Path) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.module.save_model(sample.native, tmp_path / "model", input_example=sample.data, **sample.options)
        return tmp_path / "model"

    def close(self, one: Any, other: Any) -> None:
        np.testing.assert_allclose(np.asarray(one, dtype=float), np.asarray(other, dtype=float), rtol=1e-5, atol=1e-6)

    def test_a_saved_model_loads_natively(self, sample: Sample, saved: Path) -> None:
        again = self.module.load_model(str(saved), trust=True)
        self.close(as_list(sample.predict(again, sample.data)), sample.expected)

    def test_a_saved_model_loads_as_a_function(self, sample: Sample, saved: Path) -> None:
        model = load_model(str(saved), trust=True)
        self.close(as_list(model.predict(sample.data)), sample.expected)
        assert model.loader_module == self.loader

    def test_the_signature_is_enforced(self, sample: Sample, saved: Path) -> None:
        model = load_model(str(saved), trust=True)
        assert model.metadata.get_input_schema() is not None
        assert model.metadata.get_output_schema() is not None
        with pytest.raises(InvalidParameterValue):
            model.predict(sample.wrong)

    def test_the_environment_is_pinned(self, saved: Path) -> None:
        lines = (saved / "requirements.txt").read_text().splitlines()
        assert lines[0].startswith("mlflow==")
        assert [line for line in lines if line.startswith(f"{self.requirement}==")]
        assert all("==" in line for line in lines)
        assert (saved / "conda.yaml").is_file()
        assert (saved / "python_env.yaml").is_file()

    def test_the_example_is_kept(self, saved: Path) -> None:
        assert load_model(str(saved), trust=True).input_example is not None
        assert (saved / "serving_input_example.json").is_file()

    def test_nothing_is_left_beside_the_model(self, sample: Sample, saved: Path) -> None:
        assert [path.name for path in saved.parent.iterdir()] == ["model"]
        assert [path for path in saved.rglob("*") if path.stat().st_mode & 0o022] == []
        with pytest.raises(AlreadyExists):
            self.module.save_model(sample.native, saved, **sample.options)

    def test_what_stele_saves_mlflow_loads(
        self, sample: Sample, saved: Path, mlflow_python: Path, tmp_path: Path
    ) -> None:
        self._run_mlflow(mlflow_python, LOAD_IN_MLFLOW, saved, self._pickled(sample, tmp_path), tmp_path / "out.json")
        self.close(json.loads((tmp_path / "out.json").read_text()), sample.expected)

    def test_what_mlflow_saves_stele_loads(self, sample: Sample, mlflow_python: Path, tmp_path: Path) -> None:
        program = (
            "import pickle, sys, warnings\nwarnings.simplefilter('ignore')\nimport mlflow\n"
            "native, data = pickle.load(open(sys.argv[2], 'rb'))\npath = sys.argv[1]\n" + self.save_in_mlflow
        )
        path = tmp_path / "theirs"
        self._run_mlflow(mlflow_python, program, path, self._pickled(sample, tmp_path, whole=True))
        assert Model.read(path).flavors["python_function"]["loader_module"] == self.loader
        model = load_model(str(path), trust=True)
        self.close(as_list(model.predict(sample.data)), sample.expected)
        self.close(as_list(sample.predict(self.module.load_model(str(path), trust=True), sample.data)), sample.expected)

    def test_no_hostile_model_runs(self, saved: Path, tmp_path: Path) -> None:
        """Each way in which files of the flavor could run code: refused, and nothing was imported or run."""
        paths = []
        for name, make in self.attacks.items():
            hostile = tmp_path / name
            shutil.copytree(saved, hostile)
            make(hostile)
            paths.append(str(hostile))
        place = tmp_path / "place"
        place.mkdir()
        done = subprocess.run(  # noqa: S603 - this Python, with the program above
            [sys.executable, "-c", ATTACK, self.module.__name__, *paths],
            capture_output=True,
            text=True,
            cwd=place,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert list(place.iterdir()) == []

    def test_inspection_tells_what_the_files_do(self, saved: Path) -> None:
        found = inspect(saved)
        assert found.findings
        assert all(isinstance(each, Finding) and each.format for each in found.findings)
        if found.runs_code:
            with pytest.raises(UntrustedModel, match="trust=True"):
                self.module.load_model(str(saved), trust=False)
        else:
            self.module.load_model(str(saved), trust=False)

    def _pickled(self, sample: Sample, directory: Path, *, whole: bool = False) -> Path:
        import cloudpickle

        path = directory / "sample.pkl"
        path.write_bytes(cloudpickle.dumps((sample.native, sample.data) if whole else sample.data))
        return path

    def _run_mlflow(self, python: Path, program: str, *arguments: Path) -> None:
        done = subprocess.run(  # noqa: S603 - the Python of the compatibility tests
            [str(python), "-c", program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            cwd=arguments[0].parent,
        )
        assert done.returncode == 0, done.stderr
