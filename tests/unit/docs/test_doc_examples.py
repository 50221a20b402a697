"""The snippets of the documentation are files, and the files run."""

from __future__ import annotations

import json
import re
import shlex
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from doc_pages import DOCS, EXAMPLES, FENCES, printed, run, run_example

import stele
from servers import STELE, stele_server

SNIPPET = re.compile(r'--8<-- "docs/examples/([\w.]+?)(?::(\w+))?"')

NEEDS_MORE = {"mlflow_script", "moved_script", "ci_gate", "backup_sqlite", "team_client", "train", "sweep", "read_back"}
"""Examples that have a test of their own, because something has to be there first."""


def example_names() -> list[str]:
    """The examples that the pages show; those of the seed documents have tests of their own."""
    return sorted(path.stem for path in EXAMPLES.glob("*.py") if not path.stem.startswith("seed_"))


def test_python_in_pages_is_a_file():
    for fence in FENCES:
        if fence.language in ("python", "py", "pycon"):
            assert all(SNIPPET.fullmatch(line.strip()) for line in fence.text.splitlines()), fence


def test_every_example_is_shown_and_every_shown_section_exists():
    shown: set[str] = set()
    for fence in FENCES:
        for name, section in SNIPPET.findall(fence.text):
            shown.add(name)
            assert not section or f"[start:{section}]" in (EXAMPLES / name).read_text(encoding="utf-8"), fence
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    seeds = {name for name in files if name.startswith("seed_")}
    assert shown | seeds == files


def test_every_output_belongs_to_an_example():
    assert {path.stem for path in EXAMPLES.glob("*.txt")} <= set(example_names())


@pytest.mark.parametrize("name", [name for name in example_names() if name not in NEEDS_MORE])
def test_example(workplace, name):
    printed(name, run_example(name, workplace))


def test_example_of_the_tutorial(workplace):
    printed("train", run_example("train", workplace))
    printed("read_back", run_example("read_back", workplace))
    printed("sweep", run_example("sweep", workplace))
    assert len(stele.search_runs(experiment_names=["line"], output_format="list")) == 14


def test_example_of_a_backup(workplace):
    printed("quick_start", run_example("quick_start", workplace))
    printed("backup_sqlite", run_example("backup_sqlite", workplace))
    client = stele.Client(f"sqlite:///{workplace}/backup.db")
    experiment = client.get_experiment_by_name("first")
    assert [run.info.run_name for run in client.search_runs([experiment.experiment_id])] == ["line"]


def test_example_of_a_team(workplace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("team")
    with stele_server(folder, "--host", "0.0.0.0") as server:
        token = re.search(r"stele_[\w-]+", server.log.read_text())[0]
        refused = run_example("team_client", workplace, STELE_TRACKING_URI=server.url)
        assert "STELE_TRACKING_TOKEN" in refused.stderr
        done = run_example("team_client", workplace, STELE_TRACKING_URI=server.url, STELE_TRACKING_TOKEN=token)
        printed("team_client", done)


@pytest.mark.parametrize(("auc", "code"), [(0.93, 0), (0.915, 0), (0.9, 1)])
def test_example_of_a_gate(workplace, auc, code):
    stele.set_experiment("churn")
    for role, value in (("champion", 0.92), ("candidate", auc)):
        with stele.start_run(run_name=role, tags={"role": role}):
            stele.log_metric("auc", value)
    done = run_example("ci_gate", workplace)
    assert (done.returncode, "against champion" in done.stdout) == (code, True), done.stderr


def test_a_gate_without_runs_fails(workplace):
    assert run_example("ci_gate", workplace).returncode == 1


def test_example_of_a_script_with_import_mlflow(workplace):
    (workplace / "train.py").write_text((EXAMPLES / "mlflow_script.py").read_text(encoding="utf-8"), encoding="utf-8")
    printed("mlflow_script", run([*STELE, "exec", "--", sys.executable, "train.py"], workplace))


def test_example_of_a_script_with_another_import(workplace):
    printed("mlflow_script", run_example("moved_script", workplace))


def test_the_moved_script_differs_in_its_imports_only():
    before, after = ((EXAMPLES / name).read_text().splitlines() for name in ("mlflow_script.py", "moved_script.py"))
    different = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert different == [
        ("import mlflow", "import stele as mlflow"),
        ("from mlflow.tracking import MlflowClient", "from stele.tracking import MlflowClient"),
    ]


def curl_requests() -> Iterator[tuple[list[str], urllib.request.Request]]:
    """The curl commands of the examples, as requests of Python."""
    text = re.sub(r"^#.*\n", "", (EXAMPLES / "curl.sh").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for command in re.split(r"^curl ", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        words = shlex.split(command)
        options = dict(zip(words[:-1:2], words[1:-1:2], strict=True))
        body, headers, method = None, {}, "GET"
        if "--json" in options:
            body, headers, method = options["--json"].encode(), {"Content-Type": "application/json"}, "POST"
        elif "--upload-file" in options:
            body, method = b"All went well.\n", "PUT"
        yield words, urllib.request.Request(words[-1], body, headers, method=method)


def test_curl(workplace, tmp_path_factory):
    with stele_server(tmp_path_factory.mktemp("server"), "--log-format", "json") as server:
        run_id, answers = "", {}
        for words, request in curl_requests():
            request.full_url = request.full_url.replace("http://127.0.0.1:5000", server.url).replace("RUN_ID", run_id)
            request.data = request.data and request.data.replace(b"RUN_ID", run_id.encode())
            with urllib.request.urlopen(request, timeout=30) as answer:
                name = request.full_url.partition("?")[0].rpartition("/")[2]
                answers[name] = answer.read()
            if "runs/create" in words[-1]:
                run_id = json.loads(answers["create"])["run"]["info"]["run_id"]
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
            counters = answer.read().decode()
    assert [found["info"]["run_id"] for found in json.loads(answers["search"])["runs"]] == [run_id]
    assert [point["value"] for point in json.loads(answers["get-history"])["metrics"]] == [0.9, "NaN", 0.4]
    assert answers["get-artifact"] == b"All went well.\n"
    assert json.loads(answers["versions"])["versions"][0]["version"] == 1
    assert answers["zip"][:2] == b"PK"
    assert json.loads(answers["openapi.json"])["openapi"] == "3.1.0"
    page = (DOCS / "how-to/run-a-server.md").read_text(encoding="utf-8")
    counted = re.findall(r"^# TYPE (stele_\w+)(?<!_created) ", counters, re.MULTILINE)
    assert sorted(counted) == sorted(re.findall(r"^\| `(stele_\w+)` \|", page, re.MULTILINE))
    entries = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    fields = re.findall(r"^\| `(\w+)` \|", page.partition("--log-format json` a line")[2], re.MULTILINE)
    assert fields == list(entries[-1])
