"""What the calls share: the store they go to, and the conversions of what users pass."""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stele.client.stores import get_tracking_uri, open_journalled, registry_beside, resolve_uri
from stele.errors import InvalidParameterValue, shown
from stele.schema.runs import RunTag
from stele.stores.base import TrackingStore

if TYPE_CHECKING:
    from stele.stores.buffered import BufferedStore

__all__ = ["StoreCalls", "as_tags", "integer", "milliseconds", "now", "number"]


class StoreCalls:
    """Talks to one tracking store.

    Args:
        tracking_uri: Address of the store; None means the current tracking URI, taken now.
        registry_uri: Address of the store of registered models; None means the one that is set, else the same.
    """

    def __init__(self, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        self._tracking_uri = resolve_uri(tracking_uri) if tracking_uri else get_tracking_uri()
        self._registry_uri = resolve_uri(registry_uri) if registry_uri else registry_beside(self._tracking_uri)

    @property
    def tracking_uri(self) -> str:
        """The address of the tracking store."""
        return self._tracking_uri

    @property
    def _journalled(self) -> BufferedStore:
        # Looked up each time: a store is replaced after a fork.
        return open_journalled(self._tracking_uri)

    @property
    def _store(self) -> TrackingStore:
        """The store behind its journal, which makes a script read its own writes."""
        return self._journalled

    @property
    def _registry(self) -> TrackingStore:
        """The store of registered models."""
        return open_journalled(self._registry_uri)


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def number(value: Any, path: str) -> float:
    """A metric value as a float: Python and numpy numbers, and arrays and tensors of one element.

    Raises:
        InvalidParameterValue: It is no number.
    """
    if isinstance(value, float):
        return float(value)
    if not isinstance(value, (str, bytes)):
        try:
            # A framework may raise anything here: a tensor of two elements, one on a lost device.
            return float(value.item() if hasattr(value, "item") else value)
        except Exception as e:
            raise _no_number(value, path) from e
    raise _no_number(value, path)


def _no_number(value: Any, path: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"{path} is {shown(value)}, a {type(value).__name__}. A metric value is one number.")


def integer(value: Any, path: str) -> int:
    """A step as an int: Python and numpy integers, and floats without a fraction.

    Raises:
        InvalidParameterValue: It is no whole number.
    """
    try:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return operator.index(value)
    except TypeError as e:
        raise InvalidParameterValue(f"{path} is {shown(value)}, which is no whole number.") from e


def milliseconds(value: Any, path: str) -> int:
    """A time as milliseconds since 1970, cut to whole ones; None means now.

    Raises:
        InvalidParameterValue: It is no number.
    """
    if value is None:
        return now()
    return math.floor(value) if isinstance(value, float) and math.isfinite(value) else integer(value, path)


def as_tags(tags: Mapping[str, Any] | None) -> list[RunTag]:
    """Run tags from a dictionary; values become text."""
    return [RunTag(str(key), str(value)) for key, value in (tags or {}).items()]
