"""The web page: files that were built from ``ui/``, answered from memory.

A build is ``index.html`` and ``assets/``. Its files are listed once, when the server starts, and each becomes an
endpoint of its own: an address leads to a file because it stands in that list, never because a path was made of it.
The page holds no data, so it is public; what it shows it asks for, as every other client.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from functools import cached_property
from pathlib import Path

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from stele.schema.routes import Permission
from stele.server.endpoints import Endpoint

__all__ = ["BUILD", "PAGE_POLICY", "accepts_gzip", "page_endpoints"]

BUILD = Path(__file__).parent / "static"
"""Where the package has the page; empty in a checkout in which nobody built it."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self'; frame-src 'self' blob:; media-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""The Content-Security-Policy of the page: scripts and styles are files of this server, and nothing else runs."""

_NO_BUILD = """Stele

This server answers programs: set STELE_TRACKING_URI (or MLFLOW_TRACKING_URI) to this address.
/api/openapi.json describes every operation, /health and /metrics tell how it is.

The web page is not part of this installation. In a checkout, `make ui` builds it; a released package has it.
"""

_INDEX = "index.html"
_HASHED = re.compile(r"assets/(?:.*/)?[^/]+[-.][A-Za-z0-9_-]{8,}\.\w+")  # Vite: name-hash.extension
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = mimetypes.MimeTypes(filenames=())  # the table of Python, not that of the machine
_OTHER_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2", ".map": "application/json"}
_COMPRESSIBLE = re.compile(r"text/.*|application/(json|manifest\+json|wasm)|image/svg\+xml")


def page_endpoints(build: Path = BUILD) -> list[Endpoint]:
    """An endpoint for each file of a build, ``/`` for its ``index.html``.

    Args:
        build: A directory; without ``index.html`` in it ``/`` says how to get the page.
    """
    names = sorted(file.relative_to(build).as_posix() for file in build.rglob("*") if file.is_file())
    if _INDEX not in names:
        return [Endpoint("GET", "/", Permission.PUBLIC, _explain, "page")]
    return [_File(build / name, name).endpoint() for name in names if "{" not in name]


async def _explain(_request: Request) -> Response:
    return Response(_NO_BUILD, media_type="text/plain")


class _File:
    """One file of the build; read and compressed when it is first asked for."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        kind = _OTHER_TYPES.get(path.suffix) or _TYPES.guess_type(name)[0] or "application/octet-stream"
        self._compressible = _COMPRESSIBLE.fullmatch(kind) is not None
        self._type = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
        self._lasting = _HASHED.fullmatch(name) is not None

    def endpoint(self) -> Endpoint:
        """Where it is answered."""
        address = "/" if self._name == _INDEX else f"/{self._name}"
        return Endpoint("GET", address, Permission.PUBLIC, self._answer, "page")

    @cached_property
    def _content(self) -> bytes:
        return self._path.read_bytes()

    @cached_property
    def _compressed(self) -> bytes:
        return gzip.compress(self._content, 9, mtime=0)

    @cached_property
    def _tag(self) -> str:
        # Weak, because it stands for the compressed form as well.
        return f'W/"{hashlib.sha256(self._content).hexdigest()[:32]}"'

    async def _answer(self, request: Request) -> Response:
        compressed = self._compressible and accepts_gzip(request.headers.get("accept-encoding", ""))
        body, tag = await anyio.to_thread.run_sync(self._read, compressed)
        headers = {
            "Cache-Control": _FOR_EVER if self._lasting else "no-cache",
            "ETag": tag,
            "Content-Security-Policy": PAGE_POLICY,
        }
        if self._compressible:
            headers["Vary"] = "Accept-Encoding"
        if _is_known(request.headers.get("if-none-match", ""), tag):
            return Response(b"", 304, headers)
        if compressed:
            headers["Content-Encoding"] = "gzip"
        headers |= {"Content-Length": str(len(body)), "Content-Type": self._type}
        return Response(b"" if request.method == "HEAD" else body, 200, headers)

    def _read(self, compressed: bool) -> tuple[bytes, str]:
        return self._compressed if compressed else self._content, self._tag


def accepts_gzip(header: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip."""
    for part in header.split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() in ("gzip", "x-gzip"):
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight) is None
    return False


def _is_known(header: str, tag: str) -> bool:
    known = [item.strip().removeprefix("W/") for item in header.split(",")]
    return "*" in known or tag.removeprefix("W/") in known
