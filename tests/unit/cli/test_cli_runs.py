"""``stele runs``."""

from __future__ import annotations

import json
import math

import pytest

from stele.cli.run_columns import default_columns
from stele.client.client import Client


def column(text: str, title: str) -> list[str]:
    """The cells below a title in plain output whose cells hold no double spaces."""
    header, *rows = text.splitlines()
    start = header.index(title)
    return [row[start:].split()[0] for row in rows]


def test_list_shows_whole_ids_in_a_pipe_newest_first(cli, sweep):
    text = cli("runs", "list", "-x", "1").stdout
    assert column(text, "RUN") == sweep[::-1]
    assert column(text, "MODEL") == ["svm", "linear", "boost", "forest"]
    assert "SEED" not in text  # the same in all runs
    assert "2026-01-01T00:03:00.000Z" in text
    assert "1.500s" in text


def test_list_orders_as_the_documents_write_it(cli, sweep):
    assert column(cli("runs", "list", "-x", "1", "--order-by", "start_time", "DESC").stdout, "RUN") == sweep[::-1]
    assert column(cli("runs", "list", "-x", "1", "--order-by", "start_time", "asc").stdout, "RUN") == sweep
    assert column(cli("runs", "list", "--order-by", "metrics.auc ASC").stdout, "RUN") == sweep
    assert "--order-by" in cli("runs", "list", "DESC", code=2).stderr


def test_list_filters_and_limits(cli, cli_json, sweep):
    found = cli_json("runs", "list", "-n", "churn", "--filter", "metrics.auc > 0.805", "--order-by", "metrics.auc DESC")
    assert [run["info"]["run_id"] for run in found] == sweep[:0:-1]
    result = cli("runs", "list", "--max-results", "2")
    assert len(result.stdout.splitlines()) == 3
    assert "more than these 2" in result.stderr


def test_list_without_experiment_looks_everywhere(cli, sweep):
    Client().create_run("0", run_name="lonely")
    text = cli("runs", "list").stdout
    assert "lonely" in text
    assert set(column(text, "EXPERIMENT")) == {"Default", "churn"}
    assert "lonely" not in cli("runs", "list", "-n", "churn").stdout
    assert "No run found" in cli("runs", "list", "--filter", "metrics.none > 1").stderr


def test_list_takes_pages_until_it_has_enough(cli_json, sweep, monkeypatch):
    monkeypatch.setattr("stele.cli.finding.DEFAULT_PAGE", 2)
    assert len(cli_json("runs", "list")) == 4
    assert len(cli_json("runs", "list", "--max-results", "3")) == 3


def test_columns_are_chosen(cli, cli_json, sweep):
    words = ["runs", "list", "--columns", "id,name,metrics.auc, duration ,params.none"]
    assert cli(*words).stdout.splitlines()[0].split() == ["RUN", "NAME", "AUC", "DURATION", "NONE"]
    assert cli_json(*words)[0] == {
        "run_id": sweep[-1],
        "name": "svm-3",
        "metrics.auc": 0.83,
        "duration": 1500,
        "params.none": None,
    }
    assert "is no column" in cli("runs", "list", "--columns", "nonsense", code=2).stderr


def test_deleted_runs_are_listed_on_demand(cli, cli_json, sweep):
    cli("runs", "delete", sweep[0])
    assert len(cli_json("runs", "list")) == 3
    assert [run["info"]["run_id"] for run in cli_json("runs", "list", "--view", "deleted_only")] == [sweep[0]]
    assert "deleted" in cli("runs", "list", "--view", "all").stdout
    cli("runs", "restore", "--run-id", sweep[0])
    assert len(cli_json("runs", "list")) == 4


def test_default_columns_tell_the_runs_apart(sweep):
    client = Client()
    runs = [client.get_run(run_id) for run_id in sweep]
    names = default_columns(runs, ["params.seed", "metrics.auc DESC"], {"1": "churn"}, "active_only")
    assert names[5:] == ["params.seed", "metrics.auc", "metrics.rows", "params.model"]


def test_a_run_is_named_by_the_beginning_of_its_id(cli_json, sweep):
    assert cli_json("runs", "describe", sweep[2][:10])["info"]["run_id"] == sweep[2]


def test_a_beginning_that_fits_several_runs_is_refused(cli, cli_json, workplace):
    client = Client()
    ids: dict[str, str] = {}
    while True:  # sixteen to the power of four beginnings: a few hundred runs share one
        run_id = client.create_run("0").info.run_id
        if run_id[:4] in ids:
            break
        ids[run_id[:4]] = run_id
    result = cli("runs", "describe", run_id[:4], code=1)
    assert run_id in result.stderr
    assert ids[run_id[:4]] in result.stderr
    assert "No run has the id" in cli("runs", "describe", "abc", code=1).stderr
    assert "No run has the id" in cli("runs", "describe", "x' OR '", code=1).stderr


