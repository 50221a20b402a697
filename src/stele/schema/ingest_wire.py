"""Batches of metric points read straight from the bytes of ``IngestRequest``, a column at a time.

The generated class makes a Python object of every number. Here a column of doubles is the bytes as they came, and one
of integers is decoded by numpy, once for neighbours that share it. This knows the form that encoders write: packed
columns, each field once. Everything else is left to the generated class, which also says what is wrong with it.

The format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stele.schema.ingest import Ingest, IngestSeries

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]

__all__ = ["read_request"]

_CLIENT_ID, _SEQUENCE, _SERIES = 0x0A, 0x10, 0x1A
_RUN_ID, _KEY, _STEPS, _TIMESTAMPS, _VALUES = 0x0A, 0x12, 0x1A, 0x22, 0x2A
_COLUMNS = (_RUN_ID, _KEY, _STEPS, _TIMESTAMPS, _VALUES)
_MAX_VARINT_BYTES = 10
_VALUE_BYTES = 8


class _UnusualError(Exception):
    """The bytes have another form than encoders write, or are no such message."""


def read_request(body: bytes) -> Ingest | None:
    """The batch in a message ``IngestRequest``, its columns as ``memoryview``; None for what is not in the usual form.

    Series that follow each other with the same bytes of steps or timestamps share one column.
    """
    try:
        return _request(body)
    except (_UnusualError, UnicodeDecodeError, IndexError):
        return None


def _request(body: bytes) -> Ingest:
    client_id, sequence = "", 0
    place, end = 0, len(body)
    fields: list[dict[int, bytes]] = []
    seen: set[int] = set()
    while place < end:
        tag = body[place]
        number, place = _varint(body, place + 1)
        if tag == _SEQUENCE:
            sequence = number - (1 << 64) if number >> 63 else number
        elif tag == _SERIES:
            fields.append(_fields(body, place, number))
            place += number
            continue
        elif tag == _CLIENT_ID:
            client_id = body[place : place + number].decode()
            place += number
        else:
            raise _UnusualError
        if tag in seen:
            raise _UnusualError
        seen.add(tag)
    if place != end:
        raise _UnusualError
    return Ingest(client_id=client_id, sequence=sequence, series=_series(fields))


def _fields(body: bytes, place: int, size: int) -> dict[int, bytes]:
    """The fields of one series by their tags; all of them are bytes with a length."""
    end = place + size
    if end > len(body):
        raise _UnusualError
    found: dict[int, bytes] = {}
    while place < end:
        tag = body[place]
        if tag in found or tag not in _COLUMNS:
            raise _UnusualError
        length, place = _varint(body, place + 1)
        found[tag] = body[place : place + length]
        place += length
    if place != end:
        raise _UnusualError
    return found


def _series(fields: list[dict[int, bytes]]) -> list[IngestSeries]:
    series = []
    steps: memoryview = memoryview(b"").cast("q")
    timestamps, steps_bytes, timestamps_bytes = steps, b"", b""
    for found in fields:
        if (written := found.get(_STEPS, b"")) != steps_bytes:
            steps, steps_bytes = _zigzag(_words(written)).data, written
        if (written := found.get(_TIMESTAMPS, b"")) != timestamps_bytes:
            timestamps, timestamps_bytes = _words(written).view("i8").data, written
        run_id, key = found.get(_RUN_ID, b"").decode(), found.get(_KEY, b"").decode()
        series.append(IngestSeries(run_id, key, steps, timestamps, _doubles(found.get(_VALUES, b""))))
    return series


def _zigzag(words: Words) -> npt.NDArray[np.int64]:
    """Signed numbers, whose sign is in the lowest bit."""
    magnitudes: npt.NDArray[np.int64] = (words >> 1).view("i8")
    signs: npt.NDArray[np.int64] = (words & 1).view("i8")
    return magnitudes ^ -signs


def _doubles(written: bytes) -> memoryview:
    import numpy as np

    if len(written) % _VALUE_BYTES:
        raise _UnusualError
    return np.frombuffer(written, "<f8").astype("=f8", copy=False).data


def _varint(body: bytes, place: int) -> tuple[int, int]:
    """A number of at most 64 bits and the place behind it."""
    number = body[place]
    if number < 0x80:
        return number, place + 1
    number &= 0x7F
    for more in range(1, _MAX_VARINT_BYTES):
        octet = body[place + more]
        number |= (octet & 0x7F) << 7 * more
        if octet < 0x80:
            if number >> 64:
                raise _UnusualError
            return number, place + more + 1
    raise _UnusualError


def _words(written: bytes) -> Words:
    """The numbers of at most 64 bits in a packed column."""
    import numpy as np

    octets = np.frombuffer(written, np.uint8)
    ends = (octets < 0x80).nonzero()[0]
    if not len(ends):
        if len(octets):
            raise _UnusualError
        return np.empty(0, np.uint64)
    if ends[-1] != len(octets) - 1:
        raise _UnusualError
    lengths = ends.copy()
    lengths[0] += 1
    lengths[1:] -= ends[:-1]
    longest = int(lengths.max())
    if longest > _MAX_VARINT_BYTES:
        raise _UnusualError
    payload = octets & np.uint8(0x7F)
    if longest * len(ends) == len(octets):  # numbers of one length, as times are: a table
        table = payload.reshape(-1, longest)
        parts: Iterator[tuple[Any, Any]] = ((slice(None), table[:, place]) for place in range(longest))
    else:
        parts = _parts(payload, ends - lengths + 1, lengths, longest)
    words = np.zeros(len(ends), np.uint64)
    for place, (rows, part) in enumerate(parts):
        if place == _MAX_VARINT_BYTES - 1 and (part > 1).any():
            raise _UnusualError
        words[rows] |= part.astype(np.uint64) << np.uint64(7 * place)
    return words


def _parts(payload: Any, starts: Any, lengths: Any, longest: int) -> Iterator[tuple[Any, Any]]:
    """The first bytes of the numbers, then the second ones, ...; each time which numbers have one."""
    yield slice(None), payload[starts]
    for place in range(1, longest):
        rows = (lengths > place).nonzero()[0]
        yield rows, payload[starts[rows] + place]
