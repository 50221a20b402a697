"""What every dataset has: a name, a digest, a source, and perhaps a schema and a profile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import msgspec

from stele.data.dataset_source import DatasetSource

__all__ = ["Dataset"]


class Dataset(ABC):
    """A description of data that a run reads.

    Args:
        source: Where the data come from.
        name: None means ``dataset``.
        digest: At most 36 characters that tell this content from another; None computes it.
    """

    def __init__(self, source: DatasetSource, name: str | None = None, digest: str | None = None) -> None:
        self._source = source
        self._name = name
        # Subclasses set what the computation needs before they call this.
        self._digest = digest or self._compute_digest()

    @abstractmethod
    def _compute_digest(self) -> str:
        """A digest of the content, the same on every machine."""

    @property
    def name(self) -> str:
        """The name, by default ``dataset``."""
        return self._name if self._name is not None else "dataset"

    @property
    def digest(self) -> str:
        """What tells this content from another."""
        return self._digest

    @property
    def source(self) -> DatasetSource:
        """Where the data come from."""
        return self._source

    @property
    @abstractmethod
    def schema(self) -> Any | None:
        """Names and types of the columns or arrays, with a method ``to_dict``; None when they are not known."""

    @property
    @abstractmethod
    def profile(self) -> Any | None:
        """Sizes, as JSON knows them; None when they are not known."""

    def to_dict(self) -> dict[str, str]:
        """What a store keeps: source, schema and profile as JSON texts, what is unknown left out."""
        facts = {
            "name": self.name,
            "digest": self.digest,
            "source": self.source.to_json(),
            "source_type": self.source._get_source_type(),  # noqa: SLF001 - MLflow's name for a method that plug-ins override
        }
        if self.schema is not None:
            facts["schema"] = _json(self.schema.to_dict())
        if self.profile is not None:
            facts["profile"] = _json(self.profile)
        return facts

    def to_json(self) -> str:
        """:meth:`to_dict` as JSON text."""
        return _json(self.to_dict())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, digest={self.digest!r}, source={self.source!r})"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
