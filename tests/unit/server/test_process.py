"""The server as a process: its end, kill -9, several workers, tokens on a network, two servers on one database."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request

import pytest

from servers import STELE, ServerProcess, free_port, stele_server
from services import fresh_database

pytestmark = pytest.mark.xdist_group("processes")


def ask(server: ServerProcess, operation: str, body: dict | None = None, token: str = ""):
    """The JSON answer of an operation; a query when there is no body."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(
        f"{server.url}/api/2.0/mlflow/{operation}",
        data=None if body is None else json.dumps(body).encode(),
        headers=headers,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def new_run(server: ServerProcess, token: str = "") -> str:
    return ask(server, "runs/create", {"experiment_id": "0"}, token)["run"]["info"]["run_id"]


def log(server: ServerProcess, run: str, step: int) -> None:
    metric = {"key": "k", "value": float(step), "timestamp": step, "step": step}
    ask(server, "runs/log-batch", {"run_id": run, "metrics": [metric], "tags": [{"key": f"t{step}", "value": "x"}]})


def write_until_refused(server: ServerProcess, run: str, acknowledged: list[int], enough: threading.Event) -> None:
    for step in range(100_000):
        try:
            log(server, run, step)
        except (OSError, http.client.HTTPException):  # refused, or cut off in the middle of an answer
            return
        acknowledged.append(step)
        if step == 40:
            enough.set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_what_was_acknowledged_is_there_after_the_end(tmp_path, number):
    with stele_server(tmp_path) as server:
        runs = [new_run(server) for _ in range(3)]
        acknowledged: list[list[int]] = [[] for _ in runs]
        enough = threading.Event()
        threads = [
            threading.Thread(target=write_until_refused, args=(server, run, steps, enough))
            for run, steps in zip(runs, acknowledged, strict=True)
        ]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        code = server.stop(number)
        assert code == (-signal.SIGKILL if number == signal.SIGKILL else 0), server.log.read_text()[-2000:]
        for thread in threads:
            thread.join()
    with stele_server(tmp_path) as server:
        for run, steps in zip(runs, acknowledged, strict=True):
            found = ask(server, f"metrics/get-history?run_id={run}&metric_key=k")["metrics"]
            assert [point["step"] for point in found][: len(steps)] == steps
            tags = ask(server, f"runs/get?run_id={run}")["run"]["data"]["tags"]
            assert {f"t{step}" for step in steps} <= {tag["key"] for tag in tags}


def test_a_port_in_use_is_said_in_one_line(tmp_path):
    with stele_server(tmp_path) as server:
        port = server.url.rpartition(":")[2]
        second = ServerProcess(
            [*STELE, "server", "--port", port, "--backend-store-uri", "sqlite:///b.db"], free_port(), tmp_path
        )
        assert second.process.wait(60) == 1
        text = second.log.read_text()
        second.stop()
        assert f"127.0.0.1:{port}" in text
        assert "Traceback" not in text


def test_several_workers_serve_one_store(tmp_path):
    with stele_server(tmp_path, "--workers", "2") as server:
        run = new_run(server)
        failures: list[BaseException] = []

        def write(start: int) -> None:
            try:
                for step in range(start, start + 20):
                    log(server, run, step)
            except BaseException as e:
                failures.append(e)

        threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200, 300)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        for _ in range(6):  # whichever worker answers
            found = ask(server, f"metrics/get-history?run_id={run}&metric_key=k")["metrics"]
            assert len(found) == 80
            query = {"experiment_ids": ["0"], "filter": "metrics.k = 319"}
            assert len(ask(server, "runs/search", query)["runs"]) == 1


def test_network_address_asks_for_the_token_it_printed(tmp_path):
    with stele_server(tmp_path, "--host", "0.0.0.0") as server:
        printed = re.search(r"stele_[\w-]{43}", server.log.read_text())
        assert printed
        token = printed[0]
        with pytest.raises(urllib.error.HTTPError) as refused:
            new_run(server)
        refused.value.close()
        assert refused.value.code == 401
        new_run(server, token)
    with stele_server(tmp_path, "--host", "0.0.0.0") as server:  # the token is kept, and not shown again
        assert "stele_" not in server.log.read_text().replace("stele_test", "")
        new_run(server, token)


def test_a_server_behind_a_proxy_asks_for_the_token(tmp_path):
    """A proxy on the same machine makes everybody's requests come from here."""
    with stele_server(tmp_path, "--allowed-hosts", "stele.example") as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            new_run(server)
        refused.value.close()
        assert refused.value.code == 401


def test_open_server_has_to_be_asked_for(tmp_path):
    with stele_server(tmp_path, "--host", "0.0.0.0", "--insecure-no-auth") as server:
        new_run(server)
        assert "--insecure-no-auth" in server.log.read_text()


@pytest.mark.postgres
def test_two_servers_on_one_database_see_each_other(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        fresh_database("postgres") as uri,
        stele_server(tmp_path / "a", store=uri) as first,
        stele_server(tmp_path / "b", store=uri) as second,
    ):
        run = new_run(first)
        for step in range(10):
            log((first, second)[step % 2], run, step)
            for server in (first, second):
                query = {"experiment_ids": ["0"], "filter": f"metrics.k = {step}"}
                assert len(ask(server, "runs/search", query)["runs"]) == 1


@pytest.mark.parametrize("command", ["server", "ui"])
def test_the_store_that_the_command_line_names_is_served(tmp_path, command):
    port = free_port()
    words = [*STELE, "--tracking-uri", "sqlite:///named.db", command, "--port", str(port)]
    server = ServerProcess(words, port, tmp_path)
    server.wait_until_healthy()
    assert server.stop() == 0
    assert [path.name for path in tmp_path.glob("*.db")] == ["named.db"]


def test_a_server_serves_no_other_server(tmp_path):
    words = [*STELE, "--tracking-uri", "http://127.0.0.1:1", "server", "--port", str(free_port())]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "http://127.0.0.1:1 is a server; this command serves a database" in done.stderr
