"""What the calls share: the store they go to, and the conversions of what users pass."""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Mapping
from typing import Any

from stele import settings
from stele.client.async_logging import BACKGROUND, RunOperations
from stele.client.stores import get_registry_uri, get_tracking_uri, open_store, resolve_uri
from stele.errors import InvalidParameterValue, shown
from stele.schema.runs import LogBatch, RunTag
from stele.stores.base import TrackingStore

__all__ = ["StoreCalls", "as_tags", "in_background", "integer", "milliseconds", "now", "number"]


class StoreCalls:
    """Talks to one tracking store.

    Args:
        tracking_uri: Address of the store; None means the current tracking URI, taken now.
        registry_uri: Address of the store of registered models; None means the one that is set.
    """

    def __init__(self, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        self._tracking_uri = resolve_uri(tracking_uri) if tracking_uri else get_tracking_uri()
        self._registry_uri = resolve_uri(registry_uri) if registry_uri else get_registry_uri()

    @property
    def tracking_uri(self) -> str:
        """The address of the tracking store."""
        return self._tracking_uri

    @property
    def _store(self) -> TrackingStore:
        # Looked up each time: a store is replaced after a fork.
        return open_store(self._tracking_uri)

    @property
    def _read_store(self) -> TrackingStore:
        """The store, after what waits in the background was written: a script reads its own writes."""
        BACKGROUND.drain()
        return self._store

    def _submit(self, batches: list[LogBatch]) -> RunOperations:
        return BACKGROUND.submit(self._tracking_uri, batches, self._send)

    def _send(self, batch: LogBatch) -> None:
        self._store.log_batch(batch)


def in_background(synchronous: bool | None) -> bool:
    """Whether a call with this argument returns before its data are stored."""
    return settings.ASYNC_LOGGING.get() if synchronous is None else not synchronous


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