def test_describe_as_json_is_the_run(cli_json, sweep):
    Client().log_metric(sweep[0], "bad", math.nan)
    found = cli_json("runs", "describe", "--run-id", sweep[0])
    assert found["data"]["params"] == {"model": "forest", "seed": "42"}
    assert found["data"]["metrics"] == {"auc": 0.8, "bad": "NaN", "rows": 1000.0}


def test_describe_has_every_section(cli, sweep, workplace):
    client = Client()
    client.set_tag(sweep[0], "mlflow.source.git.commit", "c0ffee")
    client.set_tag(sweep[0], "mlflow.source.git.branch", "main")
    client.set_tag(sweep[0], "mlflow.source.git.dirty", "true")
    client.set_tag(sweep[0], "team", "risk")
    client.log_text(sweep[0], "hello", "notes/a.txt")
    client.log_text(sweep[0], "hello", "top.txt")
    text = cli("runs", "describe", sweep[0]).stdout
    for part in (
        "forest-0",
        "churn (id 1)",
        "c0ffee on main with changes",
        "Metrics",
        "0.8",
        "Params",
        "Tags",
        "risk",
        "notes/",
        "top.txt",
        "1.5 s",
    ):
        assert part in text
    assert "none" in cli("runs", "describe", sweep[1]).stdout


def test_a_run_has_to_be_named_once(cli, sweep):
    assert "Name one run" in cli("runs", "describe", code=2).stderr
    assert "Name one run" in cli("runs", "describe", sweep[0], "-r", sweep[1], code=2).stderr


def test_a_name_cannot_steer_the_terminal(cli, workplace):
    Client().create_run("0", run_name="\x1b[2Jevil\nname", tags={"a": "\x1b]0;x\x07"})
    run_id = cli("runs", "list", "--columns", "id").stdout.splitlines()[1]
    for words in (["list"], ["describe", run_id]):
        text = cli("runs", *words).stdout
        assert "\x1b" not in text
        assert "\x07" not in text
    assert "\\x1b[2Jevil\\nname" in text


def test_create_makes_a_finished_run(cli, cli_json, sweep):
    run_id = cli("runs", "create", "-n", "churn", "--run-name", "by hand", "-t", "reviewer=ann").stdout.strip()
    found = cli_json("runs", "describe", run_id)
    assert found["info"]["run_name"] == "by hand"
    assert found["info"]["status"] == "FINISHED"
    assert found["data"]["tags"]["reviewer"] == "ann"
    words = ["runs", "create", "-x", "1", "--status", "running", "--parent-run-id", run_id, "--description", "why"]
    child = cli_json(*words)
    assert child["info"]["status"] == "RUNNING"
    assert child["data"]["tags"]["mlflow.parentRunId"] == run_id
    assert child["data"]["tags"]["mlflow.note.content"] == "why"


@pytest.mark.parametrize(
    "words", [["runs"], ["runs", "list"], ["runs", "compare"], ["experiments", "csv"], ["artifacts"]]
)
def test_help_teaches_by_example(cli, words):
    text = cli(*words, "--help").stdout
    assert f"\n  stele {' '.join(words)}" in text
    assert "\\b" not in text


def test_rewind_and_undo(cli):
    client = Client()
    run_id = client.create_run("0", run_name="training").info.run_id
    for step in range(5):
        client.log_metric(run_id, "loss", float(step), step=step)
    assert "not rewound" in cli("runs", "rewind", run_id, "--list").stdout
    assert "3 points" in cli("runs", "rewind", run_id, "1").stdout
    assert [point.step for point in client.get_metric_history(run_id, "loss")] == [0, 1]
    assert "shows 3 points again" in cli("runs", "rewind", run_id, "--undo").stdout
    assert len(client.get_metric_history(run_id, "loss")) == 5
    assert cli("runs", "rewind", run_id, "--list").stdout.split()[:5] == ["STEP", "BY", "WHEN", "UNDONE", "1"]
    (listed,) = json.loads(cli("runs", "rewind", run_id, "--list", "--json").stdout)
    assert (listed["step"], listed["principal"] != "", listed["undone_time"] >= listed["creation_time"]) == (
        1,
        True,
        True,
    )
    for words in ([], ["1", "--undo"], ["--undo", "--list"]):
        assert "--undo" in cli("runs", "rewind", run_id, *words, code=2).stderr
    assert "no rewind" in cli("runs", "rewind", run_id, "--undo", code=1).stderr
