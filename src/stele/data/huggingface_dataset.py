"""A dataset of the library ``datasets`` as a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stele.data.dataset import Dataset
from stele.data.dataset_source import DatasetSource
from stele.data.digests import digest_of, pandas_parts, sample_rows
from stele.data.frame_dataset import check_columns
from stele.data.library_sources import HuggingFaceDatasetSource
from stele.data.schema import Schema, infer_columns
from stele.data.sources import CodeDatasetSource, resolve_source

__all__ = ["HuggingFaceDataset", "from_huggingface"]

_ROWS_FOR_SCHEMA = 1_000


class HuggingFaceDataset(Dataset):
    """A ``datasets.Dataset``.

    Args:
        ds: The data.
        source: Where they come from.
        targets: Name of the column to predict.
        name: None means ``dataset``.
        digest: None computes it from a sample of rows.

    Raises:
        InvalidParameterValue: There is no such column.
    """

    def __init__(
        self,
        ds: Any,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        check_columns(ds.column_names, targets=targets)
        self._ds = ds
        self._targets = targets
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        sample = self._ds.select(sample_rows(self._ds.num_rows))
        return digest_of([f"{self._ds.num_rows}", *pandas_parts(sample.to_pandas())])

    @property
    def ds(self) -> Any:
        """The data."""
        return self._ds

    @property
    def targets(self) -> str | None:
        """Name of the column to predict."""
        return self._targets

    @property
    def schema(self) -> Schema:
        """Names and types of the columns, from the first thousand rows."""
        return infer_columns(self._ds.select(range(min(self._ds.num_rows, _ROWS_FOR_SCHEMA))).to_pandas())

    @property
    def profile(self) -> dict[str, Any]:
        """Number of rows, and sizes in bytes where the library knows them."""
        return {
            "num_rows": self._ds.num_rows,
            "dataset_size": self._ds.dataset_size,
            "size_in_bytes": self._ds.size_in_bytes,
        }


def from_huggingface(
    ds: Any,
    path: str | None = None,
    targets: str | None = None,
    data_dir: str | None = None,
    data_files: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    revision: Any = None,
    name: str | None = None,
    digest: str | None = None,
    trust_remote_code: bool | None = None,
    source: str | DatasetSource | None = None,
) -> HuggingFaceDataset:
    """Describe a ``datasets.Dataset``.

    Args:
        ds: The data.
        path: Name on the Hugging Face hub, ``owner/name``.
        targets: Name of the column to predict.
        data_dir: Directory of data files.
        data_files: Which data files.
        revision: Which version.
        name: None means ``dataset``.
        digest: At most 36 characters; None computes it.
        trust_remote_code: Whether loading may run a script that comes with the dataset.
        source: Where they come from, instead of ``path``; without both it is the running program.

    Raises:
        InvalidParameterValue: There is no such column, or the source is not understood.
    """
    if source is not None:
        origin = resolve_source(source)
    elif path is not None:
        config, split = getattr(ds, "config_name", None), getattr(ds, "split", None)
        origin = HuggingFaceDatasetSource(path, config, data_dir, data_files, split, revision, trust_remote_code)
    else:
        origin = CodeDatasetSource()
    return HuggingFaceDataset(ds, origin, targets, name, digest)
