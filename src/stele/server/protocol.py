"""Small answers that leave in one piece, and large ones in many.

uvicorn writes the head of an answer and its body one after the other, which are two system calls here, two on the
client's side, and twice the waking of its thread. What the socket does not take of a body at once, asyncio copies, up
to Python 3.11 twice: so a large one is given to it piece by piece, as the client takes them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ENDLESS", "JoiningProtocol"]

ENDLESS = "stele.endless"
"""Set in the scope of a request whose answer has no end of its own: a server that stops does not wait for it."""

_JOINED_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024
_CONTINUE = b"HTTP/1.1 100 "


class JoiningProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, over a transport that holds the head of an answer back until its body comes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.app: Any = _in_pieces(self.app)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base has it
        """Note the transport."""
        super().connection_made(_Joining(transport))  # type: ignore[arg-type]  # it has all that is used of one

    def on_response_complete(self) -> None:
        """Send what is held back: an answer may have no body."""
        self.transport.end_answer()  # type: ignore[attr-defined]  # of _Joining
        super().on_response_complete()

    def shutdown(self) -> None:
        """Begin to stop: what is being answered is finished, unless it has no end."""
        if self.cycle is not None and not self.cycle.response_complete and self.cycle.scope.get(ENDLESS):
            self.transport.close()
        else:
            super().shutdown()


def _in_pieces(app: ASGIApp) -> ASGIApp:
    """An application whose large bodies are sent in pieces, each once the one before it is gone."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_pieces(message: Message) -> None:
            body = message.get("body", b"")
            if len(body) > _PIECE_BYTES:
                view = memoryview(body)
                last = (len(body) - 1) // _PIECE_BYTES * _PIECE_BYTES
                for start in range(0, last, _PIECE_BYTES):
                    await send({**message, "body": view[start : start + _PIECE_BYTES], "more_body": True})
                message = {**message, "body": view[last:]}
            await send(message)

        await app(scope, receive, send_pieces)

    return answer


class _Joining:
    """A transport for answers, one after the other."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send bytes, or hold them when they are the first of an answer."""
        if not self._begun and not data.startswith(_CONTINUE):
            self._begun, self._head = True, data
            return
        if len(data) > _JOINED_BYTES:
            self._flush()
        head, self._head = self._head, b""
        self._transport.write(head + data if head else data)

    def end_answer(self) -> None:
        """Send what is left of an answer; the next bytes begin another one."""
        self._flush()
        self._begun = False

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""
