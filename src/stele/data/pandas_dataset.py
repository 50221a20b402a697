"""A pandas data frame as a dataset."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from stele.data.dataset import Dataset
from stele.data.dataset_source import DatasetSource
from stele.data.digests import digest_of, pandas_parts
from stele.data.schema import Schema, infer_columns
from stele.data.sources import resolve_source
from stele.errors import InvalidParameterValue, shown

if TYPE_CHECKING:
    import pandas

__all__ = ["PandasDataset", "check_columns", "from_pandas"]


class PandasDataset(Dataset):
    """A data frame.

    Args:
        df: The data.
        source: Where they come from.
        targets: Name of the column to predict.
        name: None means ``dataset``.
        digest: None computes it from shape, names, types and values.
        predictions: Name of the column with predictions.

    Raises:
        InvalidParameterValue: There is no such column.
    """

    def __init__(
        self,
        df: pandas.DataFrame,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        check_columns(df.columns, targets=targets, predictions=predictions)
        self._df = df
        self._targets = targets
        self._predictions = predictions
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        return digest_of(pandas_parts(self._df))

    @property
    def df(self) -> pandas.DataFrame:
        """The data."""
        return self._df

    @property
    def targets(self) -> str | None:
        """Name of the column to predict."""
        return self._targets

    @property
    def predictions(self) -> str | None:
        """Name of the column with predictions."""
        return self._predictions

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


def check_columns(columns: Any, **named: str | None) -> None:
    """Check that columns exist.

    Raises:
        InvalidParameterValue: One does not; the message names it.
    """
    for role, column in named.items():
        if column is not None and column not in list(columns):
            raise InvalidParameterValue(f"{role} is {shown(column)}, but the data have no such column.")
