"""The order of points, rows of the log, and cells against plain Python."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from series_oracle import plain_cell

from stele.stores.sql import records
from stele.stores.sql.cells import CELL, cells_of, grouped
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.points import Points, canonical_values, concatenated, count_before, counts_before, sorted_distinct
from stele.stores.sql.records import pack, pack_grid

VALUES = st.sampled_from([0.0, -0.0, 1.0, -1.5, 1e300, math.nan, math.inf, -math.inf])
ROWS = st.lists(st.tuples(st.integers(1, 3), st.integers(-3, 3), st.integers(0, 2), VALUES), max_size=40)


def points_of(rows: list[tuple[int, int, float]]) -> Points:
    steps, timestamps, values = zip(*rows, strict=True) if rows else ((), (), ())
    return Points(np.array(steps, np.int64), np.array(timestamps, np.int64), canonical_values(values))


def rows_of(points: Points) -> list[tuple[int, int, str]]:
    columns = points.steps.tolist(), points.timestamps.tolist(), points.values.tolist()
    return [(step, timestamp, float(value).hex()) for step, timestamp, value in zip(*columns, strict=True)]


def expected_order(rows: list[tuple[int, int, float]]) -> list[tuple[int, int, str]]:
    found = {(step, timestamp, float(value).hex()): value for step, timestamp, value in rows}

    def rank(item: tuple[int, int, str]) -> tuple:
        value = found[item]
        return item[0], item[1], 0.0 if value != value else value, value != value, math.copysign(1, value)

    return sorted(found, key=rank)


@given(ROWS)
def test_sorted_distinct_is_the_sorted_set(rows):
    plain = [row[1:] for row in rows]
    assert rows_of(sorted_distinct(points_of(plain))) == expected_order(plain)


def in_records(rows: list[tuple[int, int, int, float]]) -> list[bytes]:
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return [packed.data for packed in pack(*columns, len(rows))] if rows else []


def assert_keyed(keyed: KeyedPoints, rows: list[tuple[int, int, int, float]]) -> None:
    """Whether these are exactly the points of the rows."""
    found = dict(keyed.items())
    assert list(found) == sorted({row[0] for row in rows})
    for key, points in found.items():
        assert rows_of(points) == expected_order([row[1:] for row in rows if row[0] == key])
        assert rows_of(keyed.of(key)) == rows_of(points)
    assert len(keyed.of(99)) == 0


GRIDS = st.tuples(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2)), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)


@given(st.lists(ROWS | GRIDS, max_size=5), st.integers(1, 4))
def test_the_log_comes_back_by_key(entries, key):
    log: list[bytes] = []
    rows: list[tuple[int, int, int, float]] = []
    for entry in entries:
        if isinstance(entry, list):
            log += in_records(entry)
            rows += entry
            continue
        keys, times, dice = entry
        values = [dice.choice([0.0, -0.0, 1.0, math.nan, math.inf]) for _ in range(len(keys) * len(times))]
        steps, timestamps = (np.array(column, np.int64) for column in zip(*times, strict=True))
        log += [packed.data for packed in pack_grid(keys, steps, timestamps, canonical_values(values))]
        places = [(number, *time) for number in keys for time in times]
        rows += [(*place, value) for place, value in zip(places, values, strict=True)]
    assert_keyed(KeyedPoints.of_log(log), rows)
    assert_keyed(KeyedPoints.of_log(log, key), [row for row in rows if row[0] == key])


def test_long_entries_are_several_rows_of_the_log(monkeypatch):
    monkeypatch.setattr(records, "ROW_POINTS", 6)
    keys, steps, values = list(range(1, 9)), np.arange(5), np.arange(40.0)
    expected = [(key, step, 7, values[5 * place + step]) for place, key in enumerate(keys) for step in range(5)]
    for packed in (
        pack_grid(keys, steps, np.full(5, 7), values),
        pack_grid(keys[:2], steps, np.full(5, 7), values[:10]),
        pack(np.repeat(keys, 5), np.tile(steps, 8), 7, values, 40),
    ):
        points = sum(row.points for row in packed)
        assert len(packed) > 1
        assert max(row.points for row in packed) <= 6
        assert_keyed(KeyedPoints.of_log(row.data for row in packed), expected[:points])


@given(ROWS, ROWS, st.data())
def test_keyed_points_are_merged_and_filtered(some, others, data):
    parts = [
        KeyedPoints.sorted(np.array([row[0] for row in rows], np.int64), points_of([row[1:] for row in rows]))
        for rows in (some, others)
    ]
    merged = KeyedPoints.merged(parts)
    rows = some + others
    assert {key: rows_of(points) for key, points in merged.items()} == {
        key: expected_order([row[1:] for row in rows if row[0] == key]) for key in {row[0] for row in rows}
    }
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(merged), max_size=len(merged))), bool)
    kept = merged.filtered(keep)
    assert rows_of(kept.points) == [row for row, wanted in zip(rows_of(merged.points), keep, strict=True) if wanted]
    assert [key for key, points in kept.items() for _ in range(len(points))] == [
        key for (key, wanted) in zip(np.repeat(merged.keys, merged.counts).tolist(), keep, strict=True) if wanted
    ]
    assert kept.counts.all()


def test_key_numbers_far_apart_are_sorted_too():
    keys = np.array([4_000_000_000, 5, 70_000, 5])
    found = dict(KeyedPoints.of_log([pack(keys, np.arange(4), 0, 1.0, 4)[0].data]).items())
    assert {key: points.steps.tolist() for key, points in found.items()} == {5: [1, 3], 70_000: [2], 4_000_000_000: [0]}


@given(ROWS, st.integers(-4, 4), st.integers(-1, 3))
def test_positions_are_counted(rows, step, timestamp):
    points = sorted_distinct(points_of([row[1:] for row in rows]))
    places = list(zip(points.steps.tolist(), points.timestamps.tolist(), strict=True))
    assert counts_before(points, np.array([step]), np.array([timestamp])) == count_before(points, step, timestamp)
    assert count_before(points, step, timestamp) == sum(place < (step, timestamp) for place in places)
    assert count_before(points, step, timestamp, inclusive=True) == sum(p <= (step, timestamp) for p in places)


@given(ROWS, st.integers(1, 7))
def test_cells_say_what_their_points_say(rows, size):
    points = sorted_distinct(points_of([row[1:] for row in rows]))
    plain = list(zip(points.steps.tolist(), points.timestamps.tolist(), points.values.tolist(), strict=True))
    expected = [plain_cell(plain[start : start + size]) for start in range(0, len(plain), size)]
    cells = grouped(points, size)
    assert cells.dtype == CELL
    assert len(cells) == len(expected)
    for cell, wanted in zip(cells, expected, strict=True):
        for name, value in wanted.items():
            np.testing.assert_allclose(cell[name], value, rtol=1e-12, equal_nan=True, err_msg=name)
    if size == 1:
        assert cells.tobytes() == cells_of(points).tobytes()


def test_parts_follow_each_other():
    parts = [points_of([(1, 1, 1.0)]), points_of([]), points_of([(0, 0, 2.0), (3, 3, 3.0)])]
    assert rows_of(concatenated(parts)) == [row for part in parts for row in rows_of(part)]
    assert len(concatenated([])) == 0
