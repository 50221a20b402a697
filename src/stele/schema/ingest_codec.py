"""The published binary form of metric batches: ``ingest.proto`` to Structs and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from stele.errors import InvalidParameterValue
from stele.schema import ingest_pb2
from stele.schema.ingest import Ingest, IngestResponse, IngestSeries

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["decode_request", "decode_response", "encode_request", "encode_response"]

pb: Any = ingest_pb2  # generated from ingest.proto by `make generate`; its classes are made at run time


def encode_request(batch: Ingest) -> bytes:
    """The message ``IngestRequest``."""
    message: Any = pb.IngestRequest(client_id=batch.client_id, sequence=batch.sequence)
    for series in batch.series:
        message.series.add(
            run_id=series.run_id,
            key=series.key,
            steps=series.steps,
            timestamps=series.timestamps,
            values=series.values,
        )
    return bytes(message.SerializeToString())


def decode_request(body: bytes) -> Ingest:
    """The batch in a message ``IngestRequest``.

    Raises:
        InvalidParameterValue: The bytes are no such message.
    """
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
