"""Sources that an address names, or the program itself, and which one a text means."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from stele.client.context import context_tags
from stele.client.downloads import download_artifacts
from stele.data.dataset_source import DatasetSource, required_field
from stele.errors import InvalidParameterValue, NotImplementedHere, shown
from stele.transport import HttpTransport, Request

__all__ = [
    "CodeDatasetSource",
    "FileSystemDatasetSource",
    "HTTPDatasetSource",
    "LocalArtifactDatasetSource",
    "S3DatasetSource",
    "resolve_source",
]

_SECRET = re.compile(r"token|passw|secret|credential|key|auth|sig", re.IGNORECASE)
_USER_INFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*://)[^/]*@")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+):")  # one letter is a Windows drive


class CodeDatasetSource(DatasetSource):
    """The program that made the data, told by the tags of a run.

    Args:
        tags: Tags by key, such as ``mlflow.source.name``; None means those of this program.
    """

    def __init__(self, tags: dict[str, Any] | None = None) -> None:
        self.tags = context_tags() if tags is None else dict(tags)

    @staticmethod
    def _get_source_type() -> str:
        return "code"

    def load(self) -> Any:
        """Cannot be done: only running the program again makes the data.

        Raises:
            NotImplementedHere: Always.
        """
        raise NotImplementedHere("A dataset made by code cannot be loaded from its source. Run the program again.")

    def to_dict(self) -> dict[str, Any]:
        """The tags."""
        return {"tags": self.tags}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> Self:
        """The source that :meth:`to_dict` described."""
        return cls(source_dict.get("tags") or {})


class FileSystemDatasetSource(DatasetSource):
    """A file or directory that an address names: on this machine, in a run, or in an object store.

    Args:
        uri: The address, or a path.
    """

    def __init__(self, uri: str) -> None:
        self._uri = os.fspath(uri)

    @property
    def uri(self) -> str:
        """The address."""
        return self._uri

    @staticmethod
    def _get_source_type() -> str:
        return "filesystem"

    def load(self, dst_path: str | None = None) -> str:
        """Copy the data to this machine and return the local path.

        Args:
            dst_path: A local directory; None makes a temporary one.

        Raises:
            DoesNotExist: There are no data.
            InvalidParameterValue: Nobody handles this kind of address.
        """
        return download_artifacts(artifact_uri=self._uri, dst_path=dst_path)

    def to_dict(self) -> dict[str, Any]:
        """The address, without user and password."""
        return {"uri": _USER_INFO.sub(r"\1", self._uri)}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> Self:
        """The source that :meth:`to_dict` described.

        Raises:
            InvalidParameterValue: The address is missing.
        """
        return cls(required_field(source_dict, "uri"))


class LocalArtifactDatasetSource(FileSystemDatasetSource):
    """A file or directory on the machine that logged it."""

    @staticmethod
    def _get_source_type() -> str:
        return "local"


class S3DatasetSource(FileSystemDatasetSource):
    """An object, or a prefix of objects, in S3."""

    @staticmethod
    def _get_source_type() -> str:
        return "s3"


class HTTPDatasetSource(DatasetSource):
    """A file on a web server.

    Args:
        url: Its address. It is stored without user and password, and without the values of query fields that look
            like secrets.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        """The address."""
        return self._url

    @staticmethod
    def _get_source_type() -> str:
        return "http"

    def load(self, dst_path: str | None = None) -> str:
        """Download the file and return the local path.

        Args:
            dst_path: A local directory; None makes a temporary one.

        Raises:
            SteleError: The server does not give it.
        """
        import tempfile

        parts = urlsplit(self._url)
        directory = Path(dst_path or tempfile.mkdtemp(prefix="stele-"))
        directory.mkdir(parents=True, exist_ok=True)
        # Only the last segment of the path counts, so that a server cannot choose where the file goes.
        target = directory / (Path(unquote(parts.path)).name or "dataset_source")
        request = Request("GET", quote(parts.path, safe="/%") or "/", parse_qsl(parts.query, keep_blank_values=True))
        # Credentials for the tracking server are not for others.
        transport = HttpTransport(f"{parts.scheme}://{parts.netloc}", authenticate=False)
        try:
            with transport.send(request) as response, target.open("wb") as file:
                file.writelines(response.chunks)
        finally:
            transport.close()
        return str(target)

    def to_dict(self) -> dict[str, Any]:
        """The address, without secrets."""
        return {"url": _without_secrets(self._url)}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> Self:
        """The source that :meth:`to_dict` described.

        Raises:
            InvalidParameterValue: The address is missing.
        """
        return cls(required_field(source_dict, "url"))


def resolve_source(source: Any) -> DatasetSource:
    """The source that a user means.

    Args:
        source: A source, an address, a local path, or None for the running program.

    Raises:
        InvalidParameterValue: It is none of these.
    """
    if source is None:
        return CodeDatasetSource()
    if isinstance(source, DatasetSource):
        return source
    if not isinstance(source, (str, os.PathLike)):
        raise InvalidParameterValue(f"The source {shown(source)} is no address, path or DatasetSource.")
    text = os.fspath(source)
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else "file"
    if scheme in ("http", "https"):
        return HTTPDatasetSource(text)
    if scheme in ("s3", "s3a"):
        return S3DatasetSource(text)
    return LocalArtifactDatasetSource(text) if scheme == "file" else FileSystemDatasetSource(text)


def _without_secrets(url: str) -> str:
    parts = urlsplit(_USER_INFO.sub(r"\1", url))
    if not parts.query:
        return urlunsplit(parts)
    query = [
        (name, "***" if _SECRET.search(name) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit(parts._replace(query=urlencode(query, safe="*")))
