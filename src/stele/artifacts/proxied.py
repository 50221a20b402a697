"""Artifacts that a tracking server keeps, ours or MLflow's: ``mlflow-artifacts:/path`` and ``mlflow-artifacts://host/path``."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlsplit

from stele import settings
from stele.artifacts.base import ArtifactVersions, Files, Reader, Versions, check_range, file_path
from stele.artifacts.paths import normalise
from stele.errors import (
    EndpointNotFound,
    InvalidParameterValue,
    NotImplementedHere,
    SteleError,
    shown,
)
from stele.schema.artifacts import FileInfo, ListProxiedArtifactsResponse
from stele.schema.codec import M, decode
from stele.transport import HttpTransport, Request, Response, Transport

__all__ = ["ProxiedRepository", "open_proxied"]

logger = logging.getLogger(__name__)

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
VERSIONS = "/api/2.0/stele/artifacts/versions"

_DIGEST = re.compile(r'"([0-9a-f]{64})"')
_TOTAL = re.compile(r"bytes [0-9]+-[0-9]+/([0-9]+)")
_PLAIN_TYPE = {"Content-Type": "application/octet-stream"}


class ProxiedRepository:
    """An :class:`~stele.artifacts.base.ArtifactRepository` behind a tracking server.

    With a server of MLflow there are no digests and no versions.

    Args:
        transport: To the server. It stays open unless ``owned``.
        root: Below the server's artifact destination.
        owned: Whether closing the repository closes the transport.
    """

    def __init__(self, transport: Transport, root: str = "", *, owned: bool = False) -> None:
        self._transport = transport
        self._root = normalise(root)
        self._owned = owned
        self.uri = f"mlflow-artifacts:/{self._root}"

    def list(self, path: str = "") -> Files:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.list`.

        A name that no path can have, which only a hostile server sends, is left out with a warning.
        """
        directory = normalise(path)
        query = [("path", self._outside(directory))] if self._outside(directory) else []
        answer = self._asked(Request("GET", ARTIFACTS, query=query), ListProxiedArtifactsResponse)
        found = [self._listed(directory, info) for info in answer.files]
        return sorted((info for info in found if info is not None), key=lambda info: info.path)

    def stat(self, path: str) -> FileInfo | None:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.stat`."""
        key = normalise(path)
        if not key:
            return FileInfo("", is_dir=True) if self.list() else None
        info = next((info for info in self.list(key.rpartition("/")[0]) if info.path == key), None)
        if info is None or info.is_dir:
            return info
        current = next((version for version in self.versions(key) if version.current), None)
        if current is None:
            return info
        return FileInfo(key, is_dir=False, file_size=current.file_size, sha256=current.sha256, version=current.version)

    def open_read(self, path: str, *, offset: int = 0, length: int | None = None, version: int | None = None) -> Reader:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.open_read`."""
        key = file_path(path)
        partial = offset != 0 or length is not None
        if partial:
            check_range(offset, length, offset + 1)
        headers = {"Range": f"bytes={offset}-{'' if length is None else offset + length - 1}"} if partial else {}
        query = [] if version is None else [("version", str(version))]
        response = self._transport.send(Request("GET", self._address(key), query=query, headers=headers))
        try:
            info = _described(key, response)
            if version is not None and info.version != version:
                raise NotImplementedHere(f"{self._transport.address} keeps no versions of artifacts.")
            chunks = response.chunks
            if partial and response.status != 206:  # the server sends the whole
                check_range(offset, length, offset + 1 if info.file_size is None else info.file_size)
                chunks = _part(chunks, offset, length)
        except SteleError:
            response.close()
            raise
        return Reader(info, chunks, response.close)

    def write(self, path: str, chunks: Iterable[bytes]) -> FileInfo:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.write`. What arrived is compared with what was sent."""
        key = file_path(path)
        sent = _Measured(chunks)
        # What gives the same iterator again, as a `Reader` does, can be sent once.
        body = sent if iter(chunks) is not iter(chunks) else iter(sent)
        with self._transport.send(Request("PUT", self._address(key), headers=_PLAIN_TYPE, body=body)) as response:
            kept = _described(key, response)
        if kept.sha256 is not None and kept.sha256 != sent.digest.hexdigest():
            raise SteleError(f"{shown(key)} reached {self._transport.address} with another content. Send it again.")
        return FileInfo(key, is_dir=False, file_size=sent.size, sha256=sent.digest.hexdigest(), version=kept.version)

    def delete(self, path: str) -> None:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.delete`."""
        key = normalise(path)
        if self._outside(key):
            self._transport.send(Request("DELETE", self._address(key))).close()
            return
        for info in self.list():
            self.delete(info.path)

    def versions(self, path: str) -> Versions:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.versions`."""
        query = [("path", self._outside(file_path(path)))]
        try:
            return self._asked(Request("GET", VERSIONS, query=query), ArtifactVersions).versions
        except EndpointNotFound:  # MLflow's server
            return []

    def close(self) -> None:
        """Give back connections that were opened for this repository."""
        if self._owned:
            self._transport.close()

    def _outside(self, key: str) -> str:
        return "/".join(part for part in (self._root, key) if part)

    def _address(self, key: str) -> str:
        return f"{ARTIFACTS}/{quote(self._outside(key), safe='/')}"

    def _asked(self, request: Request, cls: type[M]) -> M:
        body = self._transport.send(request).read()
        try:
            return decode(body, cls)
        except InvalidParameterValue as e:
            raise SteleError(
                f"{self._transport.address} does not answer like a server of artifacts: {e.message}"
            ) from e

    def _listed(self, directory: str, info: FileInfo) -> FileInfo | None:
        path = f"{directory}/{info.path}" if directory else info.path
        try:
            harmless = "/" not in info.path and normalise(path) == path and path != directory
        except InvalidParameterValue:
            harmless = False
        if not harmless:
            logger.warning("%s lists %s, which is no name of an artifact", self._transport.address, shown(info.path))
            return None
        return FileInfo(path, info.is_dir, None if info.is_dir else info.file_size)


class _Measured:
    """Chunks on their way, with the size and digest of what has passed since the last beginning."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        self.size, self.digest = 0, hashlib.sha256()
        for chunk in self._chunks:
            self.size += len(chunk)
            self.digest.update(chunk)
            yield chunk


