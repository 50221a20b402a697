"""``stele sync`` and ``stele journal``."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import stele
from stele.client.shipments import upload_files
from stele.client.stores import close_stores, open_store
from stele.errors import DoesNotExist
from stele.schema.logged_models import LoggedModelId
from stele.stores.journal.files import find_journals, journal_root
from stele.stores.journal.journal import Journal
from stele.stores.journal.shipping import Shipment
from terminal import shown_on_terminal
from unit.transport.scripted_server import DROP, Answer, ScriptedServer


@pytest.fixture
def offline(workplace, monkeypatch):
    """The id of a run that was made without its store."""
    monkeypatch.setenv("STELE_OFFLINE", "1")
    stele.set_experiment("night", tags={"team": "risk"})
    (workplace / "model.bin").write_bytes(b"m" * 100_000)
    with stele.start_run(run_name="far away", tags={"site": "north"}, description="no net") as run:
        stele.log_params({"lr": 0.1, "layers": 3})
        for step in range(100):
            stele.log_metric("loss", 1 / (step + 1), step=step)
        stele.log_artifact("model.bin", "models")
        stele.log_table({"q": ["a"]}, "t.json")
        stele.log_table({"q": ["b"]}, "t.json")
        stele.log_image(_picture(), key="k", step=1)
        stele.log_input(stele.data.from_numpy(_picture(), name="pictures"), "training")
        stele.set_tag("gone", 1)
        stele.delete_tag("gone")
        with stele.start_run(nested=True, run_name="child"):
            stele.log_metric("x", 1)
    close_stores()
    monkeypatch.delenv("STELE_OFFLINE")
    return run.info.run_id


def _picture():
    import numpy as np

    return np.zeros((4, 4))


def check(run_id):
    """Everything of the run is in the store."""
    found = stele.get_run(run_id)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "far away")
    assert found.data.params == {"lr": "0.1", "layers": "3"}
    assert found.data.metrics == {"loss": 0.01}
    tags = found.data.tags
    assert (tags["site"], tags["mlflow.note.content"], "gone" in tags) == ("north", "no net", False)
    assert len(stele.get_metric_history(run_id, "loss")) == 100
    assert found.inputs.dataset_inputs[0].dataset.name == "pictures"
    experiment = stele.get_experiment(found.info.experiment_id)
    assert (experiment.name, experiment.tags) == ("night", {"team": "risk"})
    client = stele.Client()
    assert client.repository(run_id).stat("models/model.bin").file_size == 100_000
    assert list(client.load_table(experiment.experiment_id, "t.json")["q"]) == ["a", "b"]
    assert len(client.list_artifacts(run_id, "images")) == 2
    (child,) = client.search_runs([experiment.experiment_id], "attributes.run_name = 'child'")
    assert child.data.tags["mlflow.parentRunId"] == run_id


def test_an_offline_run_is_sent(cli, cli_json, offline):
    (listed,) = cli_json("journal", "list")
    assert (listed["runs"], listed["points"], listed["offline"], listed["in_use"]) == (2, 101, True, False)
    shown = cli_json("journal", "show", listed["id"][:6])
    assert {run["run_id"]: run["points"] for run in shown["recorded"]}[offline] == 100
    (sent,) = cli_json("sync")
    assert (sent["status"], sent["points"], sent["refused"]) == ("sent", 101, 0)
    check(offline)
    assert cli_json("journal", "list") == []
    assert "nothing to send" in cli("sync").stdout


def test_a_sync_that_is_interrupted_anywhere_is_repeated(cli, offline):
    """The process ends before one of its system calls, each time a little later."""
    program = """
import os, sys
left = [int(sys.argv[1])]
def count(event, arguments):
    if event.startswith(("os.rename", "os.remove", "os.rmdir", "sqlite3.connect")):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
