"""Cells as sealed segments keep them, against cells of the points."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from series_oracle import plain_cell, rows_of

from stele.stores.sql.cell_codec import pack_cells, unpack_cells
from stele.stores.sql.cells import CELL_POINTS, grouped
from stele.stores.sql.column_codec import Corrupt
from stele.stores.sql.points import Points, sorted_distinct

STORED = Path(__file__).parent / "blocks"
SINGLES = st.sampled_from([0.0, -0.0, 0.5, -3.25, 1e30])
DOUBLES = st.sampled_from([0.1, 1e300, -1e-300, 2.5])
DECIMALS = st.sampled_from([0.1, -2.57, 3276.7, 3276.8, 1234567.891, 0.000001, 4e9])
ODD = st.sampled_from([math.nan, math.inf, -math.inf, 1.0])


@st.composite
def blocks(draw) -> Points:
    """A block of one of the kinds that are stored differently."""
    count = draw(st.integers(1, 3 * CELL_POINTS + 7))
    first, stride = draw(st.integers(-(2**62), 2**62)), draw(st.integers(1, 10))
    steps = np.arange(count) * stride + first
    if draw(st.booleans()):
        steps = steps + np.arange(count) % 2 * (stride > 1)
    times = (
        draw(st.sampled_from([np.arange(count) * 7, -np.arange(count), np.arange(count) * 2**40])) + 1_700_000_000_000
    )
    pool = draw(st.lists(draw(st.sampled_from([SINGLES, DOUBLES, DECIMALS, ODD])), min_size=1, max_size=5))
    values = np.array([pool[i % len(pool)] for i in range(count)])
    return sorted_distinct(Points(steps.astype(np.int64), times.astype(np.int64), values))


@given(st.lists(blocks(), max_size=5))
def test_cells_come_back_block_by_block(points):
    cells, counts = unpack_cells([pack_cells(block) for block in points])
    expected = [grouped(block, CELL_POINTS) for block in points]
    assert counts.tolist() == [len(each) for each in expected]
    assert cells.tobytes() == b"".join(each.tobytes() for each in expected)


@given(st.lists(blocks(), min_size=1, max_size=3), st.sampled_from([2, 3, 32]))
def test_neighbours_are_joined_within_a_block(points, joined):
    cells, counts = unpack_cells([pack_cells(block) for block in points], joined)
    assert counts.tolist() == [-(-len(block) // (joined * CELL_POINTS)) for block in points]
    place = 0
    for block in points:
        rows = rows_of(block)
        for start in range(0, len(rows), joined * CELL_POINTS):
            for name, value in plain_cell(rows[start : start + joined * CELL_POINTS]).items():
                np.testing.assert_allclose(
                    cells[place][name], value, rtol=1e-9, atol=1e285, equal_nan=True, err_msg=name
                )
            place += 1
    assert place == len(cells)


def test_a_cell_takes_as_many_bytes_as_its_values_need():
    count = 8_192
    sine = np.sin(np.arange(count))
    for values, size in (
        (sine, 46),
        (sine.astype(np.float32).astype(np.float64), 30),
        (np.round(1e5 * sine, 2), 30),
        (np.round(sine, 4), 22),
    ):
        points = Points(np.arange(count), np.arange(count) * 10 + 1_700_000_000_000, values)
        assert len(pack_cells(points)) == 32 + 32 * size


def test_steps_at_both_ends_of_64_bits():
    """A warning of numpy's would be an error here."""
    steps = np.array([-(2**63), 2**63 - 1], np.int64)
    block = Points(steps, np.zeros(2, np.int64), np.ones(2))
    [cell], _ = unpack_cells([pack_cells(block)])
    assert (cell["first_step"], cell["last_step"], cell["points"]) == (*steps, 2)


@pytest.mark.parametrize("name", ["singles", "doubles", "odd"])
def test_cells_of_version_1_are_read_for_ever(name):
    """The files were written once, by the first version that had summaries; they are never written again."""
    packed = (STORED / f"version1-cells-{name}.bin").read_bytes()
    block = version_1_sample(name)
    assert packed[0] == 1
    for joined in (1, 2):
        cells, counts = unpack_cells([packed, pack_cells(block)], joined)
        assert counts[0] == counts[1]
        assert cells[: counts[0]].tobytes() == cells[counts[0] :].tobytes()
    assert unpack_cells([packed])[0].tobytes() == grouped(block, CELL_POINTS).tobytes()


def version_1_sample(name: str) -> Points:
    """Made without random numbers, so that it is the same for ever."""
    places = np.arange(600)
    values = np.floor(1e6 * np.abs(np.sin(places))) / (2**20 if name == "singles" else 3e4)
    steps, times = 10 * places, 1_700_000_000_000 + 17 * places + places % 5
    if name == "odd":
        values[[3, 77, 410]] = math.nan, math.inf, -math.inf
        steps, times = places * places, times - 2**40 * (places == 300)
    return Points(steps.astype(np.int64), times.astype(np.int64), values)


@given(blocks(), st.data())
def test_bytes_of_another_shape_are_refused(block, data):
    packed = pack_cells(block)
    cut = data.draw(st.integers(0, len(packed) - 1))
    for bad in (
        packed[:cut],
        packed + b"\0" * data.draw(st.integers(1, 7)),
        b"\x03" + packed[1:],
        b"\x00" + packed[1:],
        packed[:1] + b"\xff" + packed[2:],
    ):
        with pytest.raises(Corrupt):
            unpack_cells([bad])
    wrong_count = packed[:4] + (len(block) + CELL_POINTS).to_bytes(4, "little") + packed[8:]
    with pytest.raises(Corrupt):
        unpack_cells([wrong_count])
