"""Where data come from: what a source can do, whatever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import msgspec

from stele.errors import InvalidParameterValue, shown

__all__ = ["DatasetSource", "required_field"]


class DatasetSource(ABC):
    """A place from which a dataset can be loaded again."""

    @staticmethod
    @abstractmethod
    def _get_source_type() -> str:
        """The name of this kind of source, as it is stored with a dataset."""

    @abstractmethod
    def load(self) -> Any:
        """Get the data, or a local path to them."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What :meth:`from_dict` needs to make the source again, as JSON knows it."""

    @classmethod
    @abstractmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> Self:
        """The source that :meth:`to_dict` described."""

    def to_json(self) -> str:
        """:meth:`to_dict` as JSON text."""
        return msgspec.json.encode(self.to_dict()).decode()

    @classmethod
    def from_json(cls, source_json: str) -> Self:
        """The source that :meth:`to_json` described.

        Raises:
            InvalidParameterValue: The text is no JSON object.
        """
        try:
            return cls.from_dict(msgspec.json.decode(source_json, type=dict[str, Any]))
        except msgspec.MsgspecError as e:
            raise InvalidParameterValue(f"The dataset source {shown(source_json)} is no JSON object: {e}") from e

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in self.to_dict().items())})"


def required_field(source_dict: dict[Any, Any], name: str) -> str:
    """A text that the description of a source must have.

    Raises:
        InvalidParameterValue: It does not.
    """
    value = source_dict.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidParameterValue(f"The dataset source has no {name}: {shown(source_dict)}.")
    return value
