"""The same models and requests on MLflow's scoring server and on ours: same predictions, same things refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from servers import STELE, ServerProcess, free_port
from stele.models.requirements import infer_requirements

pytestmark = [pytest.mark.mlflow, pytest.mark.xdist_group("mlflow")]

MODELS = ("columns", "tensor", "unsigned", "mixed")
JSON = "application/json"

ROW = {"x": 1.5, "n": 1, "s": "t", "b": True}

# model, content type, body; what both servers answer with 200 must be equal.
REQUESTS: list[tuple[str, str, Any]] = [
    ("columns", JSON, {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3.5, 4]]}}),
    ("columns", JSON, {"dataframe_split": {"columns": ["b", "z", "a"], "data": [[1, 9, 2]]}}),
    ("columns", JSON, {"dataframe_split": {"columns": ["a", "b"], "index": [7], "data": [[1, 2]]}}),
    ("columns", JSON, {"dataframe_records": [{"a": 1, "b": 2}, {"b": 3, "a": 4}]}),
    ("columns", JSON, {"instances": [{"a": 1, "b": 2}]}),
    ("columns", JSON, {"inputs": {"a": [1, 2], "b": [3, 4]}}),
    ("columns", JSON, {"inputs": [{"a": 1, "b": 2}]}),
    ("columns", "application/json; charset=utf-8", {"dataframe_records": [{"a": 1, "b": 2}]}),
    ("columns", "text/csv", "a,b\n1,2\n3,4\n"),
    ("columns", "text/csv", "b,c,a\n1,x,2\n"),
    ("columns", JSON, {"dataframe_split": {"columns": ["a"], "data": [[1]]}}),
    ("columns", JSON, {"dataframe_records": [{"a": 1}]}),
    ("columns", JSON, {"dataframe_records": [{"a": "x", "b": 1}]}),
    ("columns", JSON, {"data": [[1, 2]]}),
    ("columns", JSON, {}),
    ("columns", JSON, [1, 2]),
    ("columns", JSON, "{"),
    ("columns", JSON, {"inputs": {"a": [1], "b": [1]}, "instances": [[1, 1]]}),
    ("columns", JSON, {"dataframe_records": [{"a": 1, "b": 2}], "params": [1]}),
    ("columns", "application/xml", "<a/>"),
    ("columns", "application/json; charset=latin-1", {"dataframe_records": [{"a": 1, "b": 2}]}),
    ("tensor", JSON, {"inputs": [[1, 2], [3, 4]]}),
    ("tensor", JSON, {"instances": [[1.5, 2.5]]}),
    ("tensor", JSON, {"dataframe_split": {"data": [[1.0, 2.0]]}}),
    ("tensor", JSON, {"inputs": [["x", "y"]]}),
    ("tensor", JSON, {"inputs": [[1, 2, 3]]}),
    ("unsigned", JSON, {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}),
    ("unsigned", "text/csv", "a,b\n1,2\n"),
    ("mixed", JSON, {"dataframe_records": [ROW]}),
    ("mixed", JSON, {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())] * 2}}),
    ("mixed", JSON, {"dataframe_records": [ROW], "params": {"factor": 3.0}}),
    ("mixed", JSON, {"dataframe_records": [ROW], "params": {"unknown": 3.0}}),
    ("mixed", JSON, {"dataframe_records": [ROW], "params": {"factor": "x"}}),
    ("mixed", JSON, {"dataframe_records": [ROW | {"n": "x"}]}),
]


def post(url: str, kind: str, body: Any) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(f"{url}/invocations", content, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, None


@pytest.fixture(scope="module")
def saved(mlflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    program = str(Path(__file__).with_name("save_models.py"))
    subprocess.run([str(mlflow_python), program, str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def scoring(
    saved: Path, mlflow_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[str]]]:
    """Addresses of MLflow's server and of ours, for each model."""
    folder = tmp_path_factory.mktemp("servers")
    programs = f"{mlflow_python.parent}"
    with ExitStack() as stack:
        found: dict[str, list[str]] = {}
        for name in MODELS:
            started = []
            for command in ([f"{programs}/mlflow"], STELE):
                port = free_port()
                options = ["models", "serve", "-m", str(saved / name), "-p", str(port), "--env-manager", "local"]
                server = ServerProcess([*command, *options], port, folder, programs)
                stack.callback(server.stop)
                started.append(server)
            for server in started:
                server.wait_until_healthy()
            found[name] = [server.url for server in started]
        yield found


@pytest.mark.parametrize(("model", "kind", "body"), REQUESTS)
def test_both_servers_answer_alike(model: str, kind: str, body: Any, scoring: dict[str, list[str]]) -> None:
    (their_status, theirs), (our_status, ours) = (post(url, kind, body) for url in scoring[model])
    # MLflow answers some bad requests with 500; ours never does.
    assert our_status == 200 if their_status == 200 else our_status in (400, 415)
    if their_status == 200:
        assert same(ours, theirs), (ours, theirs)


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[name], theirs[name]) for name in theirs)
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return bool(ours == theirs)


def test_predictions_for_files_are_those_of_mlflow(saved: Path, mlflow_python: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    arguments = [
        "models",
        "predict",
        "-m",
        str(saved / "columns"),
        "-i",
        "rows.csv",
        "--env-manager",
        "local",
        "-t",
        "csv",
        "-o",
    ]
    found = []
    for command, name in (
        ([f"{mlflow_python.parent}/mlflow"], "theirs.json"),
        ([sys.executable, "-m", "stele.cli"], "ours.json"),
    ):
        subprocess.run([*command, *arguments, name], cwd=tmp_path, check=True, capture_output=True)
        found.append(json.loads((tmp_path / name).read_text()))
    assert same(found[1], found[0])


@pytest.mark.parametrize(("name", "libraries"), [("columns", ("skops", "pandas")), ("mixed", ("pandas",))])
def test_requirements_are_those_that_mlflow_finds_by_loading(
    name: str, libraries: tuple[str, ...], saved: Path
) -> None:
    theirs = names_of((saved / name / "requirements.txt").read_text().splitlines())
    ours = names_of(infer_requirements(saved / name, libraries))
    # What MLflow itself imports is no requirement of the model; which numpy a frame was made with, we say always.
    assert theirs - {"mlflow", "psutil"} <= ours <= theirs | {"numpy"}


def names_of(lines: list[str]) -> set[str]:
    return {line.partition("==")[0].lower() for line in lines}
