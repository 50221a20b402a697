"""What every transport sends and gives back, and how the error in an answer becomes an exception."""

from __future__ import annotations

import http
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Protocol, Self
from urllib.parse import urlencode

import msgspec

from stele import errors
from stele.errors import shown

__all__ = ["CHUNK_BYTES", "Body", "Request", "Response", "Transport", "checked", "retry_after_seconds", "user_agent"]

CHUNK_BYTES = 1024 * 1024
"""How much of a stream is held in memory at once."""

Body = bytes | Iterable[bytes]
"""What is sent. An iterable that can be iterated again (not a bare iterator) can be sent again on a retry."""

_MAX_ERROR_BYTES = 64 * 1024


class Request(msgspec.Struct, frozen=True):
    """What is asked of a server.

    Attributes:
        method: HTTP verb.
        path: Below the server's address: begins with ``/`` and is percent-encoded.
        query: Pairs of name and value, not encoded.
        headers: Beside those that the transport adds.
        body: See :data:`Body`.
        repeatable: Whether doing it twice is like doing it once; None stands for every verb but POST and PATCH.
    """

    method: str
    path: str
    query: Iterable[tuple[str, str]] = ()
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: Body = b""
    repeatable: bool | None = None

    def target(self) -> str:
        """Path and query as they stand in the first line of an HTTP request."""
        query = urlencode(list(self.query))
        return f"{self.path}?{query}" if query else self.path

    def is_repeatable(self) -> bool:
        """Whether it may be sent again after the server may have acted on it."""
        return self.method not in ("POST", "PATCH") if self.repeatable is None else self.repeatable


class Response:
    """An answer whose body is still to be read. Closing it early gives up the rest.

    Args:
        status: HTTP status.
        headers: By lower-case name.
        chunks: The body in pieces.
        close: Gives the connection back.
        whole: Reads the body in one piece, where that is cheaper than joining the chunks.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        chunks: The body, in pieces of at most about 1 MiB.
    """

    __slots__ = ("_close", "_whole", "chunks", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        chunks: Iterator[bytes],
        close: Callable[[], None],
        whole: Callable[[], bytes] | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.chunks = chunks
        self._whole = whole
        self._close = close

    def read(self) -> bytes:
        """The body, of which nothing was read before; the response is closed."""
        with self:
            return b"".join(self.chunks) if self._whole is None else self._whole()

    def close(self) -> None:
        """Give the connection back."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transport(Protocol):
    """Sends requests to one server. Any thread may use it.

    Attributes:
        address: The server, for messages and comparison: no credentials in it.
    """

    address: str

    def send(self, request: Request) -> Response:
        """The answer to a request, with a status of 200 to 299.

        Raises:
            SteleError: The class that the server's error code or status stands for.
            Unavailable: The server cannot be reached.
            DeadlineExceeded: It does not answer in time.
        """
        ...

    def close(self) -> None:
        """Give back connections and threads."""
        ...


@cache
def user_agent() -> str:
    """The name under which this client speaks."""
    from importlib.metadata import PackageNotFoundError, version  # not needed until something is sent

    try:
        return f"stele-python-client/{version('stele')}"
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "stele-python-client/0"


class _ErrorBody(msgspec.Struct):
    error_code: str
    message: str = ""


def checked(response: Response, request: Request, address: str) -> Response:
    """The response, unchanged when it tells success.

    Raises:
        SteleError: Otherwise; the class follows from the error code, or from the status when the body is not JSON.
    """
    if 200 <= response.status < 300:
        return response
    with response:
        body = bytearray()
        for chunk in response.chunks:
            body += chunk
            if len(body) > _MAX_ERROR_BYTES:
                break
    error = _error(response.status, bytes(body), request, address)
    error.retry_after_seconds = retry_after_seconds(response.headers.get("retry-after"))
    raise error


def _error(status: int, body: bytes, request: Request, address: str) -> errors.SteleError:
    try:
        found = msgspec.json.decode(body, type=_ErrorBody)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        text = " ".join(body[:400].decode(errors="replace").split())
        message = f"{address} answered {_status(status)} to {request.method} {shown(request.path)}"
        code = "TEMPORARILY_UNAVAILABLE" if status == http.HTTPStatus.BAD_GATEWAY else None
        return errors.from_wire(status, code, f"{message}: {shown(text)}" if text else f"{message}.")
    return errors.from_wire(status, found.error_code, found.message)


def retry_after_seconds(header: str | None) -> float | None:
    """The seconds that a ``Retry-After`` header asks for, 0 or more; None when it says nothing or nonsense."""
    if header is None:
        return None
    try:
        return max(float(int(header)), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):  # no date, or one without a zone
        return None


def _status(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
