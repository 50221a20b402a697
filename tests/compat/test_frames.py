"""Data frames of Spark and datasets of Hugging Face, with the real libraries."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
from pathlib import Path

import pytest

from compat.environments import FRAMES, python_with
from services import missing

pytestmark = pytest.mark.xdist_group("mlflow")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    if shutil.which("java") is None:
        missing("Spark needs Java. Install it: apt-get install default-jre-headless")
    folder = tmp_path_factory.mktemp("frames")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STELE_", "MLFLOW_"))}
    # Stele and what it needs are those of this environment; only the two libraries come from the other one.
    path = os.pathsep.join([str(ROOT / "src"), *site.getsitepackages()])
    own = {"PYTHONPATH": path, "STELE_CAPTURE": "false", "STELE_JOURNAL_DIR": str(folder / "journal")}
    driver = str(Path(__file__).with_name("frames_driver.py"))
    command = [str(python_with(FRAMES[0], *FRAMES[1:])), driver, str(folder)]
    done = subprocess.run(command, cwd=folder, env=kept | own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    found["folder"] = {"path": str(folder)}
    return found


def test_spark_data_frames_are_described_and_read_back(facts: dict[str, dict[str, object]]) -> None:
    spark = facts["spark"]
    assert spark["columns"] == [["id", "long"], ["score", "double"], ["name", "string"], ["flag", "boolean"]]
    assert spark["same"]
    assert spark["differs"]
    assert spark["kept"] == ["rows", True, "spark", {"path": f"{facts['folder']['path']}/rows.parquet"}]
    assert spark["loaded"] == [1, 2]


def test_hugging_face_datasets_are_described(facts: dict[str, dict[str, object]]) -> None:
    found = facts["hugging_face"]
    assert found == {
        "columns": [["text", "string"], ["label", "long"], ["score", "double"]],
        "rows": 3,
        "same": True,
        "differs": True,
        "kept": ["texts", True, "code"],
    }
