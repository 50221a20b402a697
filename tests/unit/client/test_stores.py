from pathlib import Path

import pytest

import stele
from stele.client import stores
from stele.errors import InvalidParameterValue


def test_without_a_uri_the_store_is_a_file_in_the_working_directory(workplace):
    assert not stele.is_tracking_uri_set()
    assert stele.get_tracking_uri() == "sqlite:///stele.db"
    with stele.start_run():
        stele.log_text("x", "a.txt")
    assert (workplace / "stele.db").is_file()
    assert (workplace / "stele-artifacts").is_dir()


@pytest.mark.parametrize("uri", ["runs", Path("runs"), "./runs/"])
def test_a_path_is_a_directory_with_a_store(uri, workplace):
    stele.set_tracking_uri(uri)
    assert stele.get_tracking_uri() == f"sqlite:///{workplace}/runs/stele.db"
    with stele.start_run():
        stele.log_text("x", "a.txt")
    assert {"stele-artifacts", "stele.db"} <= {path.name for path in (workplace / "runs").iterdir()}
    assert not (workplace / "stele-artifacts").exists()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://host:5000", "http://host:5000"),
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("/data/my.sqlite3", "sqlite:////data/my.sqlite3"),
    ],
)
def test_addresses(uri, expected):
    stele.set_tracking_uri(uri)
    assert stele.get_tracking_uri() == expected
    assert stele.is_tracking_uri_set()
    assert stele.get_registry_uri() == expected


@pytest.mark.parametrize("uri", ["file:./mlruns", "file:///tmp/mlruns", "databricks", "databricks://profile"])
def test_stores_that_stele_does_not_keep_are_refused_with_advice(uri):
    with pytest.raises(InvalidParameterValue, match=r"plain path|hosted"):
        stele.set_tracking_uri(uri)


def test_an_unknown_scheme_is_refused_when_it_is_used():
    stele.set_tracking_uri("mongodb://host/db")
    with pytest.raises(InvalidParameterValue, match="mongodb"):
        stele.search_experiments()


def test_the_environment_is_read_ours_first(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///theirs.db")
    assert stele.get_tracking_uri() == "sqlite:///theirs.db"
    monkeypatch.setenv("STELE_TRACKING_URI", "sqlite:///ours.db")
    assert stele.get_tracking_uri() == "sqlite:///ours.db"


def test_child_processes_inherit_what_was_set(workplace, monkeypatch):
    import os

    stele.set_tracking_uri("sqlite:///mine.db")
    assert os.environ["STELE_TRACKING_URI"] == "sqlite:///mine.db"
    stele.set_tracking_uri("")
    assert "STELE_TRACKING_URI" not in os.environ


def test_one_store_per_address():
    first = stores.open_store("sqlite:///a.db")
    assert stores.open_store("sqlite:///a.db") is first
    assert stores.open_store("sqlite:///b.db") is not first


def test_the_artifact_root_can_be_set(monkeypatch, workplace):
    monkeypatch.setenv("STELE_ARTIFACT_URI", str(workplace / "elsewhere"))
    with stele.start_run():
        stele.log_text("x", "a.txt")
        assert Path(stele.get_artifact_uri("a.txt")).is_relative_to(workplace / "elsewhere")


def test_a_client_keeps_its_store_and_hides_the_password():
    client = stele.Client("sqlite:///one.db")
    stele.set_tracking_uri("sqlite:///two.db")
    experiment_id = client.create_experiment("only in one")
    assert client.get_experiment(experiment_id).name == "only in one"
    assert stele.get_experiment_by_name("only in one") is None
    assert "secret" not in repr(stele.Client("postgresql://ann:secret@host/db"))


def test_an_active_run_stays_in_the_store_where_it_was_started():
    stele.set_tracking_uri("sqlite:///one.db")
    with stele.start_run() as run:
        stele.set_tracking_uri("sqlite:///two.db")
        stele.log_metric("x", 1)
    assert stele.Client("sqlite:///one.db").get_run(run.info.run_id).data.metrics == {"x": 1.0}
