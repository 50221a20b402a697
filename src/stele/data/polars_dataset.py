"""A polars data frame as a dataset."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stele.data.dataset_source import DatasetSource
from stele.data.digests import digest_of, sample_rows
from stele.data.frame_dataset import FrameDataset
from stele.data.schema import ColumnSpec, Schema
from stele.data.sources import resolve_source

if TYPE_CHECKING:
    import polars

__all__ = ["PolarsDataset", "from_polars"]

_TYPES = {
    "Boolean": "boolean", "Int8": "integer", "Int16": "integer", "Int32": "integer", "Int64": "long",
    "UInt8": "integer", "UInt16": "integer", "UInt32": "long", "UInt64": "long", "Float32": "float",
    "Float64": "double", "String": "string", "Categorical": "string", "Enum": "string", "Binary": "binary",
    "Date": "datetime", "Datetime": "datetime",
}  # fmt: skip


class PolarsDataset(FrameDataset["polars.DataFrame"]):
    """A data frame of polars; without a digest, shape, names, types and values make one."""

    def _compute_digest(self) -> str:
        return digest_of(self._parts())

    def _parts(self) -> Iterable[str]:
        yield f"{self._df.shape}"
        yield from (f"{name}: {kind}" for name, kind in self._df.schema.items())
        yield from (repr(row) for row in self._df[sample_rows(self._df.height)].iter_rows())

    @functools.cached_property
    def schema(self) -> Schema:
        """Names and types of the columns."""
        return Schema(
            [
                ColumnSpec(_column_type(kind), name, self._df[name].null_count() == 0)
                for name, kind in self._df.schema.items()
            ]
        )

    @property
    def profile(self) -> dict[str, int]:
        """Numbers of rows and of cells."""
        return {"num_rows": self._df.height, "num_elements": self._df.height * self._df.width}


def _column_type(kind: Any) -> str | dict[str, Any]:
    name = type(kind).__name__ if not isinstance(kind, type) else kind.__name__
    if name in ("List", "Array"):
        items = _column_type(kind.inner)
        return {"type": "array", "items": items if isinstance(items, dict) else {"type": items}}
    if name == "Struct":
        fields = {field.name: _column_type(field.dtype) for field in kind.fields}
        properties = {
            key: {**(item if isinstance(item, dict) else {"type": item}), "required": True}
            for key, item in fields.items()
        }
        return {"type": "object", "properties": properties}
    return _TYPES.get(name, "any")


def from_polars(
    df: polars.DataFrame,
    source: str | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PolarsDataset:
    """Describe a polars data frame; the arguments are those of :func:`~stele.data.pandas_dataset.from_pandas`.

    Raises:
        InvalidParameterValue: There is no such column, or the source is not understood.
    """
    return PolarsDataset(df, resolve_source(source), targets, name, digest, predictions)
