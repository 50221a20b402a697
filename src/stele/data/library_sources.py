"""Sources that a library reads: the Hugging Face hub, Spark, Delta tables."""

from __future__ import annotations

from typing import Any, Self

from stele.data.dataset_source import DatasetSource, required_field
from stele.errors import InvalidParameterValue, MissingDependency

__all__ = ["DeltaDatasetSource", "HuggingFaceDatasetSource", "SparkDatasetSource"]


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
        return cls(required_field(source_dict, "path"), **rest)


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


def _spark() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as e:
        raise MissingDependency("pyspark", "to load a dataset with Spark") from e
    return SparkSession.builder.getOrCreate()
