"""Models as functions of columns of Spark: the same columns as through MLflow, with the real Spark."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stele.pyfunc
from compat.environments import FRAMES, MLFLOW, python_with
from services import missing
from stele.models import ModelSignature
from stele.types import ColSpec, Schema, TensorSpec

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

ROOT = Path(__file__).parents[2]

# One script for all models; what it answers with is its configuration.
SCRIPT = """
import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Answers(PythonModel):
    def predict(self, context, model_input, params=None):
        n = len(model_input)
        match (context.model_config or {}).get("kind"):
            case "columns":
                return [",".join(map(str, model_input.columns))] * n
            case "floats":
                return np.arange(n, dtype="float32")
            case "matrix":
                return np.arange(n * 3).reshape(n, 3)
            case "records":
                return [{"x": 1, "y": "z"}] * n
        whole = np.arange(n, dtype="int32")
        columns = {"i": whole, "l": np.arange(n) * 2, "f": np.arange(n) / 2, "s": ["x"] * n, "b": [True] * n}
        return pd.DataFrame(columns)


set_model(Answers())
"""


def save_spark_models(folder: Path) -> None:
    """Save what the driver predicts with."""
    script = folder / "answers.py"
    script.write_text(SCRIPT)
    inputs = Schema([ColSpec("double", "a"), ColSpec("integer", "b")])
    outputs = {
        "columns-signed": Schema([ColSpec("string")]),
        "frame-named": Schema([ColSpec("long", "x")]),
        "frame-two": Schema([ColSpec("integer", "i"), ColSpec("string", "s")]),
        "frame-tensor": Schema([TensorSpec(np.dtype("int64"), (-1,))]),
    }
    for name in ("frame", "columns", "floats", "matrix", "records", *outputs):
        signature = ModelSignature(inputs, outputs[name]) if name in outputs else None
        kind = {"kind": name.partition("-")[0]}
        stele.pyfunc.save_model(
            str(folder / name), python_model=str(script), signature=signature, model_config=kind, pip_requirements=[]
        )


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each of the two packages makes of the same models."""
    if shutil.which("java") is None:
        missing("Spark needs Java. Install it: apt-get install default-jre-headless")
    folder = tmp_path_factory.mktemp("spark")
    save_spark_models(folder)
    python = python_with(FRAMES[0], *FRAMES[1:])
    theirs = next(python_with(MLFLOW).parents[1].glob("lib/python*/site-packages"))
    # Of the other environments only the one with Spark runs; the packages are on the path.
    paths = {"stele": [str(ROOT / "src"), *site.getsitepackages()], "mlflow": [str(theirs)]}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STELE_", "MLFLOW_"))}
    found = {}
    for module, path in paths.items():
        own = {"PYTHONPATH": os.pathsep.join(path), "MLFLOW_DISABLE_TELEMETRY": "true"}
        command = [str(python), str(Path(__file__).with_name("spark_driver.py")), module, str(folder)]
        done = subprocess.run(command, cwd=folder, env=kept | own, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found[module] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_columns_are_those_of_mlflow(columns: dict[str, dict[str, Any]]) -> None:
    for case, expected in columns["mlflow"].items():
        assert (case, columns["stele"][case]) == (case, expected)


def test_what_cannot_be_is_refused_by_both(columns: dict[str, dict[str, Any]]) -> None:
    refused = {case for case, found in columns["stele"].items() if found is None}
    assert refused == {
        "frame timestamp ('a', 'b')",
        "frame map<string,int> ('a', 'b')",
        "frame l long, none string ('a', 'b')",
        "columns string ()",
        "columns-signed None ('a',)",
        "floats int ('a', 'b')",
    }
