"""Blocks of points: bit for bit back, for ever, and never silently wrong."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.errors import MissingDependency
from stele.stores.sql import column_codec
from stele.stores.sql.column_blocks import decode_keys, decode_points, encode_block
from stele.stores.sql.column_codec import PCO, RAW, ZLIB, Corrupt
from stele.stores.sql.decimals import Decimals, as_decimals
from stele.stores.sql.points import Points, canonical_values, concatenated

STORED = Path(__file__).parent / "blocks"
CODECS = {"raw": RAW, "pco": PCO, "zlib": ZLIB}

INT64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-5, 5))
ROWS = st.lists(st.tuples(INT64, INT64, st.floats(allow_nan=True, width=64)), min_size=1, max_size=50)


def points_of(rows: list[tuple[int, int, float]]) -> Points:
    steps, timestamps, values = zip(*rows, strict=True)
    return Points(np.array(steps, np.int64), np.array(timestamps, np.int64), canonical_values(values))


def decoded(data: bytes, count: int) -> Points:
    points = Points.empty(count)
    decode_points(data, points)
    return points


def block_of(series: list[tuple[int, Points]], codec: int | None = None) -> bytes:
    keys, counts = (np.array(column) for column in zip(*((key, len(each)) for key, each in series), strict=True))
    return encode_block(keys, counts, concatenated([points for _, points in series]), codec)


def bits(points: Points) -> tuple[bytes, bytes, bytes]:
    return points.steps.tobytes(), points.timestamps.tobytes(), points.values.tobytes()


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@given(series=st.lists(ROWS, min_size=1, max_size=4))
def test_points_come_back_bit_for_bit(codec, series):
    columns = [points_of(rows) for rows in series]
    data = block_of([(7 + 3 * i, points) for i, points in enumerate(columns)], codec)
    whole = concatenated(columns)
    assert bits(decoded(data, len(whole))) == bits(whole)
    if len(columns) > 1:
        keys, counts = decode_keys(data)
        assert keys.tolist() == [7 + 3 * i for i in range(len(columns))]
        assert counts.tolist() == [len(points) for points in columns]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@given(first=INT64, stride=INT64, count=st.integers(1, 300))
def test_regular_steps_take_16_bytes(codec, first, stride, count):
    """Also where they wrap around 64 bits."""
    steps = (first + stride * np.arange(count, dtype=object)) % 2**64
    steps = np.array([step - 2**64 if step >= 2**63 else step for step in steps], np.int64)
    points = Points(steps, np.zeros(count, np.int64), np.zeros(count))
    data = block_of([(1, points)], codec)
    assert struct.unpack_from("<I", data, 12)[0] == 16
    assert bits(decoded(data, count)) == bits(points)


@given(data=st.data(), rows=st.lists(ROWS, min_size=1, max_size=3), codec=st.sampled_from(sorted(CODECS.values())))
def test_damaged_bytes_are_noticed(data, rows, codec):
    columns = [points_of(each) for each in rows]
    block = block_of([(i + 1, points) for i, points in enumerate(columns)], codec)
    place = data.draw(st.integers(24, len(block) - 1))
    flipped = bytes([*block[:place], block[place] ^ data.draw(st.integers(1, 255)), *block[place + 1 :]])
    for bad in (flipped, block[:place], block + b"\0", b"", b"\x09" + block[1:]):
        with pytest.raises(Corrupt):
            decoded(bad, sum(len(points) for points in columns))


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_wrong_number_of_points_is_noticed(codec):
    points = points_of([(i * i, i, 0.5) for i in range(20)])
    block = block_of([(1, points)], codec)
    with pytest.raises(Corrupt, match="20 points where 21"):
        decoded(block, 21)
    column = column_codec.encode(points.steps, codec)
    for count in (19, 21):
        with pytest.raises(Corrupt):
            column_codec.decode(memoryview(column), codec, np.empty(count, np.int64))
    with pytest.raises(Corrupt, match="unknown codec 77"):
        column_codec.decode(memoryview(column), 77, np.empty(20, np.int64))
    with pytest.raises(Corrupt, match="one key"):
        decode_keys(block)


def test_zlib_takes_over_where_pcodec_is_missing(monkeypatch):
    points = points_of([(i, i, 0.5) for i in range(20)])
    from_elsewhere = block_of([(1, points)], PCO)
    monkeypatch.setattr(column_codec, "_pcodec", lambda: None)
    own = block_of([(1, points)])
    assert own[1] == ZLIB
    assert bits(decoded(own, 20)) == bits(points)
    with pytest.raises(MissingDependency, match="pcodec"):
        decoded(from_elsewhere, 20)


def sample() -> list[tuple[int, Points]]:
    """What the stored blocks hold: made without random numbers, so that it is the same for ever."""
    places = np.arange(500)
    values = canonical_values(np.floor(1e6 * np.abs(np.sin(places))) / 1e4)
    values[[3, 77, 410]] = math.nan, math.inf, -math.inf
    irregular = Points(places * places - 4_000, 1_700_000_000_000 + 17 * places + places % 5, values)
    regular = Points(10 * places[:100], 1_700_000_000_000 + 40 * places[:100], values[:100])
    return [(11, regular), (4_294_967_295, irregular)]


@pytest.mark.parametrize("name", CODECS)
def test_blocks_of_version_1_are_read_for_ever(name):
    """The files were written once, by the first version that had blocks; they are never written again."""
    series = sample()
    many = (STORED / f"version1-{name}-many.bin").read_bytes()
    assert bits(decoded(many, 600)) == bits(concatenated([points for _, points in series]))
    assert decode_keys(many)[0].tolist() == [key for key, _ in series]
    one = (STORED / f"version1-{name}-one.bin").read_bytes()
    assert bits(decoded(one, 100)) == bits(series[0][1])


@pytest.mark.parametrize("name", CODECS)
def test_blocks_of_version_2_are_read_for_ever(name):
    """As those of version 1: written once."""
    series = rounded_sample()
    many = (STORED / f"version2-{name}-many.bin").read_bytes()
    assert bits(decoded(many, 600)) == bits(concatenated([points for _, points in series]))
    assert decode_keys(many)[0].tolist() == [key for key, _ in series]
    one = (STORED / f"version2-{name}-one.bin").read_bytes()
    assert bits(decoded(one, 100)) == bits(series[0][1])


def rounded_sample() -> list[tuple[int, Points]]:
    return [(key, Points(*points.columns[:2], np.arange(len(points)) / 1e3 - 0.25)) for key, points in sample()]


ROUNDED = st.builds(
    lambda digits, numbers: [number / 10.0**digits for number in numbers],
    st.integers(0, 12),
    st.lists(st.integers(-(2**54), 2**54) | st.integers(-9_999, 9_999), min_size=1, max_size=80),
)
ODD = st.sampled_from([-0.0, math.nan, math.inf, 0.1 + 0.2, 5e-324, 1.7e308])


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@given(values=ROUNDED, odd=st.none() | ODD)
def test_rounded_values_come_back_bit_for_bit(codec, values, odd):
    column = canonical_values([*values, *([] if odd is None else [odd])])
    points = Points(np.arange(len(column)), np.arange(len(column)), column)
    assert bits(decoded(block_of([(1, points)], codec), len(column))) == bits(points)


def test_rounded_values_are_kept_as_integers():
    assert as_decimals(np.array([0.25, -1.5, 3.0])) == Decimals(2, pytest.approx([25, -150, 300]))
    assert as_decimals(np.array([3.0, 2.0**52])).digits == 0
    for odd in (-0.0, math.nan, math.inf, 0.1 + 0.2, 2.0**53, 1e-10):
        assert as_decimals(np.array([0.25] * 500 + [odd])) is None


def decimals_one_by_one(values: list[float]) -> tuple[int, list[int]] | None:
    """The fewest digits and the integers, by Python's own numbers."""
    for digits in range(10):
        scaled = [value * 10.0**digits for value in values]
        if not all(map(math.isfinite, scaled)):
            return None
        integers = [round(each) for each in scaled]
        same = [
            abs(integer) < 2**53 and struct.pack("d", integer / 10.0**digits) == struct.pack("d", value)
            for integer, value in zip(integers, values, strict=True)
        ]
        if all(same):
            return digits, integers
    return None


@given(values=ROUNDED, odd=st.none() | ODD | st.floats())
def test_rounded_values_are_those_that_python_divides_to(values, odd):
    column = [float(value) for value in [*values, *([] if odd is None else [odd])]]
    found = as_decimals(np.array(column))
    assert (found and (found.digits, found.integers.tolist())) == decimals_one_by_one(column)
