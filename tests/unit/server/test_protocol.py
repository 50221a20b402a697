"""Small answers leave in one piece, large ones in many, and none is held back for ever."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from servers import stele_server
from stele.schema.codec import encode
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.metrics import GetMetricHistory
from stele.schema.runs import CreateRun
from stele.server.protocol import _in_pieces, _Joining
from stele.stores.sql import SqlStore


class Wire(asyncio.Transport):
    """A transport that notes what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


def test_head_and_body_are_one_piece():
    wire = Wire()
    transport = _Joining(wire)
    for body in (b"{}", b"[]"):
        transport.write(HEAD)
        transport.write(body)
        transport.end_answer()
    assert wire.sent == [HEAD + b"{}", HEAD + b"[]"]


def test_pieces_of_a_stream_are_sent_as_they_come():
    wire = Wire()
    transport = _Joining(wire)
    for data in (HEAD, b"a" * 100_000, b"HTTP/1.1 is what a body may begin with", b""):
        transport.write(data)
    assert wire.sent == [HEAD, b"a" * 100_000, b"HTTP/1.1 is what a body may begin with", b""]


@pytest.mark.parametrize("end", ["end_answer", "close"])
def test_an_answer_without_a_body_is_sent(end):
    wire = Wire()
    transport = _Joining(wire)
    transport.write(HEAD)
    assert wire.sent == []
    getattr(transport, end)()
    assert wire.sent == [HEAD]
    assert wire.closed == (end == "close")


def test_a_client_that_asks_whether_to_go_on_is_told_at_once():
    wire = Wire()
    transport = _Joining(wire)
    transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    transport.write(HEAD)
    transport.write(b"{}")
    assert wire.sent == [b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"{}"]


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 524_288, 1_000_000])
@pytest.mark.parametrize("more", [False, True])
def test_a_large_body_leaves_in_pieces(size, more):
    body = random.Random(size).randbytes(size)
    start = {"type": "http.response.start", "status": 200, "headers": []}
    sent = []

    async def app(_scope, _receive, send):
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": more})

    async def receive():
        raise AssertionError("nobody asks")

    async def send(message):
        sent.append(message)

    asyncio.run(_in_pieces(app)({"type": "http"}, receive, send))
    assert sent[0] == start
    assert b"".join(message["body"] for message in sent[1:]) == body
    assert max(len(message["body"]) for message in sent[1:]) <= 262_144
    assert [message["more_body"] for message in sent[1:]] == [True] * (len(sent) - 2) + [more]


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        yield connection


def piece(connection: socket.socket, length: int) -> bytes:
    """What has come, up to a length; the server must not have closed the connection."""
    data = connection.recv(length)
    assert data, "the server closed the connection"
    return data


def received(connection: socket.socket, marks: int) -> bytes:
    """What comes until so many answers have begun and the last one has ended its head."""
    data = b""
    while data.count(b"HTTP/1.1 ") < marks or not data.rpartition(b"HTTP/1.1 ")[2].count(b"\r\n\r\n"):
        data += piece(connection, 65_536)
    return data


def test_a_real_server_answers_every_kind_of_request(tmp_path):
    host = b"Host: localhost\r\n"
    with stele_server(tmp_path) as server:
        port = int(server.url.rpartition(":")[2])
        with connected(port) as connection:
            for method in (b"GET", b"HEAD", b"GET"):  # one after the other on one connection
                connection.sendall(method + b" /health HTTP/1.1\r\n" + host + b"\r\n")
                assert received(connection, 1).startswith(b"HTTP/1.1 ")
            connection.sendall((b"GET /version HTTP/1.1\r\n" + host + b"\r\n") * 3)  # without waiting
            assert received(connection, 3).count(b"HTTP/1.1 200") == 3
        with connected(port) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert received(connection, 1).startswith(b"HTTP/1.1 400")
        with connected(port) as connection:
            body = b'{"experiment_ids": ["0"]}'
            head = b"POST /api/2.0/mlflow/runs/search HTTP/1.1\r\nContent-Type: application/json\r\n" + host
            connection.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
            assert received(connection, 1).startswith(b"HTTP/1.1 100")
            connection.sendall(body)
            assert received(connection, 1).startswith(b"HTTP/1.1 200")


def test_a_real_server_gives_large_answers_to_slow_clients_and_survives_those_who_leave(tmp_path):
    points = 100_000
    with SqlStore(f"sqlite:///{tmp_path}/stele.db") as store:
        run = store.create_run(CreateRun(experiment_id="0")).run.info.run_id
        series = IngestSeries(run, "loss", list(range(points)), list(range(points)), [0.5] * points)
        store.ingest(Ingest(client_id="c", sequence=1, series=[series]))
        store.apply_all()
        expected = encode(store.get_metric_history(GetMetricHistory(run_id=run, metric_key="loss")))
    target = f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=loss"
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with stele_server(tmp_path) as server:
        port = int(server.url.rpartition(":")[2])
        with connected(port) as connection:
            connection.sendall(request)
            connection.recv(1_000)
        with connected(port) as connection:
            for _ in range(2):  # the connection is good for another one
                connection.sendall(request)
                answer = bytearray()
                while b"\r\n\r\n" not in answer:
                    answer += piece(connection, 1_000)
                head, _, body = answer.partition(b"\r\n\r\n")
                assert b"content-length: %d\r\n" % len(expected) in head
                while len(body) < len(expected):
                    body += piece(connection, 10_000)
                assert body == expected
