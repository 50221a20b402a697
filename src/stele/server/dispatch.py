"""From a JSON request to a store and back: one function for the whole route table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from stele import settings
from stele.errors import DeadlineExceeded, InvalidParameterValue, PayloadTooLarge
from stele.schema.codec import decode, decode_query, encode
from stele.schema.routes import Route, addresses
from stele.server.endpoints import Endpoint, Handler
from stele.server.security import require_json

__all__ = ["json_response", "refuse_compressed", "route_endpoints"]

_BODY_SECONDS = 60.0

Operation = Callable[[Any], Struct]


def route_endpoints(route: Route, operation: Operation) -> list[Endpoint]:
    """The endpoints of one line of the route table."""
    handler = _handler(route, operation)
    return [Endpoint(route.method, address, route.permission, handler, route.operation) for address in addresses(route)]


def _handler(route: Route, operation: Operation) -> Handler:
    async def handle(request: Request) -> Response:
        message = await _message(request, route)
        # Stores are synchronous; a bounded pool of threads runs them.
        return json_response(await anyio.to_thread.run_sync(operation, message))

    return handle


async def _message(request: Request, route: Route) -> Struct:
    if route.method == "GET":
        query: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            query.setdefault(name, []).append(value)
        return decode_query(query | {name: [value] for name, value in request.path_params.items()}, route.request)
    require_json(request.headers.get("content-type", ""))
    body = await read_body(request, settings.MAX_BODY_BYTES.get())
    if request.path_params:  # the address decides which entity is meant; a body may repeat it, not change it
        return decode(_with_path(body, request.path_params), route.request)
    return decode(body, route.request)


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
    length = request.headers.get("content-length", "0")
    if not length.isdigit():
        raise InvalidParameterValue("Content-Length is not a number.")
    if int(length) > limit:
        raise PayloadTooLarge(f"The body has {length} bytes, at most {limit} are accepted (STELE_MAX_BODY_BYTES).")
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


def refuse_compressed(request: Request) -> None:
    """Refuse a body whose size is not known before it is unpacked.

    Raises:
        InvalidParameterValue: It has a Content-Encoding.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise InvalidParameterValue("A compressed body is not accepted here; send it without Content-Encoding.")


def json_response(message: object, status: int = 200) -> Response:
    """An answer with a JSON body."""
    return Response(encode(message), status, media_type="application/json")
