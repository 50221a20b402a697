"""What data frames of all libraries have in common as datasets."""

from __future__ import annotations

from abc import ABC
from typing import Any, Generic, TypeVar

from stele.data.dataset import Dataset
from stele.data.dataset_source import DatasetSource
from stele.errors import InvalidParameterValue, shown

__all__ = ["FrameDataset", "check_columns"]

F = TypeVar("F")


class FrameDataset(Dataset, ABC, Generic[F]):
    """A data frame.

    Args:
        df: The data.
        source: Where they come from.
        targets: Name of the column to predict.
        name: None means ``dataset``.
        digest: At most 36 characters; None computes it.
        predictions: Name of the column with predictions.

    Raises:
        InvalidParameterValue: There is no such column.
    """

    def __init__(
        self,
        df: F,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        frame: Any = df  # every library calls its columns so
        check_columns(frame.columns, targets=targets, predictions=predictions)
        self._df = df
        self._targets = targets
        self._predictions = predictions
        super().__init__(source, name, digest)

    @property
    def df(self) -> F:
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


def check_columns(columns: Any, **named: str | None) -> None:
    """Check that columns exist.

    Raises:
        InvalidParameterValue: One does not; the message names it.
    """
    for role, column in named.items():
        if column is not None and column not in list(columns):
            raise InvalidParameterValue(f"{role} is {shown(column)}, but the data have no such column.")
