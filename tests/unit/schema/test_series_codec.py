"""The forms of an answer with series: JSON, the compact binary form, Arrow."""

from __future__ import annotations

import math
import struct

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.errors import InvalidParameterValue
from stele.limits import INT64_MAX, INT64_MIN
from stele.schema.codec import decode, encode
from stele.schema.columns import Doubles, Integers
from stele.schema.series import BucketSeries, GetSeriesResponse, PointSeries
from stele.schema.series_arrow import decode_arrow, encode_arrow
from stele.schema.series_codec import decode_series, encode_series

_integers = st.lists(st.integers(INT64_MIN, INT64_MAX), max_size=5).map(Integers.of)
_doubles = st.lists(st.floats(), max_size=5).map(Doubles.of)
# One NaN: JSON has no other.
_json_doubles = st.lists(st.floats(allow_nan=False) | st.just(math.nan), max_size=5).map(Doubles.of)

# Tokens are letters and digits; Arrow keeps the metadata of a schema as C strings, which end at a NUL.
TOKENS = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


def answers(doubles):
    """Answers with any columns; their lengths need not agree for a codec."""
    names = {"run_id": st.text(), "key": st.text(), "points": st.integers(0, 9), "origin": st.integers(0, INT64_MAX)}
    points = st.builds(PointSeries, **names, steps=_integers, timestamps=_integers, values=doubles)
    integers = dict.fromkeys(("first_x", "last_x", "counts", "nans", "infinities"), _integers)
    figures = dict.fromkeys(("min", "max", "mean", "last"), doubles)
    buckets = st.builds(BucketSeries, **names, **integers, **figures, timestamps=_integers)
    return st.builds(GetSeriesResponse, series=st.lists(points | buckets, max_size=3), next_page_token=TOKENS)


ANSWER = GetSeriesResponse(
    series=[
        PointSeries(
            run_id="r", key="ä", points=2, origin=7, steps=Integers.of([1, -2]), timestamps=Integers.of([3, 4]),
            values=Doubles.of([0.5, math.nan]),
        ),
        BucketSeries(
            run_id="r", key="null", points=3, origin=7, first_x=Integers.of([1]), last_x=Integers.of([2]),
            counts=Integers.of([3]), nans=Integers.of([0]), infinities=Integers.of([1]), min=Doubles.of([-math.inf]),
            max=Doubles.of([2.0]), mean=Doubles.of([1.5]), last=Doubles.of([2.0]), timestamps=Integers.of([9]),
        ),
    ],
    next_page_token="more",
)  # fmt: skip


@given(answers(_json_doubles))
def test_json_is_read_back(answer):
    assert decode(encode(answer), GetSeriesResponse) == answer


@given(answers(_doubles))
def test_binary_is_read_back(answer):
    assert decode_series(encode_series(answer)) == answer


@given(answers(_doubles))
def test_arrow_is_read_back(answer):
    assert decode_arrow(encode_arrow(answer)) == answer


def test_json_has_numbers_and_strings_for_what_is_no_number():
    assert (
        encode(ANSWER)
        == (
            '{"series":[{"form":"points","run_id":"r","key":"ä","points":2,"origin":7,"steps":[1,-2],"timestamps":[3,4],'
            '"values":[0.5,"NaN"]},{"form":"buckets","run_id":"r","key":"null","points":3,"origin":7,"first_x":[1],'
            '"last_x":[2],"counts":[3],"nans":[0],"infinities":[1],"min":["-Infinity"],"max":[2.0],"mean":[1.5],'
            '"last":[2.0],"timestamps":[9]}],"next_page_token":"more"}'
        ).encode()
    )


def test_the_published_layout():
    body = encode_series(ANSWER)
    magic, length, zero = struct.unpack_from("<8sII", body)
    assert (magic, length % 8, zero) == (b"STELSER1", 0, 0)
    header = body[16 : 16 + length].decode()
    assert '"values":{"type":"float64","at":32,"length":2}' in header
    assert struct.unpack_from("<2q", body, 16 + length) == (1, -2)
    assert struct.unpack_from("<d", body, 16 + length + 32) == (0.5,)


def test_columns_of_the_binary_form_are_not_copied():
    body = encode_series(ANSWER)
    assert decode_series(body).series[0].values.data.obj is body


@pytest.mark.parametrize(
    ("start", "end", "put"),
    [
        (0, None, b""),
        (0, 12, b""),
        (0, 1, b"X"),
        (8, 12, b"\xff\xff\xff\x7f"),
        (16, 24, b"not JSON"),
        (-8, None, b""),
    ],
)
def test_other_bytes_are_refused(start, end, put):
    body = encode_series(ANSWER)
    damaged = body[:start] + put + (b"" if end is None else body[end:])
    with pytest.raises(InvalidParameterValue, match=r"not application/vnd\.stele\.series"):
        decode_series(damaged)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"float64", b"float32"),
        (b'"form":"points"', b'"form":"others"'),
        (b'"points":2', b'"points":x'),
        (b'"key":', b'"kex":'),
        (b'"at":0,', b'"at":-8'),
        (b'"length":2}', b'"length":-2'),
    ],
)
def test_another_header_is_refused(old, new):
    body = encode_series(ANSWER)
    assert old in body
    with pytest.raises(InvalidParameterValue, match=r"not application/vnd\.stele\.series"):
        decode_series(body.replace(old, new, 1))


@pytest.mark.parametrize("body", [b"", b"something else", encode_arrow(ANSWER)[:900]])
def test_another_stream_is_refused(body):
    with pytest.raises(InvalidParameterValue, match="not an Arrow stream of series"):
        decode_arrow(body)


def test_arrow_is_read_by_others():
    body = encode_arrow(ANSWER)
    table = pa.ipc.open_stream(body).read_all()
    assert table.schema.metadata == {b"next_page_token": b"more"}
    assert table.column("steps").to_pylist() == [[1, -2], None]
    assert table.column("mean").to_pylist() == [None, [1.5]]
    assert str(table.schema.field("timestamps").type) == "list<item: timestamp[ms, tz=UTC]>"
    frame = pl.read_ipc_stream(body).filter(pl.col("form") == "points").explode("steps", "timestamps", "values")
    assert frame["steps"].to_list() == [1, -2]
    assert pl.read_ipc_stream(encode_arrow(GetSeriesResponse())).height == 0


def test_a_wrong_column_is_named():
    with pytest.raises(InvalidParameterValue, match=r"series\[0\]\.steps no list of integers"):
        decode(encode(ANSWER).replace(b"[1,-2]", b"[1,2.5]"), GetSeriesResponse)
    with pytest.raises(InvalidParameterValue, match=r"series\[0\]\.steps"):
        decode(encode(ANSWER).replace(b"[1,-2]", b"5"), GetSeriesResponse)
