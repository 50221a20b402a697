"""What Stele infers from data and makes of them is what MLflow does, or more where no value changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

DRIVER = Path(__file__).with_name("schema_driver.py")

# Where MLflow gives up the whole schema, Stele gives up one column, or infers what is there.
BETTER_INFERENCE = {
    "infer column uint64",
    "infer column mixed",
    "infer column span",
}
# MLflow lets any column of objects pass as booleans. Stele looks at the objects.
OBJECTS = "bytes|date|lists|lists with none|arrays|matrices|dictionaries|nested|mixed".split("|")
STRICTER = {f"boolean from {name}" for name in OBJECTS}


def drive(python: Path | str, module: str, folder: Path) -> dict[str, object]:
    output = folder / f"{module}.json"
    done = subprocess.run(
        [str(python), str(DRIVER), module, str(output)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text())


@pytest.fixture(scope="module")
def both(mlflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict]:
    folder = tmp_path_factory.mktemp("schemas")
    return drive(mlflow_python, "mlflow", folder), drive(sys.executable, "stele", folder)


def test_the_same_is_inferred(both):
    theirs, ours = both
    cases = [name for name in theirs if name.startswith(("infer ", "params "))]
    assert len(cases) > 60
    assert {name: ours[name] for name in cases if ours[name] != theirs[name]}.keys() == BETTER_INFERENCE


def test_what_mlflow_takes_becomes_the_same(both):
    theirs, ours = both
    cases = [name for name in theirs if not name.startswith(("infer ", "params ")) and theirs[name] != "refused"]
    assert len(cases) > 80
    assert {name for name in cases if ours[name] != theirs[name]} == STRICTER


def test_what_stele_takes_besides_is_known(both):
    theirs, ours = both
    more = {name for name in theirs if theirs[name] == "refused" and ours[name] != "refused"}
    integers = "int8 uint8 int16 uint16 int32 uint32 int64 uint64".split()
    nullable = ["objects of int", "Int64", "Int64 missing", "Int32"]
    assert more == {
        *(f"float from {name}" for name in [*integers, *nullable]),
        *(f"double from {name}" for name in ["int64", "uint64", "objects of int", "Int64", "Int64 missing"]),
        "datetime from time with zone",
        "string from category",
        "binary from category",
        "named tensor from csr",
    }
