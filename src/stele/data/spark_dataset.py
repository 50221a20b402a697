"""A Spark data frame as a dataset. Nothing is computed on the cluster but what its catalog knows."""

from __future__ import annotations

from typing import Any

from stele.data.dataset_source import DatasetSource
from stele.data.digests import digest_of
from stele.data.frame_dataset import FrameDataset
from stele.data.library_sources import DeltaDatasetSource, SparkDatasetSource
from stele.data.schema import ColumnSpec, Schema
from stele.data.sources import CodeDatasetSource
from stele.errors import InvalidParameterValue

__all__ = ["SparkDataset", "from_spark", "load_delta"]

_TYPES = {
    "boolean": "boolean", "tinyint": "integer", "smallint": "integer", "int": "integer", "bigint": "long",
    "float": "float", "double": "double", "string": "string", "binary": "binary", "date": "datetime",
    "timestamp": "datetime",
}  # fmt: skip


class SparkDataset(FrameDataset[Any]):
    """A data frame of Spark.

    Without a digest, the schema and the plan of the query make one, not the values: reading them all is expensive.
    """

    def _compute_digest(self) -> str:
        plan = self._df.semanticHash() if hasattr(self._df, "semanticHash") else ""
        return digest_of([*(f"{name}: {kind}" for name, kind in self._df.dtypes), f"{plan}"])

    @property
    def schema(self) -> Schema:
        """Names and types of the columns; nested types are ``any``."""
        required = {field.name: not field.nullable for field in self._df.schema.fields}
        return Schema(
            [ColumnSpec(_TYPES.get(kind, "any"), name, required.get(name, True)) for name, kind in self._df.dtypes]
        )

    @property
    def profile(self) -> None:
        """Not known: counting rows is a job of its own."""
        return


def from_spark(
    df: Any,
    path: str | None = None,
    table_name: str | None = None,
    version: str | None = None,
    sql: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> SparkDataset:
    """Describe a Spark data frame.

    Args:
        df: The data.
        path: Where their files are.
        table_name: Which table they are.
        version: Which version of a Delta table.
        sql: Which query they answer.
        targets: Name of the column to predict.
        name: None means ``dataset``.
        digest: At most 36 characters; None computes it.
        predictions: Name of the column with predictions.

    Raises:
        InvalidParameterValue: More than one of path, table_name and sql was given, or there is no such column.
    """
    given = [path, table_name, sql]
    if len([item for item in given if item is not None]) > 1:
        raise InvalidParameterValue("Give at most one of path, table_name and sql.")
    source: DatasetSource
    if version is not None:
        source = DeltaDatasetSource(path, table_name, version)
    elif any(item is not None for item in given):
        source = SparkDatasetSource(path, table_name, sql)
    else:
        source = CodeDatasetSource()
    return SparkDataset(df, source, targets, name, digest, predictions)


def load_delta(
    path: str | None = None,
    table_name: str | None = None,
    version: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> SparkDataset:
    """Read a Delta table with the active Spark session, and describe it.

    Args:
        path: Where its files are.
        table_name: Its name, instead of the path.
        version: Which version; None means the newest.
        targets: Name of the column to predict.
        name: None means ``dataset``.
        digest: At most 36 characters; None computes it.

    Raises:
        InvalidParameterValue: Not exactly one of path and name was given, or there is no such column.
        MissingDependency: PySpark is not installed.
    """
    source = DeltaDatasetSource(path, table_name, version)
    return SparkDataset(source.load(), source, targets, name, digest)
