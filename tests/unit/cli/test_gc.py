"""``stele gc``: what goes, what stays, and what happens when it is interrupted."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, event, text

from servers import stele_server
from stele.artifacts.local import LocalRepository
from stele.cli.gc_files import FilePlaces
from stele.client.client import Client
from stele.client.stores import close_stores, open_store
from stele.errors import DoesNotExist


@pytest.fixture
def trash(sweep, workplace: Path) -> list[str]:
    """The sweep with a file per run, the first three runs deleted."""
    client = Client()
    for run_id in sweep:
        client.log_text(run_id, "x" * 100, "notes/a.txt")
    for run_id in sweep[:3]:
        client.delete_run(run_id)
    return sweep


def exists(run_id: str) -> bool:
    try:
        Client().get_run(run_id)
    except DoesNotExist:
        return False
    return True


def test_deleted_runs_go_with_their_files(cli, trash, workplace):
    assert "Removed 3 runs and 0 experiments" in cli("gc", "--yes").stdout
    assert [exists(run_id) for run_id in trash] == [False, False, False, True]
    assert [path.name for path in (workplace / "stele-artifacts" / "1").iterdir()] == [trash[3]]
    assert Client().list_artifacts(trash[3], "notes")
    assert "Removed 0 runs" in cli("gc").stdout  # nothing to ask about


def test_a_dry_run_removes_nothing(cli, cli_json, trash):
    result = cli("gc", "--dry-run")
    assert "Would remove 3 runs and 0 experiments" in result.stdout
    assert all(run_id in result.stdout for run_id in trash[:3])
    assert cli_json("gc", "--dry-run")["runs"] == 3
    assert all(exists(run_id) for run_id in trash)


def test_nothing_goes_unasked(cli, trash):
    assert "--yes" in cli("gc", code=2).stderr
    assert all(exists(run_id) for run_id in trash)


def set_deleted_time(run_id: str, milliseconds: int) -> None:
    statement = text("UPDATE runs SET deleted_time = :time WHERE run_id = :run_id")
    open_store().db.write(lambda c: c.execute(statement, {"time": milliseconds, "run_id": run_id}))


def test_age_is_that_of_the_deletion(cli, trash):
    hour = 3_600_000
    now = time.time_ns() // 1_000_000
    set_deleted_time(trash[0], now - 26 * hour)
    set_deleted_time(trash[1], now - 24 * hour)
    cli("gc", "--older-than", "1d1h", "--yes")
    assert [exists(run_id) for run_id in trash] == [False, True, True, True]
    cli("gc", "--older-than", "23h59m", "--yes")
    assert [exists(run_id) for run_id in trash] == [False, False, True, True]


@pytest.mark.parametrize("age", ["", "1", "d", "1w", "1h1d", "1.2.3d", "-1d"])
def test_an_age_that_is_none_is_refused(cli, trash, age):
    assert "is no age" in cli("gc", f"--older-than={age}", "--yes", code=2).stderr
    assert exists(trash[0])


def test_named_runs_only(cli, trash):
    cli("gc", "--run-ids", f"{trash[0]}, {trash[2]}", "--yes")
    assert [exists(run_id) for run_id in trash] == [False, True, False, True]
    assert "is in use" in cli("gc", "--run-ids", trash[3], "--yes", code=1).stderr
    assert "No run has the id" in cli("gc", "--run-ids", trash[0], "--yes", code=1).stderr


def test_deleted_experiments_go_when_they_are_empty(cli, cli_json, trash, workplace):
    assert "is in use" in cli("gc", "--experiment-ids", "1", "--yes", code=1).stderr
    cli("experiments", "delete", "1")
    other = Client().create_run("0").info.run_id
    Client().delete_run(other)
    assert cli_json("gc", "--experiment-ids", "1", "--yes") == {
        "dry_run": False, "runs": 4, "models": 0, "experiments": 1, "bytes_freed": 0, "file_versions": 0,
        "file_bytes": 0, "forked": 0, "kept_count": 0, "kept": [],
    }  # fmt: skip
    assert exists(other)
    assert Client().get_experiment_by_name("churn") is None
    assert not (workplace / "stele-artifacts" / "1").exists()
    assert Client().create_experiment("churn") == "2"  # the name is free, the number is not used again


def test_an_experiment_with_a_run_that_is_in_use_stays(cli, trash):
    cli("experiments", "delete", "1")
    cli("runs", "restore", trash[3])
    result = cli("gc", "--yes", code=1)
    assert "Removed 3 runs and 0 experiments" in result.stdout
    assert "it has runs that stay" in result.stderr
    assert exists(trash[3])


def test_the_default_experiment_stays(cli, workplace):
    Client().delete_experiment("0")
    cli("gc", "--yes")
    assert Client().get_experiment("0").lifecycle_stage == "deleted"


def test_files_elsewhere_are_reported_and_not_touched(cli, cli_json, workplace, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    client = Client()
    experiment = client.create_experiment("there", artifact_location=str(elsewhere / "there"))
    run_id = client.create_run(experiment).info.run_id
    client.log_text(run_id, "x", "a.txt")
    client.delete_run(run_id)
    assert cli_json("gc", "--dry-run", code=1)["kept_count"] == 1
    result = cli("gc", "--yes", code=1)
    assert "its files lie elsewhere" in result.stderr
    assert str(elsewhere) in result.stderr
    assert exists(run_id)
    cli("gc", "--yes", "--leave-foreign-files")
    assert not exists(run_id)
    assert (elsewhere / "there" / run_id / "artifacts" / "a.txt").read_text() == "x"


def test_a_root_that_is_named_is_emptied(cli, workplace, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    client = Client()
    run_id = client.create_run(client.create_experiment("there", str(elsewhere / "there"))).info.run_id
    client.log_text(run_id, "x", "a.txt")
    client.delete_run(run_id)
    cli("gc", "--yes", "--default-artifact-root", elsewhere.as_uri())
    assert not exists(run_id)
    assert list((elsewhere / "there").iterdir()) == []


RUN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "uri",
    [
        "/base/files/../../etc/{run}/artifacts",
        "/base/files/{run}/artifacts/..",
        "/base/files-2/{run}/artifacts",
        "/base/files",
        "/base/files/artifacts",
        "/base/files/other/artifacts",
        "file://host/base/files/{run}/artifacts",
        "file:///base/files/%2e%2e/{run}/artifacts",
        "mlflow-artifacts:/../{run}/artifacts",
        "mlflow-artifacts:/%2e%2e/{run}/artifacts",
        "mlflow-artifacts://host/{run}/artifacts",
        "mlflow-artifacts:/0/other/artifacts",
        "s3://bucket/{run}/artifacts",
        "nonsense:/{run}/artifacts",
        "",
    ],
)
def test_a_hostile_place_has_a_reason_to_stay(uri):
    places = FilePlaces("/base/files", "/base/files")
    assert places.reason(uri.format(run=RUN), RUN)


@pytest.mark.parametrize(
    "uri",
    ["/base/files/0/{run}/artifacts", "file:///base/files/{run}/artifacts/", "mlflow-artifacts:/7/{run}/artifacts"],
)
def test_a_good_place_has_none(uri):
    assert FilePlaces("/base/files", "/base/files").reason(uri.format(run=RUN), RUN) == ""


def test_a_link_out_of_the_root_is_not_followed(cli, trash, workplace, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / trash[0]).mkdir()
    (outside / trash[0] / "precious").write_text("x")
    root = workplace / "stele-artifacts"
    shutil.rmtree(root / "1")
    (root / "1").symlink_to(outside)
    result = cli("gc", "--yes", code=1)
    assert "leads out of its root" in result.stderr
    assert (outside / trash[0] / "precious").read_text() == "x"
    assert exists(trash[0])


class Crash(BaseException):
    """The process dies."""


@pytest.mark.parametrize("step", range(1, 12))
def test_a_crash_at_any_point_is_carried_on(cli, trash, workplace, monkeypatch, step):
    count = 0

    def die(*_arguments):
        nonlocal count
        count += 1
        if count == step:
            raise Crash

    remove = FilePlaces.remove_run

    def remove_or_die(self, *arguments):
        die()
        remove(self, *arguments)

    monkeypatch.setattr(FilePlaces, "remove_run", remove_or_die)

    def before(_connection, _cursor, statement, *_rest):
        if statement.startswith("DELETE"):
            die()

    event.listen(Engine, "before_cursor_execute", before)
    try:
        with pytest.raises(Crash):
            cli("gc", "--yes")
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        close_stores()
    for run_id in trash[:3]:  # rows never go before files
        assert exists(run_id) or not (workplace / "stele-artifacts" / "1" / run_id).exists()
    monkeypatch.setattr(FilePlaces, "remove_run", remove)
    cli("gc", "--yes")
    assert [exists(run_id) for run_id in trash] == [False, False, False, True]
    assert [path.name for path in (workplace / "stele-artifacts" / "1").iterdir()] == [trash[3]]


def test_a_file_that_cannot_be_removed_keeps_its_run(cli, trash, workplace, monkeypatch):
    def refuse(_self, _uri, run_id):
        if run_id == trash[1]:
            raise PermissionError(13, "Permission denied", "/x")
        shutil.rmtree(workplace / "stele-artifacts" / "1" / run_id)

    monkeypatch.setattr(FilePlaces, "remove_run", refuse)
    result = cli("gc", "--yes", code=1)
    assert "Permission denied" in result.stderr
    assert [exists(run_id) for run_id in trash] == [False, True, False, True]


def test_space_goes_back_to_the_disk(cli, workplace):
    client = Client()
    run_id = client.create_run("0").info.run_id
    for i in range(80):
        client.log_param(run_id, f"p{i}", "x" * 6_000)
    client.delete_run(run_id)
    assert "smaller" in cli("gc", "--yes").stdout


@pytest.mark.xdist_group("processes")
def test_beside_a_server_that_is_running(cli, tmp_path_factory, workplace, monkeypatch):
    folder = tmp_path_factory.mktemp("server")
    with stele_server(folder) as server:
        monkeypatch.setenv("STELE_TRACKING_URI", server.url)
        client = Client()
        runs = [client.create_run("0").info.run_id for _ in range(2)]
        for run_id in runs:
            client.log_text(run_id, "x", "a.txt")
            client.log_metric(run_id, "m", 1.0)
        client.delete_run(runs[0])
        assert "works on the database behind it" in cli("gc", "--yes", code=1).stderr
        cli("gc", "--yes", "--backend-store-uri", f"sqlite:///{folder}/stele.db")
        assert [exists(run_id) for run_id in runs] == [False, True]
        client.log_metric(runs[1], "m", 2.0, step=1)
        assert [path.name for path in (folder / "stele-artifacts" / "0").iterdir()] == [runs[1]]


def test_a_database_that_is_not_there_is_not_made(cli, workplace):
    assert "There is no file" in cli("gc", "--yes", code=1).stderr
    assert list(workplace.iterdir()) == []


def test_deleted_models_go_with_their_files_but_registered_ones_stay(cli, cli_json, sweep, workplace):
    client = Client()
    experiment = client.get_run(sweep[0]).info.experiment_id
    (workplace / "w.txt").write_text("weights")
    models = [client.create_logged_model(experiment, f"m{i}", params={"a": 1}, tags={"t": 1}) for i in range(3)]
    for model in models:
        client.log_model_artifact(model.model_id, str(workplace / "w.txt"))
        client.log_metric(sweep[0], "auc", 1.0, model_id=model.model_id, synchronous=True)
    client.create_registered_model("fraud")
    client.create_model_version("fraud", models[1].model_uri, model_id=models[1].model_id)
    for model in models[:2]:
        client.delete_logged_model(model.model_id)
    assert cli_json("gc", "--dry-run")["models"] == 1
    assert "Removed 0 runs, 1 logged model and 0 experiments" in cli("gc", "--yes").stdout
    kept = sorted(path.name for path in (workplace / "stele-artifacts" / experiment / "models").iterdir())
    assert kept == sorted(model.model_id for model in models[1:])
    with pytest.raises(DoesNotExist):
        client.get_logged_model(models[0].model_id, allow_deleted=True)
    rows = "SELECT model FROM logged_model_params UNION ALL SELECT model FROM logged_model_tags UNION ALL"
    query = text(f"{rows} SELECT model FROM logged_model_metrics")
    assert len(open_store().db.read(lambda c: c.execute(query).all())) == 7
    client.delete_experiment(experiment)
    result = cli("gc", "--yes", code=1)
    assert "1 logged model and 0 experiments" in result.stdout
    assert "logged models that stay" in result.stderr
    assert client.get_logged_model(models[1].model_id, allow_deleted=True).name == "m1"
    client.delete_registered_model("fraud")
    assert "1 logged model and 1 experiment" in cli("gc", "--yes").stdout


@pytest.fixture
def overwritten(sweep, workplace: Path) -> Path:
    """A file of a run in use whose versions were written 50, 20 and 1 days ago, in this order."""
    client = Client()
    for content in ("first", "second", "third"):
        client.log_text(sweep[0], content, "notes/a.txt")
    file = workplace / "stele-artifacts" / "1" / sweep[0] / "artifacts" / "notes" / "a.txt"
    records = file.parent / ".stele" / "a.txt.json"
    found = msgspec.json.decode(records.read_bytes())
    for record, days in zip(found, (50, 20, 1), strict=True):
        record["time"] = time.time_ns() // 1_000_000 - days * 86_400_000
    records.write_bytes(msgspec.json.encode(found))
    return file


def kept_versions(file: Path) -> list[int]:
    """The numbers of the versions that can be read."""
    repository = LocalRepository(file.parent)
    found = [version.version for version in repository.versions(file.name)]
    contents = {1: b"first", 2: b"second", 3: b"third"}
    for version in found:
        assert repository.open_read(file.name, version=version).read() == contents[version]
    return found


@pytest.mark.parametrize(("age", "left"), [("30d", [1, 2, 3]), ("19d", [2, 3]), ("12h", [3])])
def test_age_of_a_version_is_that_of_its_replacement(cli, overwritten, age, left):
    cli("gc", "--older-than", age, "--file-versions", "--yes")
    assert kept_versions(overwritten) == left


def test_versions_of_files_go_when_it_is_said(cli, cli_json, overwritten):
    cli("gc", "--older-than", "1h", "--yes")
    assert "needs --older-than" in cli("gc", "--file-versions", "--yes", code=2).stderr
    assert "takes no --run-ids" in cli("gc", "--file-versions", "--older-than=1h", "--run-ids=a", code=2).stderr
    assert cli_json("gc", "--older-than", "1h", "--file-versions", "--dry-run")["file_versions"] == 2
    assert "add --yes" in cli("gc", "--older-than", "1h", "--file-versions", code=2).stderr
    assert kept_versions(overwritten) == [1, 2, 3]
    result = cli("gc", "--older-than", "1h", "--file-versions", "--yes")
    assert "Removed 0 runs, 0 experiments and 2 old versions of files (11 B)" in result.stdout
    assert kept_versions(overwritten) == [3]


def test_numbers_of_removed_versions_are_not_used_again(cli, sweep, overwritten):
    cli("gc", "--older-than", "1h", "--file-versions", "--yes")
    Client().log_text(sweep[0], "fourth", "notes/a.txt")
    assert [version.version for version in LocalRepository(overwritten.parent).versions("a.txt")] == [3, 4]


def test_versions_of_a_file_that_is_gone_stay(cli, cli_json, overwritten):
    overwritten.unlink()
    assert cli_json("gc", "--older-than", "1h", "--file-versions", "--yes")["file_versions"] == 0
    assert kept_versions(overwritten) == [1, 2]


def test_versions_behind_a_symbolic_link_stay(cli, cli_json, overwritten, workplace, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "notes"
    overwritten.parent.rename(elsewhere)
    overwritten.parent.symlink_to(elsewhere)
    assert cli_json("gc", "--older-than", "1h", "--file-versions", "--yes")["file_versions"] == 0
    assert kept_versions(elsewhere / "a.txt") == [1, 2, 3]


def test_runs_that_stay_for_their_forks_are_told(cli, workplace):
    client = Client()
    parent = client.create_run("0").info.run_id
    fork = client.create_run("0", fork_from=parent).info.run_id
    client.delete_run(parent)
    for options in (["--dry-run"], ["--yes"]):
        assert "forked from them: 1" in cli("gc", *options).stderr
    client.delete_run(fork)
    assert "forked" not in cli("gc", "--yes").stderr
