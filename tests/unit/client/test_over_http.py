"""What the client does through a server is what it does on a local store."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import stele
from servers import stele_server
from stele.client import downloads
from stele.errors import DoesNotExist, InvalidParameterValue
from stele.transport import HttpTransport


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with stele_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(autouse=True)
def _through_the_server(server, workplace):
    stele.set_tracking_uri(server.url)


def test_a_whole_run(workplace):
    stele.set_experiment("whole", tags={"team": "risk"})
    (workplace / "model.pkl").write_bytes(b"m" * 1_000_000)
    with stele.start_run(run_name="over http", log_system_metrics=True) as run:
        stele.log_params({"lr": 0.1, "layers": 3})
        for step in range(10):
            stele.log_metric("loss", 1 / (step + 1), step=step)
        operation = stele.log_metrics({"nan": float("nan"), "inf": float("inf")}, synchronous=False)
        stele.log_artifact("model.pkl", "models")
        stele.log_table({"q": ["a"]}, "t.json")
        stele.log_table({"q": ["b"]}, "t.json")
        stele.log_image(np.zeros((4, 4)), key="k")
        stele.log_input(stele.data.from_numpy(np.zeros((2, 2))), "training")
        operation.wait()
    found = stele.get_run(run.info.run_id)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "over http")
    assert found.data.params == {"lr": "0.1", "layers": "3"}
    assert np.isnan(found.data.metrics["nan"])
    assert found.data.metrics["inf"] == float("inf")
    assert "system/cpu_utilization_percentage" in found.data.metrics
    assert [point.step for point in stele.get_metric_history(run.info.run_id, "loss")] == list(range(10))
    assert found.inputs.dataset_inputs[0].tags[0].value == "training"
    assert list(stele.load_table("t.json")["q"]) == ["a", "b"]
    frame = stele.search_runs(filter_string="metrics.loss < 0.2 AND params.layers = '3'")
    assert list(frame["run_id"]) == [run.info.run_id]
    path = downloads.download_artifacts(f"runs:/{run.info.run_id}/models")
    assert Path(path, "model.pkl").stat().st_size == 1_000_000
    assert found.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert downloads.load_dict(f"{found.info.artifact_uri}/t.json")["columns"] == ["q"]


def test_what_is_printed_is_kept_through_the_server(capsys):
    with stele.start_run(log_console=True) as run:
        sys.stdout.write("one\n")
    with stele.start_run(run_id=run.info.run_id, log_console=True):
        sys.stderr.write("two\n")
    files = stele.Client().repository(run.info.run_id)
    texts = {file.path: files.open_read(file.path).read() for file in files.list("logs/console")}
    assert texts == {"logs/console/000001.log": b"one\n", "logs/console/000002.log": b"two\n"}
    assert capsys.readouterr() == ("one\n", "two\n")


def test_errors_are_the_same_as_on_a_local_store(workplace):
    local = f"sqlite:///{workplace}/local.db"
    for uri in (stele.get_tracking_uri(), local):
        client = stele.Client(uri)
        run = client.create_run("0")
        client.log_param(run.info.run_id, "p", 1)
        with pytest.raises(InvalidParameterValue):
            client.log_param(run.info.run_id, "p", 2)
        with pytest.raises(DoesNotExist) as caught:
            client.get_run("f" * 32)
        assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
        with pytest.raises(DoesNotExist):
            client.delete_tag(run.info.run_id, "none")
        assert client.get_experiment_by_name("none") is None
        client.delete_run(run.info.run_id)
        with pytest.raises(InvalidParameterValue):
            client.log_metric(run.info.run_id, "x", 1, synchronous=True)
        with pytest.raises(InvalidParameterValue):
            client.log_metric(run.info.run_id, "x", 1, synchronous=False).wait()


def test_a_client_is_not_tied_to_the_thread_that_made_it():
    from concurrent.futures import ThreadPoolExecutor

    client = stele.Client()
    run_id = client.create_run("0").info.run_id
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda step: client.log_metric(run_id, "x", step, step=step), range(40)))
    assert len(client.get_metric_history(run_id, "x")) == 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_connections_of_its_own(server, workplace):
    program = workplace / "program.py"
    code = """
    import os, sys
    import stele
    stele.set_tracking_uri(sys.argv[1])
    with stele.start_run(run_name="forked") as run:
        children = []
        for number in range(4):
            child = os.fork()
            if child == 0:
                for step in range(20):
                    stele.log_metric(f"child{number}", step, step=step)
                os._exit(0)
            children.append(child)
        for step in range(20):
            stele.log_metric("parent", step, step=step)
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    """
    program.write_text(textwrap.dedent(code), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(program), server.url]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (run,) = stele.search_runs(["0"], "attributes.run_name = 'forked'", output_format="list")
    assert run.data.metrics == dict.fromkeys(["parent", "child0", "child1", "child2", "child3"], 19.0)


def test_few_requests_are_made(monkeypatch):
    requests = []
    send = HttpTransport.send

    def counted(self, request):
        requests.append(request.path.rpartition("/")[2])
        return send(self, request)

    monkeypatch.setattr(HttpTransport, "send", counted)

    def made_by(work):
        requests.clear()
        work()
        return list(requests)

    assert made_by(lambda: stele.set_experiment("counted")) == ["get-by-name", "create", "get"]
    assert made_by(lambda: stele.set_experiment("counted")) == ["get-by-name"]
    assert made_by(stele.start_run) == ["create"]
    assert made_by(lambda: stele.log_metric("x", 1, synchronous=True)) == ["log-metric"]
    assert made_by(lambda: stele.log_metrics({"x": 1, "y": 2}, synchronous=True)) == ["log-batch"]
    assert made_by(lambda: stele.log_text("x", "a.txt")) == ["a.txt"]

    def log_many():
        for step in range(1_000):
            stele.log_metrics({"x": step, "y": step}, step=step)
        stele.flush_async_logging()

    assert 1 <= made_by(log_many).count("ingest") <= 50
    assert made_by(stele.end_run) == ["update"]
    assert made_by(lambda: stele.search_runs(output_format="list")) == ["search"]


def test_a_server_that_is_gone_is_told(monkeypatch):
    monkeypatch.setenv("STELE_HTTP_RETRIES", "0")
    client = stele.Client("http://127.0.0.1:1")
    with pytest.raises(stele.exceptions.Unavailable, match=r"127\.0\.0\.1"):
        client.search_experiments()
