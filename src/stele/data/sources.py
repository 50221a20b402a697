"""The kinds of sources, and which one a text means."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from stele.client.context import context_tags
from stele.client.downloads import download_artifacts
from stele.data.dataset_source import DatasetSource
from stele.errors import InvalidParameterValue, MissingDependency, NotImplementedHere, shown
from stele.transport import HttpTransport, Request

__all__ = [
    "BY_TYPE",
    "CodeDatasetSource",
    "DeltaDatasetSource",
    "FileSystemDatasetSource",
    "HTTPDatasetSource",
    "HuggingFaceDatasetSource",
    "LocalArtifactDatasetSource",
    "S3DatasetSource",
    "SparkDatasetSource",
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
        return cls(_field(source_dict, "uri"))


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
        return cls(_field(source_dict, "url"))


class HuggingFaceDatasetSource(DatasetSource):
    """A dataset of the Hugging Face hub, or of local files that its library reads.

    Args:
        path: Name on the hub (``owner/name``), or the kind of files, as ``datasets.load_dataset`` takes it.
        config_name: Which configuration.
        data_dir: Directory of data files.
        data_files: Which data files.
        split: Which part, such as ``train``.
        revision: Which version.
        trust_remote_code: Whether loading may run a script that comes with the dataset.
    """

    _FIELDS = ("path", "config_name", "data_dir", "data_files", "split", "revision", "trust_remote_code")

    def __init__(
        self,
        path: str,
        config_name: str | None = None,
        data_dir: str | None = None,
        data_files: Any = None,
        split: Any = None,
        revision: Any = None,
        trust_remote_code: bool | None = None,
    ) -> None:
        self.path = path
        self.config_name = config_name
        self.data_dir = data_dir
        self.data_files = data_files
        self.split = None if split is None else str(split)
        self.revision = None if revision is None else str(revision)
        self.trust_remote_code = trust_remote_code

    @staticmethod
    def _get_source_type() -> str:
        return "hugging_face"

    def load(self, **kwargs: Any) -> Any:
        """Load the dataset with ``datasets.load_dataset``; ``kwargs`` are passed on.

        Raises:
            InvalidParameterValue: ``kwargs`` repeat what the source says.
            MissingDependency: The library is not installed.
        """
        try:
            import datasets
        except ImportError as e:
            raise MissingDependency("datasets", "to load a dataset of Hugging Face") from e
        known = {"name": self.config_name} | {
            key: value for key, value in self.to_dict().items() if key != "config_name"
        }
        known = {key: value for key, value in known.items() if value is not None}
        if repeated := sorted(set(known) & set(kwargs)):
            raise InvalidParameterValue(f"The source gives {', '.join(repeated)} already.")
        return datasets.load_dataset(**known, **kwargs)

    def to_dict(self) -> dict[str, Any]:
        """The arguments."""
        return {name: getattr(self, name) for name in self._FIELDS}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> Self:
        """The source that :meth:`to_dict` described.

        Raises:
            InvalidParameterValue: The path is missing.
        """
        rest = {name: source_dict.get(name) for name in cls._FIELDS if name != "path"}
        return cls(_field(source_dict, "path"), **rest)


class SparkDatasetSource(DatasetSource):
    """What a Spark data frame was read from: a path, a table or a query.

    Args:
        path: Where the files are.
        table_name: Which table.
        sql: Which query.

    Raises:
        InvalidParameterValue: Not exactly one of them was given.
    """

    def __init__(self, path: str | None = None, table_name: str | None = None, sql: str | None = None) -> None:
        if [path, table_name, sql].count(None) != 2:
            raise InvalidParameterValue("A Spark source has exactly one of path, table_name and sql.")
        self._path, self._table_name, self._sql = path, table_name, sql

    @staticmethod
    def _get_source_type() -> str:
        return "spark"

    def load(self, **options: Any) -> Any:
        """Read the data frame with the active Spark session; ``options`` are passed to its reader.

        Raises:
            MissingDependency: PySpark is not installed.
        """
        spark = _spark()
        if self._path:
            return spark.read.load(self._path, **options)
        return spark.read.table(self._table_name) if self._table_name else spark.sql(self._sql)

    def to_dict(self) -> dict[str, Any]:
        """The one that was given."""
        given = {"path": self._path, "table_name": self._table_name, "sql": self._sql}
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> Self:
        """The source that :meth:`to_dict` described."""
        return cls(source_dict.get("path"), source_dict.get("table_name"), source_dict.get("sql"))


class DeltaDatasetSource(DatasetSource):
    """A Delta table, by path or name, at a version.

    Args:
        path: Where its files are.
        delta_table_name: Its name.
        delta_table_version: Which version; None means the newest.

    Raises:
        InvalidParameterValue: Not exactly one of path and name was given.
    """

    def __init__(
        self, path: str | None = None, delta_table_name: str | None = None, delta_table_version: str | int | None = None
    ) -> None:
        if (path is None) == (delta_table_name is None):
            raise InvalidParameterValue("A Delta source has either a path or a delta_table_name.")
        self._path, self._table_name, self._version = path, delta_table_name, delta_table_version

    @staticmethod
    def _get_source_type() -> str:
        return "delta_table"

    def load(self, **options: Any) -> Any:
        """Read the table with the active Spark session; ``options`` are passed to its reader.

        Raises:
            MissingDependency: PySpark is not installed.
        """
        reader = _spark().read.format("delta").options(**options)
        if self._version is not None:
            reader = reader.option("versionAsOf", self._version)
        return reader.load(self._path) if self._path else reader.table(self._table_name)

    def to_dict(self) -> dict[str, Any]:
        """Path or name, and version."""
        given = {
            "path": self._path,
            "delta_table_name": self._table_name,
            "delta_table_version": self._version,
        }
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> Self:
        """The source that :meth:`to_dict` described."""
        return cls(source_dict.get("path"), source_dict.get("delta_table_name"), source_dict.get("delta_table_version"))


_CLASSES: tuple[type[DatasetSource], ...] = (
    CodeDatasetSource,
    DeltaDatasetSource,
    FileSystemDatasetSource,
    HTTPDatasetSource,
    HuggingFaceDatasetSource,
    LocalArtifactDatasetSource,
    S3DatasetSource,
    SparkDatasetSource,
)
BY_TYPE: dict[str, type[DatasetSource]] = {cls._get_source_type(): cls for cls in _CLASSES}
"""Stored source type -> class."""


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


def _field(source_dict: dict[Any, Any], name: str) -> str:
    value = source_dict.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidParameterValue(f"The dataset source has no {name}: {shown(source_dict)}.")
    return value


def _without_secrets(url: str) -> str:
    parts = urlsplit(_USER_INFO.sub(r"\1", url))
    if not parts.query:
        return urlunsplit(parts)
    query = [
        (name, "***" if _SECRET.search(name) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit(parts._replace(query=urlencode(query, safe="*")))


def _spark() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as e:
        raise MissingDependency("pyspark", "to load a dataset with Spark") from e
    return SparkSession.builder.getOrCreate()
