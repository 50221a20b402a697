"""Promotion gates and model cards."""

import math

import pytest

import stele
from stele.errors import Conflict, DoesNotExist, InvalidParameterValue, PermissionDenied


def version(auc, *, on_model=True, name="fraud"):
    """A version whose model has a metric."""
    with stele.start_run():
        model = stele.initialize_logged_model("net", params={"depth": 3})
        if auc is not None:
            stele.log_metric("auc", auc, model_id=model.model_id if on_model else None, synchronous=True)
    stele.finalize_logged_model(model.model_id, "READY")
    return stele.register_model(model.model_uri, name).version


def champion():
    return stele.Client().get_registered_model("fraud").aliases.get("champion")


def test_the_first_champion_needs_the_minimum_only():
    version(0.9)
    refused = stele.registry.promote("fraud", "1", metric="auc", min=0.95, max_drop=0.02)
    assert (refused.decision, bool(refused), refused.candidate_value, refused.champion) == ("refused", False, 0.9, None)
    assert refused.reasons == ["auc is 0.9, less than the 0.95 that is demanded"]
    assert champion() is None
    done = stele.registry.promote("fraud", 1, metric="auc", min=0.85, max_drop=0.02)
    assert (done.decision, bool(done), champion()) == ("promoted", True, "1")
    assert not stele.registry.promote("fraud", 1, metric="auc", min=0.95)
    again = stele.registry.promote("fraud", 1, metric="auc", min=0.85)
    assert (again.decision, bool(again)) == ("unchanged", True)


@pytest.mark.parametrize(
    ("value", "options", "decision"),
    [
        (0.97, {"max_drop": 0}, "promoted"),
        (0.94, {"max_drop": 0.02}, "promoted"),
        (0.94, {"max_drop": 0.005}, "refused"),
        (0.94, {"min": 0.9}, "promoted"),
        (0.97, {"max_drop": 0.01, "higher_is_better": False}, "refused"),
        (0.94, {"max_drop": 0, "higher_is_better": False}, "promoted"),
        (0.94, {"max": 0.9}, "refused"),
        (None, {"min": 0.1}, "refused"),
        (math.nan, {"min": 0.1}, "refused"),
        (math.nan, {"max_drop": 1}, "refused"),
    ],
)
def test_gates(value, options, decision):
    version(0.95)
    version(value)
    stele.Client().set_registered_model_alias("fraud", "champion", "1")
    result = stele.registry.promote("fraud", "2", metric="auc", **options)
    assert result.decision == decision
    assert (result.champion, result.champion_value) == ("1", 0.95)
    assert champion() == ("2" if decision == "promoted" else "1")
    assert result.reasons


def test_the_metric_of_the_run_counts_when_the_model_has_none():
    version(0.95, on_model=False)
    assert stele.registry.promote("fraud", "1", metric="auc", min=0.9).candidate_value == 0.95


def test_a_champion_without_the_metric_cannot_be_compared_with():
    version(None)
    version(0.99)
    stele.Client().set_registered_model_alias("fraud", "champion", "1")
    result = stele.registry.promote("fraud", "2", metric="auc", max_drop=0.1)
    assert (result.decision, champion()) == ("refused", "1")
    assert "version 1" in result.reasons[0]


def test_what_is_no_version_yet_is_registered_when_it_has_passed():
    with stele.start_run() as run:
        model = stele.initialize_logged_model("net")
        stele.log_metric("auc", 0.9, synchronous=True)
    refused = stele.registry.promote("fraud", model.model_uri, metric="auc", min=0.99)
    assert (refused.candidate, stele.search_registered_models()) == (None, [])
    for candidate in (model.model_uri, model, f"runs:/{run.info.run_id}/net", run):
        trial = stele.registry.promote("fraud", candidate, metric="auc", min=0.5, dry_run=True)
        assert (trial.decision, trial.candidate_value, champion_or_none()) == ("passed", 0.9, None)
    assert stele.registry.promote("fraud", run, metric="auc", min=0.5).candidate == "1"
    assert champion() == "1"


def champion_or_none():
    return champion() if stele.search_registered_models() else None


def test_a_version_of_another_model_becomes_one_of_this():
    version(0.9, name="staging")
    done = stele.registry.promote("fraud", "models:/staging/1", metric="auc", min=0.5, reason="tested by hand")
    assert (done.candidate, champion()) == ("1", "1")
    (event,) = stele.Client().search_registry_events("fraud", kinds=["alias_set"])
    assert event.reason == "auc is 0.9. tested by hand"
    assert stele.Client().get_model_version("fraud", "1").source == "models:/staging/1"


