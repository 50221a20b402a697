"""A dataset of which only the description is at hand."""

from __future__ import annotations

from stele.data.dataset import Dataset
from stele.data.dataset_source import DatasetSource
from stele.data.digests import digest_of
from stele.data.schema import Schema, TensorDatasetSchema

__all__ = ["MetaDataset"]


class MetaDataset(Dataset):
    """A source with a name, without the data.

    Args:
        source: Where the data are.
        name: None means ``dataset``.
        digest: None computes it from the name, the source and the schema.
        schema: Names and types of the columns or arrays.
    """

    def __init__(
        self,
        source: DatasetSource,
        name: str | None = None,
        digest: str | None = None,
        schema: Schema | TensorDatasetSchema | None = None,
    ) -> None:
        self._schema = schema
        # The digest is computed from the source and the name.
        self._source, self._name = source, name
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        schema = "" if self._schema is None else repr(self._schema.to_dict())
        return digest_of([self.name, self.source.to_json(), schema])

    @property
    def schema(self) -> Schema | TensorDatasetSchema | None:
        """As it was given."""
        return self._schema

    @property
    def profile(self) -> None:
        """Not known."""
        return