def _described(key: str, response: Response) -> FileInfo:
    """What the headers of an answer tell about the whole file."""
    digest = _DIGEST.fullmatch(response.headers.get("etag", ""))
    version = response.headers.get("x-stele-version", "")
    size: str | None = response.headers.get("content-length")
    if response.status == 206:
        total = _TOTAL.fullmatch(response.headers.get("content-range", ""))
        size = total[1] if total else None
    return FileInfo(
        key,
        is_dir=False,
        file_size=int(size) if size and size.isdecimal() else None,
        sha256=digest[1] if digest else None,
        version=int(version) if version.isdecimal() else None,
    )


def _part(chunks: Iterator[bytes], offset: int, length: int | None) -> Iterator[bytes]:
    skipped, left = offset, length
    for chunk in chunks:
        part = chunk[skipped:]
        skipped = max(0, skipped - len(chunk))
        part = part if left is None else part[:left]
        if part:
            yield part
        if left is not None:
            left -= len(part)
            if not left:
                return


def open_proxied(uri: str, transport: Transport | None = None) -> ProxiedRepository:
    """The repository of an ``mlflow-artifacts:`` URI.

    Without a host in the URI it is the tracking server's. With one it is that server, and since anybody who can make an
    experiment can write such a URI, credentials go there only when it is the tracking server itself.

    Args:
        uri: The URI.
        transport: To the tracking server; None takes the one of ``STELE_TRACKING_URI``.

    Raises:
        InvalidParameterValue: There is no tracking server, or the URI has an odd form.
    """
    rest = uri.partition(":")[2]
    host, _, root = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest.lstrip("/"))
    address = transport.address if transport else settings.TRACKING_URI.get()
    tracking = urlsplit(address)
    if not host or host == tracking.netloc.rpartition("@")[2]:
        if transport is not None:
            return ProxiedRepository(transport, root)
        if tracking.scheme not in ("http", "https"):
            raise InvalidParameterValue(
                f"{shown(uri)} lies on the tracking server, but none is set. Set the tracking URI to http://host:port."
            )
        return ProxiedRepository(HttpTransport(address), root, owned=True)
    scheme = tracking.scheme if tracking.scheme in ("http", "https") else "http"
    return ProxiedRepository(HttpTransport(f"{scheme}://{host}", authenticate=False), root, owned=True)
