"""A server that is restarted, that is gone, that is busy, or that does not know the token any more."""

import os
import signal
import sys
import threading

import pytest

import stele
from journal_tools import start_program
from servers import STELE, ServerProcess, free_port
from stele.errors import InvalidParameterValue, Unavailable
from stele.stores.journal import sender as sending
from stele.stores.journal.files import find_journals, journal_root, read_lines
from unit.transport.scripted_server import Answer, ScriptedServer

PAUSE = threading.Event()


class Restarting:
    """A server that can be killed and started again at the same address."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [*STELE, "server", "--port", str(self.port), "--backend-store-uri", "sqlite:///server.db"]
        self.running = ServerProcess(command, self.port, self.folder)
        self.running.wait_until_healthy()

    def kill(self):
        self.running.stop(signal.SIGKILL)


@pytest.fixture
def server(workplace):
    folder = workplace / "server"
    folder.mkdir()
    restarting = Restarting(folder)
    restarting.start()
    yield restarting
    restarting.kill()


def steps(run_id, key="x"):
    return sorted(point.step for point in stele.get_metric_history(run_id, key))


def test_a_server_that_is_killed_and_restarted_loses_nothing(server):
    stele.set_tracking_uri(server.url)
    with stele.start_run() as run:
        for part in range(3):
            for step in range(20_000):
                stele.log_metric("x", 0.5, step=part * 20_000 + step)
            server.kill()
            for step in range(1_000):
                stele.log_metric("y", 0.5, step=part * 1_000 + step)
            server.start()
    assert steps(run.info.run_id) == list(range(60_000))
    assert steps(run.info.run_id, "y") == list(range(3_000))
    assert stele.get_run(run.info.run_id).info.status == "FINISHED"


GONE = """
import sys
import stele
stele.set_tracking_uri(sys.argv[1])
with stele.start_run() as run:
    print(run.info.run_id, flush=True)
    sys.stdin = open(0)
    sys.stdin.readline()
    for step in range(1000):
        stele.log_metric("x", step, step=step)
print("trained", flush=True)
"""


def test_a_server_that_is_gone_stops_no_training(server):
    code = GONE
    process = _with_input(code, server.url, STELE_EXIT_TIMEOUT="0.5", STELE_HTTP_TIMEOUT="2")
    run_id = process.stdout.readline().decode().strip()
    server.kill()
    output, errors = process.communicate(b"\n")
    assert (process.returncode, output) == (0, b"trained\n"), errors.decode()
    (journal,) = find_journals(journal_root())
    assert str(journal).encode() in errors
    assert b"stele sync" in errors
    assert b"Traceback" not in errors
    server.start()
    stele.set_tracking_uri(server.url)
    with stele.start_run():
        stele.log_metric("y", 1)
    assert steps(run_id) == list(range(1000))
    assert stele.get_run(run_id).info.status == "FINISHED"


HANGING = """
import os, signal, sys, stele
stele.set_tracking_uri(sys.argv[1])
with stele.start_run(log_console="console" in sys.argv) as run:
    if "points" in sys.argv:
        stele.log_metric("x", 0, step=0)
        stele.flush_async_logging()
    print(run.info.run_id, flush=True)
    sys.stdin.readline()
    if "more" in sys.argv:
        stele.log_metric("x", 1, step=1)
    if "picture" in sys.argv:
        import numpy
        stele.log_image(numpy.zeros((4, 4)), "a.png", synchronous=False)
        try:
            stele.flush_artifact_async_logging()
        except stele.errors.Unavailable as e:
            print(e)
