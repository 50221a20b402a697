"""Descriptions of datasets by row number. A stored one never changes, so those that were read are kept."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from stele.schema.datasets import Dataset
from stele.stores.sql.bounded_cache import BoundedCache
from stele.stores.sql.parts import parts
from stele.stores.sql.tables import datasets

__all__ = ["DatasetCache"]

_MAX_CHARACTERS = 8_000_000


class DatasetCache:
    """Reads descriptions, and keeps the latest ones up to 8 million characters."""

    def __init__(self) -> None:
        self._kept: BoundedCache[int, Dataset] = BoundedCache(_MAX_CHARACTERS, _size)

    def get(self, connection: Connection, numbers: Iterable[int]) -> dict[int, Dataset]:
        """The descriptions of the datasets with these numbers."""
        wanted = set(numbers)
        found = {number: kept for number in wanted if (kept := self._kept.get(number)) is not None}
        missing = wanted - found.keys()
        for part in parts(missing):
            for row in connection.execute(select(datasets).where(datasets.c.dataset.in_(part))):
                described = Dataset(row.name, row.digest, row.source_type, row.source, row.schema, row.profile)
                found[row.dataset] = described
                self._kept.keep(row.dataset, described)
        return found


def _size(described: Dataset) -> int:
    return len(described.source) + len(described.schema or "") + len(described.profile or "")
