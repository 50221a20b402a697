"""AsgiTransport: an application of this process behaves like a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from stele.errors import (
    EndpointNotFound,
    SteleError,
    Unavailable,
)
from stele.transport import Request, Transport
from stele.transport.asgi import AsgiTransport


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was asked, a chunk for a chunk."""
    if scope["path"] == "/fails":
        raise RuntimeError("bug")
    if scope["path"] == "/silent":
        return
    headers = [(b"X-Path", scope["path"].encode()), (b"x-query", scope["query_string"])]
    status = int(scope["path"][1:]) if scope["path"][1:].isdigit() else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if scope["path"] == "/half":
            return
        await send({"type": "http.response.body", "body": message["body"], "more_body": message["more_body"]})
        if not message["more_body"]:
            return


class TestAsgi:
    @pytest.fixture
    def transport(self) -> Iterator[AsgiTransport]:
        transport = AsgiTransport(echo)
        yield transport
        transport.close()

    def test_request_and_answer(self, transport: AsgiTransport) -> None:
        response = transport.send(Request("POST", "/a%20b", query=[("q", "1 2")], body=[b"a", b"b"]))
        assert (response.headers["x-path"], response.headers["x-query"]) == ("/a b", "q=1+2")
        assert response.read() == b"ab"

    def test_errors(self, transport: AsgiTransport) -> None:
        with pytest.raises(EndpointNotFound):
            transport.send(Request("GET", "/404"))
        assert transport.exchange(Request("GET", "/404")).status == 404
        with pytest.raises(RuntimeError, match="bug"):
            transport.send(Request("GET", "/fails"))
        with pytest.raises(SteleError, match="did not answer"):
            transport.send(Request("GET", "/silent"))

    def test_an_answer_that_breaks_off(self, transport: AsgiTransport) -> None:
        with pytest.raises(Unavailable, match="broke off"):
            transport.send(Request("GET", "/half")).read()

    def test_both_ways_stream(self, transport: AsgiTransport) -> None:
        given = 0

        def endless() -> Iterator[bytes]:
            nonlocal given
            while True:
                given += 1
                yield b"x" * 1000

        with transport.send(Request("PUT", "/x", body=endless())) as response:
            for _ in range(100):
                assert next(response.chunks) == b"x" * 1000
            assert given < 120  # what was not read was not asked for either
        assert transport.send(Request("PUT", "/x", body=b"next")).read() == b"next"

    def test_a_body_that_fails(self, transport: AsgiTransport) -> None:
        def chunks() -> Iterable[bytes]:
            yield b"a"
            raise OSError("disk")

        with pytest.raises(OSError, match="disk"):
            transport.send(Request("PUT", "/x", body=chunks())).read()

    def test_it_is_a_transport(self, transport: Transport) -> None:
        assert transport.address == "http://localhost:5000"
        transport.close()
        transport.close()