print("ended", flush=True)
"""


@pytest.mark.parametrize("what", [["nothing"], ["points"], ["points", "more"], ["picture"], ["console"]])
def test_a_server_that_never_answers_holds_up_no_end(server, what):
    """It takes the connection and is silent; an answer is waited for 10 minutes."""
    process = _with_input(HANGING, server.url, *what, STELE_EXIT_TIMEOUT="0.5", STELE_HTTP_TIMEOUT="600")
    run_id = process.stdout.readline().decode().strip()
    os.kill(server.running.process.pid, signal.SIGSTOP)
    try:
        output, errors = process.communicate(b"\n")
    finally:
        os.kill(server.running.process.pid, signal.SIGCONT)
    assert (process.returncode, output.splitlines()[-1]) == (0, b"ended"), errors.decode()
    assert (b"files are not written yet" in output) == (what == ["picture"])
    assert b"stele sync" in errors
    assert b"Traceback" not in errors
    stele.set_tracking_uri(server.url)
    with stele.start_run():
        stele.log_metric("y", 1)
    assert stele.get_run(run_id).info.status == "FINISHED"
    assert len(steps(run_id)) == len({"points", "more"} & set(what))


def _with_input(code, *arguments, **environment):
    import subprocess

    from journal_tools import SOURCES

    env = {**os.environ, "PYTHONPATH": str(SOURCES), "STELE_CAPTURE": "false", **environment}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )


def test_who_waits_is_told_that_the_store_takes_nothing(server, monkeypatch):
    monkeypatch.setenv("STELE_EXIT_TIMEOUT", "0.3")
    stele.set_tracking_uri(server.url)
    run = stele.start_run()
    stele.log_metric("x", 0, step=0)
    server.kill()
    operation = stele.log_metric("x", 1, step=1, synchronous=False)
    with pytest.raises(Unavailable, match="kept in"):
        operation.wait()
    with pytest.raises(Unavailable, match="kept in"):
        stele.flush_async_logging()
    server.start()
    monkeypatch.setenv("STELE_EXIT_TIMEOUT", "60")
    operation.wait()
    stele.flush_async_logging()
    stele.end_run()
    assert steps(run.info.run_id) == [0, 1]


@pytest.fixture
def script(monkeypatch, workplace):
    """A scripted server that is the tracking server of a journal."""
    monkeypatch.setattr(sending, "_FIRST_PAUSE_SECONDS", 0.01)
    with ScriptedServer() as running:
        stele.set_tracking_uri(running.address)
        yield running


def ingests(script):
    return [seen for seen in script.seen if seen.path.endswith("/ingest")]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, b'{"error_code": "UNAUTHENTICATED", "message": "expired"}'),
        Answer(429, b'{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "busy"}', {"Retry-After": "1"}),
        Answer(503, b"<html>"),
        Answer(500, b'{"error_code": "INTERNAL_ERROR", "message": "?"}'),
        Answer(-1),
    ],
)
def test_points_are_sent_again_until_the_server_takes_them(script, answer):
    script.answers = [answer, answer, Answer(200, b"{}", {"Content-Type": "application/json"})]
    client = stele.Client()
    operation = client.log_metric("r" * 32, "x", 1.0, timestamp=7, step=3, synchronous=False)
    operation.wait()
    bodies = {seen.body for seen in ingests(script)}
    assert len(ingests(script)) == 3
    assert len(bodies) == 1  # the same batch with the same number


def test_a_new_token_is_used_as_soon_as_there_is_one(script, monkeypatch):
    monkeypatch.setenv("STELE_TRACKING_TOKEN", "old")
    refusal = Answer(401, b'{"error_code": "UNAUTHENTICATED", "message": "expired"}')
    script.answers = [refusal] * 3
    operation = stele.Client().log_metric("r" * 32, "x", 1.0, synchronous=False)
    while len(ingests(script)) < 2:
        PAUSE.wait(0.01)
    monkeypatch.setenv("STELE_TRACKING_TOKEN", "new")
    operation.wait()
    assert [seen.headers["Authorization"] for seen in ingests(script)][::3] == ["Bearer old", "Bearer new"]


def test_a_refused_series_is_told_and_set_aside(script):
    text = b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "series[0].run_id is deleted."}'
    script.answers = [Answer(400, text)]
    with pytest.raises(InvalidParameterValue, match="deleted"):
        stele.Client().log_metric("r" * 32, "x", 1.0, synchronous=False).wait()
    (journal,) = find_journals(journal_root())
    (letter,) = read_lines(journal / "dead-letters.jsonl", dict)
    assert letter["reason"] == "series[0].run_id is deleted."


def test_reads_do_not_wait_for_a_server_that_is_gone(script, monkeypatch):
    monkeypatch.setenv("STELE_HTTP_RETRIES", "0")
    script.answers = [Answer(-1)] * 1_000
    client = stele.Client()
    client.log_metric("r" * 32, "x", 1.0)
    with pytest.raises(Unavailable):
        client.get_run("r" * 32)
    script.answers = []


def test_the_journal_of_a_process_that_is_killed_while_offline_is_sent(server, workplace):
    code = """
import os, sys
import stele
stele.set_tracking_uri(sys.argv[1])
stele.set_experiment("offline", tags={"team": "a"})
with stele.start_run(run_name="night", tags={"k": "v"}) as run:
    stele.log_param("p", 1)
    for step in range(1000):
        stele.log_metric("x", step, step=step)
    stele.log_text("text", "a/b.txt")
    with stele.start_run(nested=True, run_name="child"):
        stele.log_metric("y", 1)
    os.kill(os.getpid(), 9)
"""
    process = start_program(code, server.url, STELE_OFFLINE="1")
    process.communicate()
    stele.set_tracking_uri(server.url)
    with stele.start_run():
        stele.log_metric("z", 1)
    experiment = stele.get_experiment_by_name("offline")
    assert experiment.tags == {"team": "a"}
    runs = {run.info.run_name: run for run in stele.Client().search_runs([experiment.experiment_id])}
    night, child = runs["night"], runs["child"]
    assert (night.info.status, child.info.status) == ("RUNNING", "FINISHED")
    assert (night.data.params, night.data.tags["k"]) == ({"p": "1"}, "v")
    assert child.data.tags["mlflow.parentRunId"] == night.info.run_id
    assert steps(night.info.run_id) == list(range(1000))
    assert stele.artifacts.load_text(f"runs:/{night.info.run_id}/a/b.txt") == "text"
