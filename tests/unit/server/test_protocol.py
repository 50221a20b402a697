"""Answers leave in one piece, and none is held back for ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from servers import stele_server
from stele.server.protocol import _Joining


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


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        yield connection


def received(connection: socket.socket, marks: int) -> bytes:
    """What comes until so many answers have begun and the last one has ended its head."""
    data = b""
    while data.count(b"HTTP/1.1 ") < marks or not data.rpartition(b"HTTP/1.1 ")[2].count(b"\r\n\r\n"):
        data += connection.recv(65_536)
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
