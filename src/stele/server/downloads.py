"""How a file is answered: its headers, the part that was asked for, its bytes in constant memory."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from urllib.parse import quote

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from stele.artifacts import ArtifactRepository, Reader
from stele.errors import InvalidParameterValue
from stele.schema.artifacts import FileInfo
from stele.schema.codec import encode

__all__ = ["described", "file_response", "stream_response"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_ASCII_NAME = re.compile(r"[A-Za-z0-9._ +=@,()-]+")
_TYPES = mimetypes.MimeTypes(filenames=())  # the table of Python, not that of the machine
for _kind, _suffix in (  # known to Python from 3.13 on
    ("image/webp", ".webp"),
    ("image/avif", ".avif"),
    ("audio/flac", ".flac"),
    ("audio/ogg", ".ogg"),
    ("audio/mp4", ".m4a"),
):
    _TYPES.add_type(_kind, _suffix)
_TEXT_TYPES = re.compile(r"text/.*|image/svg.*|application/(json|xml|(x-)?javascript|x-sh|x-csh|sql|.*\+xml)")
_TEXT_NAMES = re.compile(
    r"MLmodel|.*\.(ya?ml|toml|ini|cfg|conf|log|lock|jsonl|md|diff|patch|sql|r|jl|ipynb)", re.IGNORECASE
)
_AS_THEY_ARE = ("image/", "audio/", "video/")

_SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
}
"""A file may be anything, a page with scripts too: it is a download, and where it is shown, it cannot act."""

_POLICIES = {
    # An origin of its own, from which nothing can be asked of anybody: scripts draw a figure, and that is all.
    "text/html": (
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; "
        "style-src 'unsafe-inline' data:; img-src data: blob:; font-src data:; connect-src 'none'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "image/svg+xml": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:",
}
"""What a file that is shown may do, by its type; others may do nothing."""


async def file_response(
    repository: ArtifactRepository, path: str, request: Request, *, shown: bool = False
) -> Response:
    """The content of a file, or the part of it that ``Range`` names; ``version`` in the query chooses a version.

    Args:
        repository: Where the file is.
        path: Which one.
        request: Who asks.
        shown: For a page that shows it: what a browser can show is not a download, and HTML runs its scripts, in an
            origin of its own that reaches nothing.

    Raises:
        DoesNotExist: No such file or version.
        InvalidParameterValue: The path or version is not allowed, or names a directory.
    """
    version = _version(request.query_params.get("version"))
    wanted, condition = request.headers.get("range"), request.headers.get("if-range")
    reader, part = await anyio.to_thread.run_sync(_opened, repository, path, version, wanted, condition)
    info = reader.info
    headers = _headers(info) | (_shown_headers(info) if shown else {}) | {"Accept-Ranges": "bytes"}
    if part is _UNSATISFIABLE:
        reader.close()
        problem = InvalidParameterValue(f"The file has {info.file_size} bytes; the part {wanted!r} is behind its end.")
        headers = {"Content-Range": f"bytes */{info.file_size}"}
        return Response(encode(problem.to_wire()), 416, headers, media_type="application/json")
    status, length = 200, info.file_size
    if part is not None:
        status, length = 206, part[1]
        headers["Content-Range"] = f"bytes {part[0]}-{part[0] + part[1] - 1}/{info.file_size}"
    if length is not None:
        headers["Content-Length"] = str(length)
    if request.method == "HEAD":
        reader.close()
        return Response(b"", status, headers)
    return _StreamResponse(iter(reader), reader.close, headers, status)


def stream_response(chunks: Iterator[bytes], name: str, media_type: str) -> Response:
    """A download that is made while it is sent."""
    headers = {**_SAFE_HEADERS, "Content-Type": media_type, "Content-Disposition": _disposition("attachment", name)}
    return _StreamResponse(chunks, getattr(chunks, "close", lambda: None), headers)


def described(info: FileInfo) -> dict[str, str]:
    """The headers that tell digest and version."""
    headers = {}
    if info.sha256 is not None:
        headers["ETag"] = f'"{info.sha256}"'
    if info.version is not None:
        headers["X-Stele-Version"] = str(info.version)
    return headers


Part = tuple[int, int]
"""First byte and number of bytes."""

_UNSATISFIABLE: Part = (-1, -1)


def _opened(
    repository: ArtifactRepository, path: str, version: int | None, wanted: str | None, condition: str | None
) -> tuple[Reader, Part | None]:
    reader = repository.open_read(path, version=version)
    info = reader.info
    if wanted is None or info.file_size is None or (condition and condition != described(info).get("ETag")):
        return reader, None
    part = _part(wanted, info.file_size)
    if part is None or part is _UNSATISFIABLE:
        return reader, part
    reader.close()
    # By its number, so that a writer in between does not mix two contents.
    return repository.open_read(path, offset=part[0], length=part[1], version=info.version), part


def _part(wanted: str, size: int) -> Part | None:
    """What a Range header asks for; None for what may be ignored: another unit, several parts, nonsense."""
    match = _RANGE.fullmatch(wanted.replace(" ", ""))
    if match is None or match.groups() == ("", "") or len(wanted) > 100:
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, length) if length else _UNSATISFIABLE
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    return (start, end - start + 1) if start < size else _UNSATISFIABLE


def _version(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise InvalidParameterValue(f"version {text[:20]!r} is not a whole number from 1.")
    return int(text)


def _headers(info: FileInfo) -> dict[str, str]:
    name = info.path.rpartition("/")[2]
    headers = {"Content-Type": _media_type(name), "Content-Disposition": _disposition("attachment", name)}
    return _SAFE_HEADERS | headers | described(info)


def _shown_headers(info: FileInfo) -> dict[str, str]:
    """What is other for a file that is shown; nothing for one that no browser shows."""
    name = info.path.rpartition("/")[2]
    guess = _TYPES.guess_type(name)[0] or ""
    kind = guess if guess in _POLICIES else _media_type(name)
    if not kind.startswith((*_AS_THEY_ARE, "text/", "application/pdf")):
        return {}
    headers = {"Content-Disposition": _disposition("inline", name)}
    if kind in _POLICIES:
        headers["Content-Security-Policy"] = _POLICIES[kind]
        headers["Content-Type"] = "text/html; charset=utf-8" if kind == "text/html" else kind
    return headers


def _media_type(name: str) -> str:
    guess = _TYPES.guess_type(name)[0] or "application/octet-stream"
    if _TEXT_TYPES.fullmatch(guess) or _TEXT_NAMES.fullmatch(name):
        return "text/plain; charset=utf-8"
    return guess if guess.startswith(_AS_THEY_ARE) or guess == "application/pdf" else "application/octet-stream"


def _disposition(kind: str, name: str) -> str:
    if _ASCII_NAME.fullmatch(name):
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"


class _StreamResponse(StreamingResponse):
    """Chunks that are made in threads; their source is closed whether or not the client takes them."""

    def __init__(
        self, chunks: Iterator[bytes], close: Callable[[], None], headers: dict[str, str], status: int = 200
    ) -> None:
        super().__init__(_in_threads(chunks), status, headers)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with suppress(ValueError):  # a thread that is still reading, of a client that is gone, closes when it ends
                self._close()  # not in a thread: a cancelled request may not wait for one


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await anyio.to_thread.run_sync(next, chunks, None)) is not None:
        yield chunk