def test_somebody_was_faster(monkeypatch):
    version(0.9)
    version(0.95)
    version(0.99)
    client = stele.Client()
    client.set_registered_model_alias("fraud", "champion", "1")
    real = stele.Client.set_registered_model_alias

    def late(self, *arguments, **options):
        real(client, "fraud", "champion", "3")
        return real(self, *arguments, **options)

    monkeypatch.setattr(stele.Client, "set_registered_model_alias", late)
    with pytest.raises(Conflict):
        stele.registry.promote("fraud", "2", metric="auc", max_drop=0.0)
    assert champion() == "3"


def test_a_protected_alias_needs_an_approval():
    version(0.9)
    stele.Client().protect("fraud", alias="champion")
    with pytest.raises(PermissionDenied):
        stele.registry.promote("fraud", "1", metric="auc", min=0.5)
    asked = stele.registry.promote("fraud", "1", metric="auc", min=0.5, request_approval=True)
    assert (asked.decision, bool(asked), champion()) == ("requested", False, None)
    request = stele.Client().get_approval_request(asked.request_id)
    assert (request.subject, request.version, request.status) == ("champion", "1", "open")


def test_bad_promotions():
    version(0.9)
    with pytest.raises(InvalidParameterValue, match="gate"):
        stele.registry.promote("fraud", "1", metric="auc")
    with pytest.raises(InvalidParameterValue, match="neither"):
        stele.registry.promote("fraud", "s3://b/x", metric="auc", min=0)
    with pytest.raises(DoesNotExist):
        stele.registry.promote("fraud", "9", metric="auc", min=0)
    with stele.start_run() as run:
        pass
    with pytest.raises(InvalidParameterValue, match="no logged model"):
        stele.registry.promote("fraud", run, metric="auc", min=0)


def test_a_card_tells_everything(tmp_path):
    inputs = '[{"type": "double", "name": "age", "required": true}]'
    (tmp_path / "MLmodel").write_text(f"signature:\n  inputs: '{inputs}'\n")
    data = stele.data.from_numpy(__import__("numpy").zeros((2, 2)), name="train", digest="abc")
    with stele.start_run(run_name="amber") as run:
        stele.log_input(data, context="training")
        stele.log_param("lr", 0.1)
        model = stele.initialize_logged_model("net", params={"depth": 3}, model_type="tree")
        stele.log_metric("auc", 0.9, model_id=model.model_id, synchronous=True)
    stele.Client().log_model_artifact(model.model_id, str(tmp_path / "MLmodel"))
    stele.finalize_logged_model(model.model_id, "READY", "sha256:" + "0" * 64)
    stele.register_model(model.model_uri, "fraud")
    client = stele.Client()
    client.update_registered_model("fraud", "Finds fraud.")
    client.update_model_version("fraud", "1", "The first | good one.")
    client.set_registered_model_alias("fraud", "champion", "1", reason="it <b>is</b> good")
    card = stele.registry.card("fraud", "1")
    for part in (
        "# fraud, version 1",
        "Finds fraud.",
        "- Aliases: champion",
        "- Digest: sha256:000",
        "| auc | 0.9 |",
        "| depth | 3 |",
        "| lr | 0.1 |",
        "| train | abc | training |",
        "| inputs | age | double |",
        f"| run | amber ({run.info.run_id}), FINISHED |",
        "alias set champion: nothing to 1 | it \\<b\\>is\\</b\\> good |",
    ):
        assert part in card, part
    found = stele.registry.lineage("fraud", "1")
    assert (found.run.run_id, found.datasets[0].dataset.name) == (run.info.run_id, "train")


def test_a_card_of_files_from_elsewhere_is_short():
    client = stele.Client()
    client.create_registered_model("fraud")
    client.create_model_version("fraud", "s3://bucket/model")
    card = stele.registry.card("fraud", "1")
    assert "s3://bucket/model" in card
    assert "## Metrics" not in card
    with pytest.raises(DoesNotExist):
        stele.registry.card("fraud", "2")


def test_registry_has_no_other_names():
    with pytest.raises(AttributeError):
        stele.registry.nothing  # noqa: B018 - reading it is the test
