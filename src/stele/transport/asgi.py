"""An ASGI application of this process as a server: requests and answers stream, no socket is opened.

Contract suites run "over HTTP" through it. The application runs on an event loop of its own, in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from stele.errors import SteleError, Unavailable
from stele.transport.base import Request, Response, checked, user_agent

__all__ = ["AsgiTransport"]

T = TypeVar("T")

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_WAITING_MESSAGES = 4


class AsgiTransport:
    """Requests to an ASGI application without a network. Lifespan events are not sent.

    Args:
        app: The application.
        address: The address under which it sees itself.
    """

    def __init__(self, app: AsgiApp, address: str = "http://localhost:5000") -> None:
        self.address = address
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="stele-asgi", daemon=True)
        self._thread.start()

    def send(self, request: Request) -> Response:
        """See :meth:`stele.transport.Transport.send`. What the application raises before it answers is raised here."""
        return checked(self.exchange(request), request, self.address)

    def exchange(self, request: Request) -> Response:
        """The answer as it is, also one that tells an error."""
        if self._loop.is_closed():
            raise Unavailable("The transport is closed.")
        exchange = _Exchange(self._app, request, self._scope(request))
        self._run(exchange.start())

        def next_message() -> Message | None:
            return self._run(exchange.next_message())

        start = next_message()
        if exchange.failure is not None:
            raise exchange.failure
        if start is None or start["type"] != "http.response.start":
            raise SteleError(f"The application did not answer {request.method} {request.path}.")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start.get("headers", ())}
        return Response(start["status"], headers, _chunks(next_message), lambda: self._stop(exchange))

    def close(self) -> None:
        """Stop the event loop; requests that are still running are cancelled."""
        if self._loop.is_closed():
            return
        self._run(_cancel_all())
        self._run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _stop(self, exchange: _Exchange) -> None:
        if not self._loop.is_closed():
            self._run(exchange.stop())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        result: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return result.result()

    def _scope(self, request: Request) -> Message:
        server = urlsplit(self.address)
        path, _, query = request.target().partition("?")
        headers = {"host": server.netloc, "user-agent": user_agent()}
        headers |= {name.lower(): value for name, value in request.headers.items()}
        if isinstance(request.body, bytes):
            headers["content-length"] = str(len(request.body))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": server.scheme,
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": (server.hostname, server.port),
        }


def _chunks(next_message: Callable[[], Message | None]) -> Iterator[bytes]:
    while (message := next_message()) is not None:
        if chunk := message.get("body", b""):
            yield chunk
        if not message.get("more_body", False):
            return
    raise Unavailable("The application broke off in the middle of an answer.")


async def _cancel_all() -> None:
    running = asyncio.all_tasks() - {asyncio.current_task()}
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


class _Exchange:
    """One request and its answer, on the event loop."""

    def __init__(self, app: AsgiApp, request: Request, scope: Message) -> None:
        self._app = app
        self._scope = scope
        self._body = iter([request.body] if isinstance(request.body, bytes) else request.body)
        self._exhausted = False
        self._answered = False
        self._disconnected = asyncio.Event()
        self._answer: asyncio.Queue[Message] = asyncio.Queue(_WAITING_MESSAGES)
        self._task: asyncio.Task[None] | None = None
        self.failure: Exception | None = None  # of the source of the body

    async def start(self) -> None:
        self._task = asyncio.ensure_future(self._work())
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())  # a late error is no warning

    async def stop(self) -> None:
        """The client goes away: the application learns it from ``receive``, and is cancelled unless it has answered."""
        self._disconnected.set()
        if self._task is not None and not self._answered:
            self._task.cancel()

    async def next_message(self) -> Message | None:
        """The next part of the answer; None when the application is done.

        Raises:
            Exception: Whatever ended the application.
        """
        assert self._task is not None
        waiting = asyncio.ensure_future(self._answer.get())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return self._noted(waiting.result())
        waiting.cancel()
        if not self._answer.empty():
            return self._noted(self._answer.get_nowait())
        if self.failure is not None:
            raise self.failure
        self._task.result()
        return None

    def _noted(self, message: Message) -> Message:
        self._answered = message["type"] == "http.response.body" and not message.get("more_body", False)
        return message

    async def _work(self) -> None:
        await self._app(self._scope, self._receive, self._answer.put)

    async def _receive(self) -> Message:
        if not self._exhausted and self.failure is None:
            try:
                chunk = await asyncio.to_thread(next, self._body, None)
            except Exception as e:
                self.failure = e
                return {"type": "http.disconnect"}
            self._exhausted = chunk is None
            return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}
        await self._disconnected.wait()
        return {"type": "http.disconnect"}
