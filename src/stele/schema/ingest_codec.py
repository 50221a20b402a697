"""The published binary form of metric batches: ``ingest.proto`` to Structs and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from stele.errors import InvalidParameterValue
from stele.schema import ingest_pb2
from stele.schema.ingest import Ingest, IngestResponse, IngestSeries
from stele.schema.ingest_wire import read_request

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["decode_any_request", "decode_request", "decode_response", "encode_request", "encode_response"]

pb: Any = ingest_pb2  # generated from ingest.proto by `make generate`; its classes are made at run time

_SERIES_TAG = b"\x1a"  # field 3, bytes with a length


def encode_request(batch: Ingest) -> bytes:
    """The message ``IngestRequest``.

    Metrics that are logged together share the lists of steps and times, which are written once then: the bytes of two
    messages, one behind the other, are the message that has the fields of both.
    """
    pieces = [bytes(pb.IngestRequest(client_id=batch.client_id, sequence=batch.sequence).SerializeToString())]
    steps = timestamps = None
    times = b""
    for series in batch.series:
        if series.steps is not steps or series.timestamps is not timestamps:
            steps, timestamps = series.steps, series.timestamps
            times = pb.Series(steps=steps, timestamps=timestamps).SerializeToString()
        own = pb.Series(run_id=series.run_id, key=series.key, values=series.values).SerializeToString()
        pieces += (_SERIES_TAG, _varint(len(own) + len(times)), own, times)
    return b"".join(pieces)


def decode_request(body: bytes) -> Ingest:
    """The batch in a message ``IngestRequest``.

    Raises:
        InvalidParameterValue: The bytes are no such message.
    """
    return read_request(body) or decode_any_request(body)


def decode_any_request(body: bytes) -> Ingest:
    """As :func:`decode_request`, whatever the form of the message."""
    message: Any = _parse(pb.IngestRequest(), body)
    return Ingest(
        client_id=message.client_id,
        sequence=message.sequence,
        series=[
            IngestSeries(item.run_id, item.key, list(item.steps), list(item.timestamps), list(item.values))
            for item in message.series
        ],
    )


def encode_response(response: IngestResponse) -> bytes:
    """The message ``IngestResponse``."""
    message: Any = pb.IngestResponse(points=response.points, repeated_batch=response.repeated_batch)
    return bytes(message.SerializeToString())


def decode_response(body: bytes) -> IngestResponse:
    """The inverse of :func:`encode_response`.

    Raises:
        InvalidParameterValue: The bytes are no such message.
    """
    message: Any = _parse(pb.IngestResponse(), body)
    return IngestResponse(points=message.points, repeated_batch=message.repeated_batch)


def _parse(message: Message, body: bytes) -> Message:
    try:
        message.ParseFromString(body)
    except DecodeError as e:
        raise InvalidParameterValue(f"The body is not the message {message.DESCRIPTOR.full_name}: {e}.") from e
    return message


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)
