"""Streams of events: who hears what, whoever made the change, and how a stream ends."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from servers import stele_server
from services import fresh_database
from stele.errors import TooManyRequests, Unavailable
from stele.schema import experiments as e
from stele.schema import registered_models as rm
from stele.schema import runs as r
from stele.server import events
from stele.server.events import Listen, Watcher
from stele.stores.sql import SqlStore

pytestmark = pytest.mark.xdist_group("processes")


class Stream:
    """An open stream of a server."""

    def __init__(self, url: str, query: str, root: str = "/api") -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        self._connection.request("GET", f"{root}/2.0/stele/events?{query}")
        self.answer = self._connection.getresponse()

    def line(self) -> str:
        return self.answer.readline().decode().rstrip("\n")

    def next(self) -> tuple[str, dict]:
        """Name and data of the next event."""
        name = ""
        while not (line := self.line()).startswith("data: "):
            assert not self.answer.isclosed(), "the stream has ended"
            name = line.removeprefix("event: ") if line.startswith("event: ") else name
        return name, json.loads(line.removeprefix("data: "))

    def close(self) -> None:
        self._connection.sock and self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()


@contextmanager
def stream(url: str, query: str = "", root: str = "/api") -> Iterator[Stream]:
    opened = Stream(url, query, root)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def shared(request, tmp_path_factory):
    """A server, and a store of another process on the same database."""
    folder = tmp_path_factory.mktemp("events")

    def both(uri: str):
        with stele_server(folder, store=uri) as server, SqlStore(uri) as store:
            yield server.url, store

    if request.param == "sqlite":
        yield from both(f"sqlite:///{folder}/stele.db")
    else:
        with fresh_database(request.param) as uri:
            yield from both(uri)


def new_experiment(store: SqlStore) -> str:
    return store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id


def new_run(store: SqlStore, experiment: str) -> str:
    return store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id


def test_a_stream_begins_as_browsers_expect(shared):
    url, _ = shared
    with stream(url, root="/ajax-api") as opened:
        assert opened.answer.status == 200
        assert opened.answer.headers["content-type"] == "text/event-stream"
        assert opened.answer.headers["cache-control"] == "no-store"
        assert opened.line() == "retry: 2000"


def test_listeners_hear_of_their_experiments_and_runs_alone(shared):
    url, store = shared
    mine, other = new_experiment(store), new_experiment(store)
    run, sibling, foreign = new_run(store, mine), new_run(store, mine), new_run(store, other)
    everything = f"experiment_id={mine}&experiment_id={other}&run_id={run}&run_id={sibling}&run_id={foreign}"
    with stream(url, f"experiment_id={mine}") as table, stream(url, f"run_id={run}") as page:
        with stream(url, everything) as both:
            store.set_tag(r.SetTag(run_id=foreign, key="t", value="1"))
            assert both.next() == ("changed", {"experiments": [other], "runs": [foreign]})
            store.set_tag(r.SetTag(run_id=sibling, key="t", value="1"))
            assert both.next() == ("changed", {"experiments": [mine], "runs": [sibling]})
        # The first that they hear of is what is theirs: nothing was told before.
        assert table.next() == ("changed", {"experiments": [mine], "runs": []})
        store.set_tag(r.SetTag(run_id=run, key="t", value="1"))
        assert page.next() == ("changed", {"experiments": [], "runs": [run]})
        assert table.next() == ("changed", {"experiments": [mine], "runs": []})


@pytest.mark.parametrize("kind", ["create", "metric", "end", "delete"])
def test_every_kind_of_change_is_told(shared, kind):
    url, store = shared
    experiment = new_experiment(store)
    run = new_run(store, experiment)
    act = {
        "create": lambda: new_run(store, experiment),
        # The server's own thread applies what another process has logged.
        "metric": lambda: store.log_metric(r.LogMetric(run_id=run, key="m", value=1.0, timestamp=1)),
        "end": lambda: store.update_run(r.UpdateRun(run_id=run, status="FINISHED", end_time=1)),
        "delete": lambda: store.delete_run(r.DeleteRun(run_id=run)),
    }[kind]
    with stream(url, f"experiment_id={experiment}") as opened:
        act()
        assert opened.next() == ("changed", {"experiments": [experiment], "runs": []})


def test_the_registry_and_the_list_of_experiments_are_told_of_to_everybody(shared):
    url, store = shared
    with stream(url) as opened:
        store.create_registered_model(rm.CreateRegisteredModel(name=uuid.uuid4().hex))
        assert opened.next() == ("models", {})
        new_experiment(store)
        assert opened.next() == ("experiments", {})


def heard_at_first(store: SqlStore, wanted: Listen) -> bytes:
    """What a listener is sent before anything else changes."""

    async def listen() -> bytes:
        watcher = Watcher(store)
        listener = await watcher.add(wanted)
        try:
            return await listener.next_bytes()
        finally:
            watcher.remove(listener)

    return asyncio.run(listen())


def test_what_changed_between_reading_and_listening_is_told_at_once(shared):
    url, store = shared
    mine, quiet = new_experiment(store), new_experiment(store)
    run = new_run(store, mine)
    with stream(url, f"experiment_id={mine}&experiment_id={quiet}&run_id={run}&age=0") as opened:
        assert opened.next() == ("experiments", {})
        assert opened.next() == ("changed", {"experiments": [mine], "runs": [run]})


def test_who_has_read_long_ago_hears_of_everything_that_is_his(tmp_path):
    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        run = new_run(store, "0")
        heard = heard_at_first(store, Listen(experiment_id=["0"], run_id=[run], age=3_600_000)).decode()
    assert [line for line in heard.splitlines() if line.startswith("event")] == [
        "event: models",
        "event: experiments",
        "event: changed",
    ]
    assert f'{{"experiments":["0"],"runs":["{run}"]}}' in heard


@pytest.mark.parametrize("age", [None, 0])
def test_who_has_read_after_the_last_change_hears_nothing(tmp_path, monkeypatch, age):
    monkeypatch.setattr(events, "_HEARTBEAT_SECONDS", 0.001)
    if age is not None:
        monkeypatch.setattr(events, "_LATE_MILLISECONDS", -60_000)  # as if the changes were a minute old
    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        run = new_run(store, "0")
        store.create_registered_model(rm.CreateRegisteredModel(name="m"))
        assert heard_at_first(store, Listen(experiment_id=["0"], run_id=[run], age=age)) == b":\n\n"


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("experiment_id=x", "experiment_id 'x' is not an experiment id"),
        ("&".join(["experiment_id=1"] * 51), "experiment_id is given 51 times, at most 50"),
        ("&".join(["run_id=a"] * 51), "run_id is given 51 times, at most 50"),
        ("run_id=a/b", "run_id"),
        ("age=-1", "age is -1, it must be at least 0"),
        ("age=old", "age"),
    ],
)
def test_what_nobody_can_listen_to_is_refused(call, query, problem):
    answer = call("GET", f"/api/2.0/stele/events?{query}")
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
    assert problem in answer.json["message"]


def test_head_opens_no_stream(call):
    answer = call("HEAD", "/api/2.0/stele/events")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_stops_ends_its_streams(tmp_path, number):
    with stele_server(tmp_path) as server, stream(server.url, "experiment_id=0") as opened:
        assert opened.line() == "retry: 2000"
        assert server.stop(number) == 0
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            opened.answer.read()
        # It did not wait for them until its patience ended, which it would have said.
        assert "timeout graceful shutdown exceeded" not in server.log.read_text()


def test_who_leaves_is_forgotten_and_the_last_one_ends_the_looking(tmp_path):
    async def listen(store: SqlStore) -> None:
        watcher = Watcher(store)
        first, second = await watcher.add(Listen(experiment_id=["0"])), await watcher.add(Listen())
        assert watcher.listeners == 2
        assert watcher.is_looking
        watcher.remove(first)
        watcher.remove(first)
        assert watcher.is_looking
        watcher.remove(second)
        assert not watcher.listeners
        assert not watcher.is_looking

    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        asyncio.run(listen(store))


def test_a_client_that_is_gone_frees_its_place(tmp_path):
    with stele_server(tmp_path) as server:
        for _ in range(3):
            with stream(server.url) as opened:
                assert opened.line() == "retry: 2000"
        with stream(server.url, "experiment_id=0") as opened, SqlStore(f"sqlite:///{tmp_path}/stele.db") as store:
            # The log has a line of each stream that has ended; the server goes on to serve.
            new_run(store, "0")
            assert opened.next()[0] == "changed"
            ended = [line for line in server.log.read_text().splitlines() if "/stele/events" in line]
            assert len(ended) == 3


def test_more_streams_than_allowed_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("STELE_EVENT_STREAMS", "1")

    async def listen(store: SqlStore) -> None:
        watcher = Watcher(store)
        first = await watcher.add(Listen(experiment_id=["0"]))
        with pytest.raises(TooManyRequests, match="STELE_EVENT_STREAMS"):
            await watcher.add(Listen(experiment_id=["0"]))
        watcher.remove(first)
        watcher.remove(await watcher.add(Listen(experiment_id=["0"])))

    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        asyncio.run(listen(store))


def test_a_database_that_does_not_answer_is_said_and_nobody_stays(tmp_path):
    async def listen(store: SqlStore) -> None:
        watcher = Watcher(store)
        with pytest.raises(Unavailable):
            await watcher.add(Listen(experiment_id=["0"]))
        assert not watcher.listeners
        assert not watcher.is_looking

    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        store.db.write(lambda c: c.execute(text("DROP TABLE registry_events")))
        asyncio.run(listen(store))


def test_a_silent_stream_shows_that_it_is_alive(tmp_path, monkeypatch):
    monkeypatch.setattr(events, "_HEARTBEAT_SECONDS", 0.001)

    async def listen(store: SqlStore) -> bytes:
        watcher = Watcher(store)
        listener = await watcher.add(Listen(experiment_id=["0"]))
        try:
            return await listener.next_bytes()
        finally:
            watcher.remove(listener)

    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        assert asyncio.run(listen(store)) == b":\n\n"
