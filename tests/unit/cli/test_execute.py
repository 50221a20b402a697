"""``stele exec``: programs that import mlflow, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from stele.client.client import Client
from stele.client.shim import ANSWERED

EXEC = [sys.executable, "-m", "stele.cli", "exec"]

CALLBACK = '''
"""A library that logs to MLflow, and knows nothing of Stele."""
import mlflow
import mlflow.entities
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient as SameClient
from mlflow.tracking.client import MlflowClient as AgainTheSame
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME


class Callback:
    def on_end(self, values):
        assert MlflowClient is SameClient is AgainTheSame
        assert int(mlflow.__version__.split(".")[0]) >= 2
        limit = mlflow.utils.validation.MAX_PARAMS_TAGS_PER_BATCH
        client = MlflowClient()
        run = client.create_run("0", tags={**resolve_tags(), MLFLOW_RUN_NAME: values["name"]})
        assert isinstance(run, mlflow.entities.Run)
        metrics = [Metric("loss", 0.5, 1, 0)]
        client.log_batch(run.info.run_id, metrics=metrics, params=[Param("limit", str(limit))], tags=[RunTag("a", "b")])
        try:
            client.get_run("nothing")
        except MlflowException as e:
            assert e.error_code == "RESOURCE_DOES_NOT_EXIST"
        assert not hasattr(mlflow, "nothing_like_this")
'''

TRAIN = """
import multiprocessing, subprocess, sys
import callback
import mlflow

def child(name):
    callback.Callback().on_end({"name": name})

if __name__ == "__main__":
    child("parent")
    if sys.argv[1:] == ["--children"]:
        subprocess.run([sys.executable, "train.py"], check=True)
        process = multiprocessing.get_context("spawn").Process(target=child, args=("spawned",))
        process.start()
        process.join()
        assert process.exitcode == 0
    with mlflow.start_run(run_name="fluent"):
        mlflow.log_params({"lr": 0.1})
"""


@pytest.fixture
def program(workplace: Path) -> Path:
    (workplace / "callback.py").write_text(CALLBACK)
    (workplace / "train.py").write_text(TRAIN)
    return workplace


def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*EXEC, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done


def names() -> list[str]:
    return sorted(run.info.run_name for run in Client().search_runs(["0"]))


def test_a_program_and_the_processes_it_starts_log_to_stele(program):
    run("--", sys.executable, "train.py", "--children")
    assert names() == ["fluent", "fluent", "parent", "parent", "spawned"]


def test_modules_run_too_and_dashes_are_not_needed(program):
    run(sys.executable, "-m", "train")
    assert names() == ["fluent", "parent"]


def test_the_tracking_uri_of_the_command_line_reaches_the_program(program):
    done = subprocess.run(
        [*EXEC[:-1], "--tracking-uri", "sqlite:///other.db", "exec", "--", sys.executable, "train.py"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (program / "other.db").exists()
    assert not (program / "stele.db").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "import mlflow.gateway",
        "from mlflow import gateway",
        "from mlflow.tracking import nothing_like_this",
        "import mlflow; mlflow.gateway.start()",
        "import mlflow.utils.nothing_like_this",
    ],
)
def test_what_is_missing_says_so(program, statement):
    done = run("--", sys.executable, "-c", statement, code=1)
    assert "Stele has no mlflow." in done.stderr
    assert "stele exec" in done.stderr


def test_the_exit_code_and_the_arguments_are_the_programs(program):
    run("--", sys.executable, "-c", "import sys; sys.exit(7)", code=7)
    words = ["--help", "a b", "$HOME", "; echo x"]
    assert run("--", sys.executable, "-c", "import sys; print(sys.argv[1:])", *words).stdout == f"{words}\n"


def test_a_program_that_is_not_there(program):
    assert "There is no program" in run("--", "nothing-like-this", code=127).stderr
    assert f"stele exec -- python {__file__}" in run("--", __file__, code=127).stderr
    assert "Missing argument" in run(code=2).stderr


def test_nothing_else_is_shadowed_and_the_path_is_kept(program, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(program))
    shown = run("--", *EXEC, "--", sys.executable, "-c", "import os; print(os.environ['PYTHONPATH'])").stdout.strip()
    shim, *rest = shown.split(":")
    assert [path.name for path in Path(shim).iterdir() if not path.name.startswith("__")] == ["mlflow"]
    assert rest == [str(program)]


def test_every_answer_is_there():
    for module, sources in ANSWERED.items():
        assert module == "mlflow" or module.rpartition(".")[0] in ANSWERED
        for source in sources:
            found = import_module(source)
            assert all(hasattr(found, name) for name in found.__all__)


def test_every_module_can_be_imported_and_listed(program):
    lines = [f"import {module}; from {module} import *; dir({module})" for module in ANSWERED]
    run("--", sys.executable, "-c", "\n".join(lines))


def test_without_the_command_nothing_answers_for_mlflow(program):
    done = subprocess.run([sys.executable, "-c", "import stele.client.shim, mlflow"], capture_output=True, check=False)
    assert b"No module named 'mlflow'" in done.stderr
