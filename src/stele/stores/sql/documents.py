"""The packed document of a run: everything but its points, so that listing a run is reading one row."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stele.schema.metrics import Metric

__all__ = ["LatestMetric", "RunDocument", "latest_values", "pack", "pack_latest", "unpack", "unpack_latest"]


class RunDocument(Struct, array_like=True):
    """What ``runs.document`` holds.

    Attributes:
        params: Value by key.
        tags: Value by key.
        inputs: Per dataset its row number and the tags of the link.
        models: Per link its direction (0 input, 1 output), model id and step.
    """

    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    inputs: list[tuple[int, dict[str, str]]] = []
    models: list[tuple[int, str, int]] = []


class LatestMetric(Struct, array_like=True, frozen=True, gc=False):
    """One entry of ``runs.latest``."""

    key: str
    value: float
    timestamp: int
    step: int


_encoder = msgspec.msgpack.Encoder()
_document = msgspec.msgpack.Decoder(RunDocument)
_latest = msgspec.msgpack.Decoder(list[LatestMetric])


def pack(document: RunDocument) -> bytes:
    """The column's bytes."""
    return _encoder.encode(document)


def unpack(data: bytes) -> RunDocument:
    """The inverse of :func:`pack`."""
    return _document.decode(data)


def pack_latest(latest: list[LatestMetric]) -> bytes:
    """The column's bytes."""
    return _encoder.encode(latest)


def latest_values(data: bytes | None) -> dict[str, float]:
    """The latest value of each metric; none for a run that never logged one."""
    return {item.key: item.value for item in _latest.decode(data)} if data else {}


def unpack_latest(data: bytes | None) -> list[Metric]:
    """The latest metrics as entities; none for a run that never logged one."""
    if not data:
        return []
    return [Metric(item.key, item.value, item.timestamp, item.step) for item in _latest.decode(data)]
