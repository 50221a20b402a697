"""``stele experiments``."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pytest

from stele.cli import csv_export
from stele.client.client import Client


def test_list_shows_names_and_whole_values_in_a_pipe(cli, sweep):
    lines = cli("experiments", "list").stdout.splitlines()
    assert lines[0].split() == ["ID", "NAME", "CREATED", "TAGS", "ARTIFACT_LOCATION", "CHANGED"]
    assert [line.split()[1] for line in lines[1:]] == ["churn", "Default"]
    assert "team=risk" in lines[1]
    assert "\t" not in "".join(lines)
    assert "\x1b" not in "".join(lines)


def test_list_as_json_has_the_fields_of_the_wire(cli_json, sweep):
    found = cli_json("experiments", "list")
    assert [each["name"] for each in found] == ["churn", "Default"]
    assert found[0]["tags"] == [{"key": "team", "value": "risk"}]
    assert found[0]["lifecycle_stage"] == "active"


def test_list_says_when_there_is_more(cli, sweep):
    result = cli("experiments", "list", "--max-results", "1")
    assert len(result.stdout.splitlines()) == 2
    assert "--max-results" in result.stderr


def test_search_finds_by_tag_and_orders(cli, cli_json, sweep):
    assert [each["name"] for each in cli_json("experiments", "search", "--filter", "tags.team = 'risk'")] == ["churn"]
    ordered = cli_json("experiments", "search", "--order-by", "name ASC")
    assert [each["name"] for each in ordered] == ["Default", "churn"]
    assert "No experiment found" in cli("experiments", "search", "--filter", "name = 'nobody'").stderr


def test_a_filter_that_cannot_be_read_is_pointed_at(cli):
    result = cli("experiments", "search", "--filter", "name ==", code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert "^" in result.stderr


def test_an_experiment_is_named_by_id_by_name_or_by_option(cli_json, sweep):
    for words in (["churn"], ["1"], ["-x", "1"], ["-n", "churn"]):
        assert cli_json("experiments", "get", *words)["name"] == "churn"
    made = cli_json("experiments", "create", "77")["experiment_id"]  # a name made of digits
    assert cli_json("experiments", "get", "77")["experiment_id"] == made


@pytest.mark.parametrize("words", [[], ["churn", "-x", "1"], ["-x", "1", "-n", "churn"]])
def test_an_experiment_has_to_be_named_once(cli, sweep, words):
    assert "Name one experiment" in cli("experiments", "get", *words, code=2).stderr


def test_what_is_not_there_is_said_in_one_line(cli):
    result = cli("experiments", "get", "nobody", code=1)
    assert result.stderr == "Error: No experiment has the id or name 'nobody'.\n"


def test_create_get_rename_delete_restore(cli, cli_json):
    cli("experiments", "create", "-n", "a", "-l", "/tmp/elsewhere", "--tag", "team=risk")
    found = cli_json("experiments", "get", "a")
    assert found["artifact_location"] == "/tmp/elsewhere"
    shown = cli("experiments", "get", "a").stdout
    assert "/tmp/elsewhere" in shown
    assert "team" in shown
    number = found["experiment_id"]
    cli("experiments", "rename", number, "b b")
    cli("experiments", "rename", "-x", number, "--new-name", "c")
    cli("experiments", "rename", "-n", "c", "d")
    assert cli_json("experiments", "get", number)["name"] == "d"
    cli("experiments", "delete", "-x", number)
    assert cli_json("experiments", "list", "--view", "deleted_only")[0]["name"] == "d"
    cli("experiments", "restore", "-x", number)
    assert cli_json("experiments", "get", number)["lifecycle_stage"] == "active"


def test_create_refuses_two_names_a_taken_one_and_a_tag_without_value(cli):
    cli("experiments", "create", "a", "-n", "b", code=2)
    cli("experiments", "create", code=2)
    assert "exists already" in cli("experiments", "create", "Default", code=1).stderr
    assert "key=value" in cli("experiments", "create", "x", "--tag", "oops", code=2).stderr


def test_archive_and_back(cli, cli_json, sweep):
    cli("experiments", "archive", "churn")
    assert cli_json("experiments", "get", "1")["name"] == "_archived/churn"
    cli("experiments", "archive", "churn", "--restore")
    assert cli_json("experiments", "get", "1")["name"] == "churn"
    cli("experiments", "archive", "-x", "1")
    cli("experiments", "archive", "-x", "1", "--restore")
    assert cli_json("experiments", "get", "1")["name"] == "churn"


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_row_per_run_and_a_column_per_key(cli, sweep, workplace):
    Client().log_param(sweep[0], "odd", 'a,"b"\nc')
    result = cli("experiments", "csv", "-x", "1", "-o", "runs.csv")
    rows = rows_of((workplace / "runs.csv").read_text())
    assert [row["run_id"] for row in rows] == sweep[::-1]
    assert rows[0]["metrics.auc"] == "0.83"
    assert rows[0]["params.odd"] == ""
    assert rows[-1]["params.odd"] == 'a,"b"\nc'
    assert rows[-1]["start_time"] == "2026-01-01 00:00:00.000+00:00"
    assert "4 runs" in result.stderr
    filtered = rows_of(cli("experiments", "csv", "churn", "--filter", "metrics.auc > 0.82").stdout)
    assert [row["run_id"] for row in filtered] == sweep[3:]


def test_csv_equals_what_pandas_makes_of_the_same_runs(cli, sweep):
    import pandas as pd

    from stele.client.search import search_runs

    text = cli("experiments", "csv", "churn").stdout
    ours = pd.read_csv(io.StringIO(text), parse_dates=["start_time", "end_time"])
    theirs = search_runs(["1"])
    assert list(ours.columns) == list(theirs.columns)
    assert (ours["metrics.auc"] == theirs["metrics.auc"]).all()
    assert (ours["start_time"] == theirs["start_time"]).all()


def test_csv_holds_a_page_and_not_all_runs(cli, workplace, monkeypatch):
    client = Client()
    number = client.create_experiment("many")
    for _ in range(120):
        run = client.create_run(number)
        client.log_param(run.info.run_id, "text", "x" * 6_000)
    monkeypatch.setattr(csv_export, "DEFAULT_PAGE", 10)
    monkeypatch.setattr(csv_export, "_BYTES_IN_MEMORY", 1_000)
    cli("experiments", "csv", "many", "-o", "first.csv")  # what is made once does not count
    tracemalloc.start()
    cli("experiments", "csv", "many", "-o", "runs.csv")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows_of((workplace / "runs.csv").read_text())) == 120
    assert peak < 120 * 6_000


def test_a_file_that_cannot_be_written_is_said_in_one_line(cli, sweep):
    assert "missing/runs.csv" in cli("experiments", "csv", "-x", "1", "-o", "missing/runs.csv", code=1).stderr
