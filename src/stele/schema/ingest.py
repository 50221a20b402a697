"""Batches of metric points in columns: the fastest way in, and the one that may be repeated."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stele.schema.codec import Int64, Message

__all__ = ["Ingest", "IngestResponse", "IngestSeries"]


class IngestSeries(Struct, frozen=True):
    """Points of one metric of one run: three columns of one length, in any order.

    ``steps`` are any 64-bit integers, ``timestamps`` milliseconds since 1970, ``values`` any doubles or NaN. Each is a
    list, or a ``memoryview`` of numbers of 8 bytes.
    """

    run_id: str
    key: str
    steps: Sequence[Int64]
    timestamps: Sequence[Int64]
    values: Sequence[float]


class Ingest(Message):
    """One batch, stored as a whole or not at all; ``ingest.proto`` is its published binary form.

    ``client_id`` names the sender (1 to 64 letters, digits, ``_`` or ``-``), ``sequence`` counts its batches from 1.
    A batch whose number is not greater than that of the last one stored is acknowledged and not stored again.
    """

    client_id: str
    sequence: Int64
    series: list[IngestSeries]


class IngestResponse(Message):
    """``points`` of the batch, and whether it had been stored before."""

    points: int = 0
    repeated_batch: bool = False
