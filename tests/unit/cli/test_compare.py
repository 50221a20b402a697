"""``stele runs compare``."""

from __future__ import annotations

import math

import pytest

from stele.client import tag_names as names
from stele.client.client import Client


@pytest.fixture
def recorded(sweep):
    """Two runs whose source code and packages were recorded, and differ."""
    client = Client()
    for i, run_id in enumerate(sweep[:2]):
        client.set_tag(run_id, names.GIT_COMMIT, "c0ffee")
        client.set_tag(run_id, names.GIT_BRANCH, ("main", "fix")[i])
        client.set_tag(run_id, names.PYTHON_VERSION, "3.11.7")
        client.log_text(run_id, f"same\n-lr = 1\n+lr = {i + 2}\n", "environment/git.diff")
        client.log_text(
            run_id, f"numpy==2.{i}\npandas==3.0\n" + ("torch==2.9\n" if i else ""), "environment/requirements.txt"
        )
        client.log_dict(run_id, {"cpu_count": 2 + i, "gpus": ["A", "B"]}, "environment/environment.json")
    return sweep[:2]


def test_only_differences_are_kept(cli_json, recorded):
    found = cli_json("runs", "compare", *recorded)
    assert [run["run_id"] for run in found["runs"]] == recorded
    assert found["params"] == {"model": ["forest", "boost"]}
    assert found["metrics"] == {"auc": [0.8, 0.81]}
    assert found["changes"]["auc"][0] is None
    assert found["changes"]["auc"][1] == pytest.approx(0.01)
    assert found["code"] == {"branch": ["main", "fix"]}
    assert found["environment"] == {"cpu count": [2, 3]}
    assert found["packages"] == {"numpy": ["2.0", "2.1"], "torch": [None, "2.9"]}
    assert found["tags"] == {}


def test_the_uncommitted_changes_are_compared_line_by_line(cli, cli_json, recorded):
    first, change = cli_json("runs", "compare", *recorded)["code_changes"]
    assert first is None
    assert change.splitlines()[-2:] == ["-+lr = 2", "++lr = 3"]
    assert "++lr = 3" in cli("runs", "compare", *recorded).stdout


def test_everything_is_kept_on_demand(cli_json, recorded):
    found = cli_json("runs", "compare", *recorded, "--all")
    assert found["params"]["seed"] == ["42", "42"]
    assert found["metrics"]["rows"] == [1000.0, 1000.0]
    assert found["code"]["commit"] == ["c0ffee", "c0ffee"]
    assert found["environment"]["gpus"] == ["A, B", "A, B"]
    assert found["packages"]["pandas"] == ["3.0", "3.0"]


def test_three_runs_are_compared_with_the_first(cli, cli_json, sweep):
    Client().log_metric(sweep[2], "only here", 1)
    found = cli_json("runs", "compare", *sweep[:3])
    assert found["metrics"]["only here"] == [None, None, 1.0]
    assert found["changes"]["auc"] == [None, pytest.approx(0.01), pytest.approx(0.02)]
    header = next(line for line in cli("runs", "compare", *sweep[:3]).stdout.splitlines() if line.startswith("METRIC"))
    assert header.split() == ["METRIC", "FOREST-0", "BOOST-1", "CHANGE", "LINEAR-2", "CHANGE"]


def test_runs_that_do_not_differ_say_so(cli, workplace):
    client = Client()
    runs = [client.create_run("0", run_name="same").info.run_id for _ in range(2)]
    for run_id in runs:
        client.log_metric(run_id, "loss", math.nan)
    assert "do not differ" in cli("runs", "compare", *runs).stdout


def test_files_that_cannot_be_read_are_no_error(cli, recorded, workplace):
    import shutil

    shutil.rmtree(workplace / "stele-artifacts")
    assert "forest" in cli("runs", "compare", *recorded).stdout


def test_two_different_runs_are_needed(cli, sweep):
    assert "two runs" in cli("runs", "compare", sweep[0], code=2).stderr
    assert "once" in cli("runs", "compare", sweep[0], sweep[0], code=2).stderr
