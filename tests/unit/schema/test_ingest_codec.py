"""The published binary form: an exact inverse, and generated from the text that is published."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from compat.protocol import compile_protocol
from stele.schema import ingest_pb2
from stele.schema.ingest import Ingest, IngestResponse, IngestSeries
from stele.schema.ingest_codec import decode_request, decode_response, encode_request, encode_response

int64 = st.integers(-(2**63), 2**63 - 1)
series = st.builds(
    IngestSeries, st.text(), st.text(), st.lists(int64), st.lists(int64), st.lists(st.floats(allow_nan=False))
)


@given(st.builds(Ingest, client_id=st.text(), sequence=int64, series=st.lists(series)))
def test_request_comes_back(batch):
    assert decode_request(encode_request(batch)) == batch


@given(st.builds(IngestResponse, points=int64, repeated_batch=st.booleans()))
def test_response_comes_back(response):
    assert decode_response(encode_response(response)) == response


def test_generated_module_is_fresh(tmp_path):
    fresh = compile_protocol(tmp_path).read_text()
    assert fresh == Path(ingest_pb2.__file__).read_text(), "run `make generate`"
