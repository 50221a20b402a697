import os

import pytest

import stele
from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue


def test_runs_go_to_the_experiment_that_was_set():
    experiment = stele.set_experiment("prices")
    assert stele.set_experiment("prices") == experiment
    with stele.start_run() as run:
        assert run.info.experiment_id == experiment.experiment_id
    stele.set_experiment(experiment_id="0")
    with stele.start_run() as run:
        assert run.info.experiment_id == "0"


@pytest.mark.parametrize("arguments", [{}, {"experiment_name": "a", "experiment_id": "0"}])
def test_set_experiment_takes_a_name_or_an_id(arguments):
    with pytest.raises(InvalidParameterValue, match="either"):
        stele.set_experiment(**arguments)


def test_a_deleted_experiment_cannot_be_set():
    experiment_id = stele.create_experiment("gone")
    stele.delete_experiment(experiment_id)
    with pytest.raises(InvalidParameterValue, match="restore_experiment"):
        stele.set_experiment("gone")
    stele.restore_experiment(experiment_id)
    assert stele.set_experiment("gone").experiment_id == experiment_id


def test_the_environment_names_the_experiment(monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from the environment")
    with stele.start_run() as run:
        pass
    assert stele.get_experiment(run.info.experiment_id).name == "from the environment"


def test_the_environment_gives_the_id(monkeypatch):
    experiment_id = stele.create_experiment("by id")
    monkeypatch.setenv("STELE_EXPERIMENT_ID", experiment_id)
    with stele.start_run() as run:
        assert run.info.experiment_id == experiment_id


def test_child_processes_inherit_the_experiment():
    experiment = stele.set_experiment("prices")
    assert os.environ["STELE_EXPERIMENT_NAME"] == "prices"
    assert os.environ["STELE_EXPERIMENT_ID"] == experiment.experiment_id


def test_the_experiment_follows_to_another_store_by_name():
    stele.set_experiment("prices")
    stele.create_experiment("other")
    stele.set_tracking_uri("sqlite:///second.db")
    with stele.start_run() as run:
        pass
    assert stele.get_experiment(run.info.experiment_id).name == "prices"


def test_names_are_unique():
    stele.create_experiment("one", tags={"team": "risk"})
    with pytest.raises(AlreadyExists):
        stele.create_experiment("one")
    assert stele.get_experiment_by_name("one").tags == {"team": "risk"}
    assert stele.get_experiment_by_name("two") is None


def test_tags_of_the_current_experiment():
    stele.set_experiment("one")
    stele.set_experiment_tags({"a": 1, "b": 2})
    stele.delete_experiment_tag("a")
    assert stele.get_experiment_by_name("one").tags == {"b": "2"}


class TestTagPolicy:
    def test_a_new_experiment_without_the_tag_is_not_made(self):
        with pytest.raises(InvalidParameterValue, match="team"):
            stele.set_experiment("fraud", required_tags=["team"])
        assert stele.get_experiment_by_name("fraud") is None

    def test_a_new_experiment_gets_its_tags(self):
        experiment = stele.set_experiment("fraud", tags={"team": "risk"}, required_tags=["team"])
        assert experiment.tags == {"team": "risk"}

    def test_an_old_experiment_must_have_the_tag_or_get_it(self):
        stele.create_experiment("fraud", tags={"team": " "})
        with pytest.raises(InvalidParameterValue, match="team"):
            stele.set_experiment("fraud", required_tags=["team"])
        assert stele.set_experiment("fraud", tags={"team": "risk"}, required_tags=["team"]).tags == {"team": "risk"}
        stele.set_experiment("fraud", required_tags=["team"])

    def test_all_experiments_can_be_checked(self):
        stele.create_experiment("good", tags={"team": "risk"})
        assert [experiment.name for experiment in stele.check_experiment_tags(["team"])] == ["good"]
        stele.create_experiment("bad", tags={"owner": "ann"})
        stele.archive_experiment(stele.create_experiment("old"))
        with pytest.raises(InvalidParameterValue, match=r"1 of 2 .*'bad' lacks team"):
            stele.check_experiment_tags(["team", "owner"][:1])
        stele.check_experiment_tags(["team"], filter_string="name = 'good'")


class TestArchive:
    def test_an_experiment_can_be_archived_and_brought_back(self):
        stele.create_experiment("old")
        archived = stele.archive_experiment("old")
        assert archived.name == "_archived/old"
        assert "stele.archived_at" in archived.tags
        assert stele.archive_experiment("_archived/old") == archived
        restored = stele.restore_archived_experiment("old")
        assert (restored.name, restored.tags) == ("old", {})

    def test_an_id_will_do(self):
        experiment_id = stele.create_experiment("old")
        assert stele.archive_experiment(experiment_id).experiment_id == experiment_id
        assert stele.restore_archived_experiment(experiment_id).name == "old"

    def test_the_name_may_be_taken_meanwhile(self):
        stele.create_experiment("old")
        stele.archive_experiment("old")
        stele.create_experiment("old")
        with pytest.raises(AlreadyExists):
            stele.restore_archived_experiment("old")

    def test_what_is_not_there_cannot_be_archived_or_restored(self):
        with pytest.raises(DoesNotExist):
            stele.archive_experiment("999")
        stele.create_experiment("active")
        with pytest.raises(DoesNotExist, match="not archived"):
            stele.restore_archived_experiment("active")

    def test_a_name_that_would_become_too_long_is_refused(self):
        stele.create_experiment("x" * 495)
        with pytest.raises(InvalidParameterValue, match="too long"):
            stele.archive_experiment("x" * 495)


def test_search_goes_over_all_pages():
    for i in range(7):
        stele.create_experiment(f"e{i}")
    assert len(stele.search_experiments()) == 8
    assert len(stele.search_experiments(max_results=5)) == 5
    assert [e.name for e in stele.search_experiments(filter_string="name = 'e3'")] == ["e3"]
    page = stele.Client().search_experiments(max_results=3, order_by=["name ASC"])
    rest = stele.Client().search_experiments(max_results=50, order_by=["name ASC"], page_token=page.token)
    assert [e.name for e in page + rest] == ["Default", *(f"e{i}" for i in range(7))]
    assert rest.token is None
