"""The published binary form: an exact inverse, and generated from the text that is published."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.protocol import compile_protocol
from stele.errors import InvalidParameterValue
from stele.schema import ingest_pb2
from stele.schema.ingest import Ingest, IngestResponse, IngestSeries
from stele.schema.ingest_codec import (
    decode_any_request,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from stele.schema.ingest_wire import read_request

int64 = st.integers(-(2**63), 2**63 - 1)
series = st.builds(IngestSeries, st.text(), st.text(), st.lists(int64), st.lists(int64), st.lists(st.floats()))
requests = st.builds(Ingest, client_id=st.text(), sequence=int64, series=st.lists(series))


def listed(batch):
    """The batch as something that compares, with every NaN the same."""
    return (
        batch.client_id,
        batch.sequence,
        [(s.run_id, s.key, list(s.steps), list(s.timestamps), repr(list(s.values))) for s in batch.series],
    )


@given(requests)
def test_request_comes_back(batch):
    body = encode_request(batch)
    assert read_request(body) is not None
    assert listed(decode_request(body)) == listed(decode_any_request(body)) == listed(batch)


@given(requests)
def test_bytes_of_the_generated_class_are_read(batch):
    message = ingest_pb2.IngestRequest(client_id=batch.client_id, sequence=batch.sequence)
    for item in batch.series:
        message.series.add(
            run_id=item.run_id, key=item.key, steps=item.steps, timestamps=item.timestamps, values=item.values
        )
    assert listed(read_request(message.SerializeToString())) == listed(batch)


def test_shared_columns_are_written_and_read_as_such():
    steps, times = [-1, 2**40], [0, 1_700_000_000_000]
    batch = Ingest(
        client_id="c",
        sequence=1,
        series=[IngestSeries("r", key, steps, times, [1.0, 2.0]) for key in "ab"]
        + [IngestSeries("r", "c", [5], times, [3.0, 4.0])],
    )
    found = decode_request(encode_request(batch))
    assert listed(found) == listed(batch)
    assert found.series[0].steps is found.series[1].steps
    assert found.series[0].timestamps is found.series[2].timestamps


@given(requests, st.data())
def test_damaged_bytes_are_read_alike_or_left_alone(batch, data):
    body = bytearray(encode_request(batch))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    found = read_request(bytes(body))
    if found is not None:
        assert listed(found) == listed(decode_any_request(bytes(body)))


@given(st.binary(max_size=40))
def test_any_bytes_are_read_alike_or_left_alone(body):
    found = read_request(body)
    if found is not None:
        assert listed(found) == listed(decode_any_request(body))


@pytest.mark.parametrize(
    "body",
    [
        bytes.fromhex("0a01630a0164"),  # the client twice: the last one counts
        bytes.fromhex("1a021801"),  # a step that is not packed
        bytes.fromhex("1a061a01021a0104"),  # steps in two pieces
        bytes.fromhex("2001"),  # a field that only later versions know
    ],
)
def test_unusual_messages_are_left_to_the_generated_class(body):
    assert read_request(body) is None
    assert isinstance(decode_request(body), Ingest)


@pytest.mark.parametrize(
    "body", [b"\x0a", b"\x0a\x05a", b"\x0a\x01\xff", bytes.fromhex("1a022a0100"), b"\x10" + b"\xff" * 11]
)
def test_what_is_no_message_is_refused(body):
    with pytest.raises(InvalidParameterValue, match="IngestRequest"):
        decode_request(body)


@given(st.builds(IngestResponse, points=int64, repeated_batch=st.booleans()))
def test_response_comes_back(response):
    assert decode_response(encode_response(response)) == response


def test_generated_module_is_fresh(tmp_path):
    fresh = compile_protocol(tmp_path).read_text()
    assert fresh == Path(ingest_pb2.__file__).read_text(), "run `make generate`"
