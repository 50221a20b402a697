"""A pandas data frame as a dataset."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from stele.data.dataset_source import DatasetSource
from stele.data.digests import digest_of, pandas_parts
from stele.data.frame_dataset import FrameDataset
from stele.data.schema import Schema, infer_columns
from stele.data.sources import resolve_source

if TYPE_CHECKING:
    import pandas

__all__ = ["PandasDataset", "from_pandas"]


class PandasDataset(FrameDataset["pandas.DataFrame"]):
    """A data frame of pandas; without a digest, shape, names, types and values make one."""

    def _compute_digest(self) -> str:
        return digest_of(pandas_parts(self._df))

    @functools.cached_property
    def schema(self) -> Schema:
        """Names and types of the columns."""
        return infer_columns(self._df)

    @property
    def profile(self) -> dict[str, int]:
        """Numbers of rows and of cells."""
        return {"num_rows": len(self._df), "num_elements": int(self._df.size)}


def from_pandas(
    df: pandas.DataFrame,
    source: str | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PandasDataset:
    """Describe a pandas data frame.

    Args:
        df: The data.
        source: Where they come from: an address, a path or a source; None means the running program.
        targets: Name of the column to predict.
        name: None means ``dataset``.
        digest: At most 36 characters; None computes it.
        predictions: Name of the column with predictions.

    Raises:
        InvalidParameterValue: There is no such column, or the source is not understood.
    """
    return PandasDataset(df, resolve_source(source), targets, name, digest, predictions)