from stele.cli import main
sys.addaudithook(count)
main(["sync"])
"""
    code = 9
    calls = 0
    while code == 9:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", program, str(calls)]
        code = subprocess.run(command, env=environment, capture_output=True, check=False).returncode
        calls += 4
    assert (code, calls > 4) == (0, True)
    assert find_journals(journal_root()) == []
    check(offline)
    assert len(stele.search_runs(experiment_names=["night"], output_format="list")) == 2


def test_another_store_may_be_named(cli, offline, workplace):
    cli("sync", "--to", "sqlite:///other.db")
    assert not (workplace / "stele.db").exists()
    stele.set_tracking_uri("sqlite:///other.db")
    check(offline)


def test_journals_are_named_by_path_or_the_beginning_of_their_id(cli, cli_json, offline):
    path = cli_json("journal", "list")[0]["path"]
    assert cli_json("journal", "show", path)["path"] == path
    cli("sync", str(journal_root()))
    check(offline)
    assert "There is no journal" in cli("sync", "nothing", code=1).stderr


def test_a_journal_in_use_is_left_alone(cli, cli_json):
    stele.set_tracking_uri("sqlite:///stele.db")
    with stele.start_run():
        stele.log_metric("x", 1)
        (listed,) = cli_json("journal", "list")
        assert listed["in_use"]
        assert cli_json("sync")[0]["status"] == "in use"
        assert "is writing to" in cli("journal", "discard", listed["id"], "--yes", code=1).stderr


def test_discarding_asks_first(cli, cli_json, offline):
    (listed,) = cli_json("journal", "list")
    cli("journal", "discard", listed["id"], code=1, input="n\n")
    assert len(cli_json("journal", "list")) == 1
    assert "Threw away" in cli("journal", "discard", listed["id"], input="y\n").stdout
    assert find_journals(journal_root()) == []


def test_what_was_refused_is_shown_with_the_reason(cli, cli_json):
    client = stele.Client()
    run_id = client.create_run("0").info.run_id
    client.delete_run(run_id)
    client.log_metric(run_id, "x", float("nan"), step=3)
    client.log_param(run_id, "p", 1, synchronous=False)
    close_stores()
    (listed,) = cli_json("journal", "list")
    assert (listed["points"], listed["refused"]) == (0, 2)
    assert f"log_batch of run {run_id}" in cli("journal", "show", listed["id"]).stdout
    letters = cli_json("journal", "show", listed["id"])["refusals"]
    (letter,) = [letter for letter in letters if "key" in letter]
    assert (letter["key"], letter["step"], letter["value"]) == ("x", 3, "NaN")
    assert "is deleted" in cli("journal", "show", listed["id"]).stdout


def test_a_store_that_takes_nothing_is_told(cli, offline, monkeypatch):
    monkeypatch.setenv("STELE_HTTP_RETRIES", "0")
    result = cli("sync", "--to", "http://127.0.0.1:1", code=1)
    assert "kept" in result.stderr
    assert json.loads(cli("sync", "--to", "http://127.0.0.1:1", "--json", code=1).stdout)[0]["status"] == "kept"
    cli("sync")
    check(offline)


def test_a_foreign_journal_does_not_choose_where_credentials_go(cli, cli_json, offline, workplace, monkeypatch):
    (own,) = find_journals(journal_root())
    copied = shutil.move(own, workplace / "from another machine")
    with ScriptedServer() as thief:
        header = json.loads((copied / "header.json").read_text())
        (copied / "header.json").write_text(json.dumps(header | {"uri": thief.address}))
        monkeypatch.setenv("STELE_TRACKING_TOKEN", "secret")
        (outcome,) = cli_json("sync", str(copied), code=1)
        assert (outcome["status"], thief.seen) == ("kept", [])
        assert "--to" in outcome["reason"]
    cli("sync", str(copied), "--to", "sqlite:///stele.db")
    check(offline)


def test_watching_goes_on_until_it_is_interrupted(offline):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "stele.cli", "sync", "--watch"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "101 points" in process.stdout.readline()
    assert process.poll() is None
    process.send_signal(2)
    assert process.communicate() == ("", "")
    assert process.returncode == 0
    check(offline)


@pytest.fixture
def three_rounds(monkeypatch):
    """`--watch` looks three times, then somebody presses Ctrl-C. Whatever else sleeps in this process goes on."""
    left = [None, None]

    def sleep(_seconds):
        if not left:
            raise KeyboardInterrupt
        left.pop()

    monkeypatch.setattr("stele.cli.sync.time", SimpleNamespace(sleep=sleep))


def test_watching_a_journal_goes_on_when_it_was_sent(cli, cli_json, offline, three_rounds):
    (listed,) = cli_json("journal", "list")
    assert cli("sync", listed["id"][:8], "--watch").stdout.count("101 points") == 1
    assert "There is no journal" in cli("sync", listed["id"][:8], "--watch", code=1).stderr


def test_watching_tells_programs_what_was_done(cli, offline, three_rounds):
    (outcome,) = json.loads(cli("sync", "--watch", "--json").stdout)
    assert (outcome["status"], outcome["points"]) == ("sent", 101)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"format": 9, "uri": "sqlite:///a.db", "client_id": "a", "process": 1, "created": 1}', "has format 9"),
        (b"\0" * 40, "is no journal"),
    ],
)
def test_a_journal_that_cannot_be_read_hides_no_other(cli, cli_json, offline, content, reason):
    bad = journal_root() / "other" / "bad"
    bad.mkdir(parents=True)
    (bad / "header.json").write_bytes(content)
    listed = {item["id"]: item for item in cli_json("journal", "list")}
    assert reason in listed.pop("bad")["problem"]
    assert [item["points"] for item in listed.values()] == [101]
    assert reason in cli("journal", "list").stderr
    assert reason in cli("journal", "show", "bad", code=1).stderr
    assert reason in cli("sync", code=1).stderr
    check(offline)
    cli("journal", "discard", "bad", input="y\n")
    assert find_journals(journal_root()) == []


def test_a_damaged_line_is_set_aside_and_the_rest_is_sent(cli, cli_json, offline):
    (path,) = find_journals(journal_root())
    with (path / "operations.jsonl").open("ab") as file:
        file.write(b"\0\0{\n")
    with (path / "dead-letters.jsonl").open("wb") as file:
        file.write(b"\0\n")
    assert cli_json("journal", "list")[0]["files"] == 4
    assert cli_json("journal", "show", path.name)["recorded"]
    (sent,) = cli_json("sync")
    assert (sent["status"], sent["points"], sent["refused"]) == ("sent", 101, 1)
    check(offline)
    (letter,) = cli_json("journal", "show", path.name)["refusals"]
    assert letter["reason"] == "The line of the journal is damaged."
    assert "a damaged line" in cli("journal", "show", path.name).stdout
    assert cli_json("journal", "list")[0]["files"] == 0


def test_what_a_lost_state_had_sent_is_sent_again_and_counts_once(cli, cli_json, offline):
    (path,) = find_journals(journal_root())
    journal = Journal.adopt(path)
    shipment = Shipment(journal, open_store("sqlite:///stele.db"), upload_files)
    for _ in range(8):
        assert shipment.step()
    journal.close(remove=False)
    (path / "state.json").write_bytes(b"\0" * 30)
    assert cli_json("journal", "list")[0]["points"] == 101
    (sent,) = cli_json("sync")
    assert (sent["status"], sent["points"], sent["refused"]) == ("sent", 101, 0)
    assert find_journals(journal_root()) == []
    check(offline)


def test_runs_of_an_experiment_that_was_named_by_its_id(cli_json, workplace, monkeypatch):
    experiment_id = stele.create_experiment("day")
    monkeypatch.setenv("STELE_OFFLINE", "1")
    for chosen in (experiment_id, "77"):
        assert stele.set_experiment(experiment_id=chosen, tags={"team": "x"}).experiment_id == chosen
        with stele.start_run(run_name=f"in {chosen}"):
            stele.log_metric("loss", 0.5)
    close_stores()
    monkeypatch.delenv("STELE_OFFLINE")
    (sent,) = cli_json("sync")
    (run,) = stele.search_runs([experiment_id], output_format="list")
    assert (run.info.run_name, run.data.metrics) == (f"in {experiment_id}", {"loss": 0.5})
    assert stele.get_experiment(experiment_id).tags["team"] == "x"
    letters = cli_json("journal", "show", cli_json("journal", "list")[0]["id"])["refusals"]
    assert len(letters) == sent["refused"] > 0
    assert any("77" in letter["reason"] for letter in letters)


class _Doubler(stele.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * item for item in model_input]


@pytest.fixture
def offline_model(workplace, monkeypatch):
    """The id of a run that logged a model without its store, and the id of the model."""
    monkeypatch.setenv("STELE_OFFLINE", "1")
    with stele.start_run() as run:
        stele.log_metric("loss", 0.5, step=3)
        stele.log_metric("loss", 0.25, step=4)
        info = stele.pyfunc.log_model(name="net", python_model=_Doubler(), params={"a": 1}, step=3)
        stele.set_logged_model_tags(info.model_id, {"team": "x"})
    close_stores()
    monkeypatch.delenv("STELE_OFFLINE")
    return run.info.run_id, info.model_id


def test_a_model_that_was_logged_offline_is_all_there(cli_json, offline_model):
    run_id, model_id = offline_model
    (sent,) = cli_json("sync")
    assert (sent["status"], sent["refused"]) == ("sent", 0)
    model = stele.get_logged_model(model_id)
    assert (model.name, model.status, model.source_run_id) == ("net", "READY", run_id)
    assert (model.params, model.tags["team"]) == ({"a": "1"}, "x")
    assert [(point.key, point.step, point.value) for point in model.metrics] == [("loss", 3, 0.5)]
    assert [(output.model_id, output.step) for output in stele.get_run(run_id).outputs.model_outputs] == [(model_id, 3)]
    assert len(stele.get_metric_history(run_id, "loss")) == 2
    # Its files are those of the digest that was told, else it would not be loaded.
    assert stele.pyfunc.load_model(model.model_uri, trust=True).predict([3]) == [6]
    assert "/journal" not in stele.artifacts.load_text(f"{model.artifact_location}/MLmodel")


def test_a_model_is_ready_when_its_files_are_there(offline_model):
    _, model_id = offline_model
    (path,) = find_journals(journal_root())
    journal = Journal.adopt(path)
    store = open_store("sqlite:///stele.db")
    shipment = Shipment(journal, store, upload_files)
    seen = set()
    while shipment.step():
        try:
            model = store.get_logged_model(LoggedModelId(model_id=model_id)).model
        except DoesNotExist:
            continue
        seen.add(str(model.status))
        files = Path(model.artifact_location)
        assert model.status == "PENDING" or (files / "MLmodel").is_file()
    assert seen == {"PENDING", "READY"}
    journal.close(remove=False)


def test_files_of_a_run_that_is_refused_are_set_aside(cli, cli_json, offline):
    """The experiment is in the trash. Nobody who logs to the store later has to wait for it."""
    client = stele.Client()
    client.delete_experiment(client.create_experiment("night"))
    with stele.start_run(experiment_id="0") as run:
        stele.log_metric("x", 1.0)
    assert stele.get_run(run.info.run_id).info.status == "FINISHED"
    close_stores()
    (path,) = find_journals(journal_root())
    assert (path / "refused-files" / offline / "models" / "model.bin").stat().st_size == 100_000
    letters = cli_json("journal", "show", path.name)["refusals"]
    assert {offline} == {letter["run_id"] for letter in letters if "files" in letter}
    assert f"files of run {offline}" in cli("journal", "show", path.name).stdout
    assert cli_json("sync")[0]["refused"] == 0  # not tried again


_INFO = {
    "experiment_id": "1",
    "user_id": "",
    "status": "RUNNING",
    "start_time": 1,
    "artifact_uri": "mlflow-artifacts:/1",
}


@pytest.mark.parametrize("answer", [503, DROP])
def test_a_file_that_was_not_taken_at_once_arrives_whole(offline, answer):
    """Its second attempt was empty."""
    (path,) = find_journals(journal_root())
    run = json.dumps({"run": {"info": _INFO | {"run_id": offline}, "data": {}}}).encode()
    files = path / "files" / offline / "models"
    with ScriptedServer() as server:
        server.answers = [Answer(body=run), Answer(), Answer(answer), Answer()]
        upload_files(open_store(server.address), offline, files)
    first, second = [seen.body for seen in server.seen if seen.method == "PUT"]
    assert first == second == b"m" * 100_000


def test_a_terminal_shows_how_much_is_sent(offline):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    shown = shown_on_terminal([sys.executable, "-m", "stele.cli", "sync"], env=environment)
    (path,) = re.findall(rb"(\S+)/(\S+) kB", shown.replace(b"\x1b", b""))[-1:]
    assert path[0].endswith(path[1])  # points and files
    assert float(path[1]) > 103
