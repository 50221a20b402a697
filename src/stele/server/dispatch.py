"""From a request to a store and back: one function for the whole route table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import anyio.to_thread
import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from stele import settings
from stele.errors import DeadlineExceeded, InvalidParameterValue, PayloadTooLarge, TooManyRequests
from stele.schema.codec import decode, decode_query, encode
from stele.schema.routes import Format, Route, addresses
from stele.schema.runs import LogBatch
from stele.server.endpoints import Endpoint, Handler
from stele.server.grouping import Grouper
from stele.server.security import require_content_type

__all__ = ["BodyBudget", "grouped_endpoints", "json_response", "refuse_compressed", "route_endpoints"]

_BODY_SECONDS = 60.0
_SMALL_BYTES = 64 * 1024
_JSON = "application/json"

Operation = Callable[[Any], Struct]
Read = Callable[[], Struct]


class BodyBudget:
    """The bytes of request bodies that may be in memory at once; used on the event loop only.

    Args:
        limit: Bytes; a single body may always take what is free.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Count a body as long as it is worked on.

        Raises:
            TooManyRequests: It does not fit beside the others.
        """
        if self._held and self._held + size > self._limit:
            raise TooManyRequests(
                f"The server is working on {self._held} bytes of requests, at most {self._limit} are accepted at once "
                "(STELE_INFLIGHT_BYTES). Send it again later."
            )
        self._held += size
        try:
            yield
        finally:
            self._held -= size


def route_endpoints(route: Route, operation: Operation, budget: BodyBudget) -> list[Endpoint]:
    """The endpoints of one line of the route table."""
    handler = _handler(route, operation, budget)
    return [Endpoint(route.method, address, route.permission, handler, route.operation) for address in addresses(route)]


def grouped_endpoints(
    route: Route, grouper: Grouper[LogBatch], others: Operation, budget: BodyBudget
) -> list[Endpoint]:
    """The endpoints of a line of the table that logs points: small requests share commits.

    Args:
        route: Whose request is a :class:`LogBatch`, or can become one with ``as_batch``.
        grouper: Takes batches of metrics alone.
        others: The operation for larger bodies, and for batches with params or tags.
        budget: Counts the bodies.
    """
    plain = _handler(route, others, budget)
    done = encode(route.response())

    async def handle(request: Request) -> Response:
        size = _declared_bytes(request, settings.MAX_BODY_BYTES.get())
        if size > _SMALL_BYTES:
            return await plain(request)
        with budget.hold(size):
            message: Any = (await _body_reader(request, route, _SMALL_BYTES))()
            batch: LogBatch = message.as_batch()
            if batch.params or batch.tags:
                return Response(encode(await anyio.to_thread.run_sync(others, message)), media_type=_JSON)
            await grouper.submit(batch)
            return Response(done, media_type=_JSON)

    return [Endpoint(route.method, address, route.permission, handle, route.operation) for address in addresses(route)]


def _handler(route: Route, operation: Operation, budget: BodyBudget) -> Handler:
    async def handle(request: Request) -> Response:
        media_type, write = _answer_format(request.headers.get("accept", ""), route.response_formats)

        def work(read: Read) -> Response:
            return Response(write(operation(read())), media_type=media_type)

        # Stores are synchronous; a bounded pool of threads runs them, and reads and writes long messages too.
        if route.method == "GET":
            return await anyio.to_thread.run_sync(work, _query_reader(request, route))
        limit = settings.MAX_BODY_BYTES.get()
        with budget.hold(_declared_bytes(request, limit)):
            return await anyio.to_thread.run_sync(work, await _body_reader(request, route, limit))

    return handle


def _answer_format(accept: str, formats: Sequence[Format]) -> tuple[str, Callable[[Any], bytes]]:
    """The first form of the answer that the header names literally, else JSON."""
    if formats:
        wanted = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
        for item in formats:
            if item.media_type in wanted:
                return item.media_type, item.encode
    return _JSON, encode


def _query_reader(request: Request, route: Route) -> Read:
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    query |= {name: [value] for name, value in request.path_params.items()}
    return lambda: decode_query(query, route.request)


async def _body_reader(request: Request, route: Route, limit: int) -> Read:
    others = {item.media_type: item.decode for item in route.request_formats}
    stated = request.headers.get("content-type", "")
    if route.method == "DELETE" and not stated and not _declared_bytes(request, limit):
        stated = _JSON  # MLflow's client sends nothing at all; a foreign page cannot, DELETE needs a preflight
    kind = require_content_type(stated, *others)
    body = await read_body(request, limit)
    if kind in others:
        return lambda: cast("Struct", others[kind](body))
    if request.path_params:  # the address decides which entity is meant; a body may repeat it, not change it
        return lambda: decode(_with_path(body, request.path_params), route.request)
    return lambda: decode(body, route.request)


def _with_path(body: bytes, values: dict[str, Any]) -> bytes:
    try:
        raw = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError):
        return body  # decode() explains what is wrong with it
    return encode(raw | values) if isinstance(raw, dict) else body


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body of a request.

    Raises:
        PayloadTooLarge: It has more than ``limit`` bytes; what was sent beyond is not kept.
        DeadlineExceeded: It does not arrive within a minute.
        InvalidParameterValue: It is compressed, or its length is not a number.
    """
    refuse_compressed(request)
    _declared_bytes(request, limit)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise PayloadTooLarge(f"The body has more than {limit} bytes (STELE_MAX_BODY_BYTES).")
                pieces.append(piece)
    except TimeoutError as e:
        raise DeadlineExceeded(f"The body did not arrive within {_BODY_SECONDS:g} seconds.") from e
    return b"".join(pieces)


def _declared_bytes(request: Request, limit: int) -> int:
    """The bytes that a body will have; one of unknown length may need all that is allowed."""
    length = request.headers.get("content-length", str(limit) if "transfer-encoding" in request.headers else "0")
    if not (length.isascii() and length.isdigit()):
        raise InvalidParameterValue("Content-Length is not a number.")
    if int(length) > limit:
        raise PayloadTooLarge(f"The body has {length} bytes, at most {limit} are accepted (STELE_MAX_BODY_BYTES).")
    return int(length)


def refuse_compressed(request: Request) -> None:
    """Refuse a body whose size is not known before it is unpacked.

    Raises:
        InvalidParameterValue: It has a Content-Encoding.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise InvalidParameterValue("A compressed body is not accepted here; send it without Content-Encoding.")


def json_response(message: object, status: int = 200) -> Response:
    """An answer with a JSON body."""
    return Response(encode(message), status, media_type=_JSON)
