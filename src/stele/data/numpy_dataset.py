"""Numpy arrays as a dataset."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stele.data.dataset import Dataset
from stele.data.dataset_source import DatasetSource
from stele.data.digests import digest_of, numpy_parts
from stele.data.schema import TensorDatasetSchema, infer_tensors
from stele.data.sources import resolve_source

if TYPE_CHECKING:
    import numpy

    Arrays = numpy.ndarray[Any, Any] | dict[str, numpy.ndarray[Any, Any]]

__all__ = ["NumpyDataset", "from_numpy"]


class NumpyDataset(Dataset):
    """Arrays of features and perhaps of targets; the first axis of each counts rows.

    Args:
        features: An array, or arrays by name.
        source: Where they come from.
        targets: An array, or arrays by name.
        name: None means ``dataset``.
        digest: None computes it from shapes, types and values.
    """

    def __init__(
        self,
        features: Arrays,
        source: DatasetSource,
        targets: Arrays | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        self._features = features
        self._targets = targets
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        return digest_of(self._parts())

    def _parts(self) -> Iterable[bytes | str]:
        for role, arrays in (("features", self._features), ("targets", self._targets)):
            if arrays is not None:
                for key, array in arrays.items() if isinstance(arrays, dict) else [("", arrays)]:
                    yield f"{role}.{key}"
                    yield from numpy_parts(array)

    @property
    def features(self) -> Arrays:
        """The features."""
        return self._features

    @property
    def targets(self) -> Arrays | None:
        """The targets."""
        return self._targets

    @functools.cached_property
    def schema(self) -> TensorDatasetSchema:
        """Types and shapes of the arrays."""
        targets = None if self._targets is None else infer_tensors(self._targets)
        return TensorDatasetSchema(infer_tensors(self._features), targets)

    @property
    def profile(self) -> dict[str, Any]:
        """Shape, number of elements and of bytes of features and targets, by name where there are names."""
        return _profile("features", self._features) | (
            {} if self._targets is None else _profile("targets", self._targets)
        )


def _profile(role: str, arrays: Any) -> dict[str, Any]:
    def each(fact: Any) -> Any:
        return {name: fact(array) for name, array in arrays.items()} if isinstance(arrays, dict) else fact(arrays)

    return {
        f"{role}_shape": each(lambda array: list(array.shape)),
        f"{role}_size": each(lambda array: int(array.size)),
        f"{role}_nbytes": each(lambda array: int(array.nbytes)),
    }


def from_numpy(
    features: Arrays,
    source: str | DatasetSource | None = None,
    targets: Arrays | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> NumpyDataset:
    """Describe numpy arrays.

    Args:
        features: An array, or arrays by name; the first axis counts rows.
        source: Where they come from: an address, a path or a source; None means the running program.
        targets: An array, or arrays by name.
        name: None means ``dataset``.
        digest: At most 36 characters; None computes it.

    Raises:
        InvalidParameterValue: The source is not understood.
    """
    return NumpyDataset(features, resolve_source(source), targets, name, digest)
