"""``stele registry``."""

from __future__ import annotations

import pytest

import stele
from stele.client.client import Client
from stele.stores.base import ACTOR


@pytest.fixture
def fraud():
    """A registered model with two versions, of a model with an AUC of 0.9 and one of 0.95."""
    for auc in (0.9, 0.95):
        with stele.start_run(run_name="amber"):
            model = stele.initialize_logged_model("net")
            stele.log_metric("auc", auc, model_id=model.model_id, synchronous=True)
        stele.register_model(model.model_uri, "fraud", tags={"auc": auc})
    client = Client()
    client.set_registered_model_tag("fraud", "team", "risk")
    client.create_registered_model("scam")
    return client


def test_models_are_listed_and_searched(cli, cli_json, fraud):
    lines = cli("registry", "list").stdout.splitlines()
    assert lines[0].split() == ["NAME", "NEWEST", "ALIASES", "CHANGED", "TAGS"]
    assert [line.split()[0] for line in lines[1:]] == ["fraud", "scam"]
    assert [model["name"] for model in cli_json("registry", "search", "--filter", "tags.team = 'risk'")] == ["fraud"]
    assert "more" in cli("registry", "list", "--max-results", "1").stderr
    assert "No registered model" in cli("registry", "search", "--filter", "name = 'x'").stderr


def test_a_model_is_described_and_its_versions_are_listed(cli, cli_json, fraud):
    fraud.set_registered_model_alias("fraud", "champion", "1")
    fraud.protect("fraud", stage="Production")
    shown = cli("registry", "describe", "fraud").stdout
    assert "team=risk" in shown
    assert "champion" in shown
    assert "stage Production" in shown
    assert cli_json("registry", "describe", "fraud")["aliases"] == [{"alias": "champion", "version": "1"}]
    lines = cli("registry", "versions", "fraud").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["2", "1"]
    assert "champion" in lines[2]
    assert [item["version"] for item in cli_json("registry", "versions", "fraud", "--filter", "tags.auc = '0.9'")] == [
        "1"
    ]
    assert cli("registry", "describe", "none", code=1).stderr


def test_aliases_and_stages_are_moved(cli, fraud):
    cli("registry", "alias", "fraud", "champion", "1", "--reason", "first")
    assert fraud.get_model_version_by_alias("fraud", "champion").version == "1"
    cli("registry", "alias", "fraud", "champion", "--delete")
    assert fraud.get_registered_model("fraud").aliases == {}
    cli("registry", "alias", "fraud", "champion", code=2)
    cli("registry", "stage", "fraud", "1", "production")
    cli("registry", "stage", "fraud", "2", "production", "--archive-existing")
    assert fraud.get_model_version("fraud", "1").current_stage == "Archived"
    cli("registry", "stage", "fraud", "2", "Foo", code=1)


def test_a_promotion_tells_its_outcome_by_its_exit_code(cli, cli_json, fraud):
    gates = ("registry", "promote", "fraud", "1", "--metric", "auc")
    assert "less than" in cli(*gates, "--min", "0.99", code=3).stdout
    assert cli_json(*gates, "--min", "0.5", "--dry-run")["decision"] == "passed"
    assert cli_json(*gates, "--min", "0.5")["decision"] == "promoted"
    assert cli_json(*gates, "--min", "0.5")["decision"] == "unchanged"
    found = cli_json(
        "registry", "promote", "fraud", "2", "--metric", "auc", "--max-drop", "0.01", "--lower-is-better", code=3
    )
    assert (found["decision"], found["champion"], found["candidate_value"]) == ("refused", "1", 0.95)
    cli("registry", "promote", "fraud", "9", "--metric", "auc", "--min", "0.5", code=1)
    cli("registry", "promote", "fraud", "1", "--min", "0.5", code=2)
    fraud.protect("fraud", alias="champion")
    cli("registry", "promote", "fraud", "2", "--metric", "auc", "--min", "0.5", code=1)
    asked = cli_json("registry", "promote", "fraud", "2", "--metric", "auc", "--min", "0.5", "--request-approval")
    assert asked["decision"] == "requested"


def test_two_people_change_what_is_protected(cli, cli_json, fraud):
    cli("registry", "protect", "fraud", "--alias", "champion", "--reason", "it serves")
    cli("registry", "protect", "fraud", code=2)
    cli("registry", "alias", "fraud", "champion", "1", code=1)
    ACTOR.set("ann")
    number = fraud.request_approval("fraud", "set_alias", alias="champion", version="1", reason="good").request_id
    cli("registry", "protect", "fraud", "--alias", "champion", "--lift")
    cli("registry", "approve", number, code=1)
    ACTOR.set("bob")
    cli("registry", "comment", number, "why?")
    assert [item["comments"][0]["text"] for item in cli_json("registry", "requests", "fraud")[1:]] == ["why?"]
    cli("registry", "approve", number, "--reason", "agreed")
    assert fraud.get_model_version_by_alias("fraud", "champion").version == "1"
    (other,) = cli_json("registry", "requests", "--status", "open")
    assert "unprotect alias champion" in cli("registry", "requests").stdout
    cli("registry", "reject", other["request_id"])
    assert "no such request" in cli("registry", "requests", "--status", "open").stderr
    mine = fraud.request_approval("fraud", "set_alias", alias="champion", version="2").request_id
    ACTOR.set("ann")
    assert "alone can withdraw" in cli("registry", "withdraw", mine, code=1).stderr
    ACTOR.set("bob")
    cli("registry", "withdraw", mine, "--reason", "too early")
    (over,) = cli_json("registry", "requests", "--status", "withdrawn")
    assert (over["request_id"], over["decision_reason"]) == (mine, "too early")
    ACTOR.set("")
    lines = cli("registry", "events", "fraud", "--kind", "alias_set").stdout.splitlines()
    assert all(part in lines[1] for part in ("bob", "alias set champion", "good"))
    assert [event["kind"] for event in cli_json("registry", "events", "fraud", "--by", "ann")] == ["request_opened"] * 2


def test_lineage_and_card(cli, cli_json, fraud):
    fraud.set_registered_model_alias("fraud", "champion", "2")
    shown = cli("registry", "lineage", "fraud", "2").stdout
    assert "amber" in shown
    assert "champion" in shown
    assert cli_json("registry", "lineage", "fraud", "2")["version"]["version"] == "2"
    assert cli("registry", "card", "fraud", "2").stdout.startswith("# fraud, version 2\n")
