"""What the benchmarks compute from what they measured."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.kill_campaign import Losses, added
from benchmarks.measure import percentile, times_ms
from benchmarks.points import batches, mix, noise, rounded, wide
from benchmarks.results import Limit, Row

SAMPLES = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


@given(SAMPLES, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_percentile_is_the_nearest_rank(samples, share):
    found = percentile(samples, share)
    assert found in samples
    assert found == np.percentile(samples, share * 100, method="inverted_cdf")


def test_calls_before_the_first_round_are_not_measured():
    calls = []
    assert len(times_ms(lambda: calls.append(1), 3, warm=2)) == 3
    assert len(calls) == 5


@pytest.mark.parametrize(
    ("row", "ratio", "verdict"),
    [
        (Row("a cost", "ms", 2.0, 10.0, 3), "5x", True),
        (Row("a cost", "ms", 4.0, 10.0, 3), "2.5x", False),
        (Row("a cost with a tail", "ms", 2.0, None, 3, p95=4.0), "-", False),
        (Row("a rate", "points/s", 10.0, 2.0, 9), "5x", True),
        (Row("a rate", "points/s", 8.0, 2.0, 9), "4x", False),
        (Row("what must not happen", "calls", 0, None, 0), "-", True),
        (Row("stopped", "ms", 1.0, math.inf), "not finished", None),
        (Row("not measured", "points/s", None, None, 9), "-", None),
    ],
)
def test_more_is_better_of_rates_only(row, ratio, verdict):
    assert (row.ratio, row.is_met) == (ratio, verdict)


def test_a_row_shows_target_and_limit():
    row = Row("ingest", "points/s", 1_500_000.0, 10_000.0, 1_400_000, limit=Limit(1_200_000.0, "executemany"))
    assert row.cells() == [
        *("ingest", "points/s", "1,500,000", "", "10,000", "150x", "≥ 1,400,000 met", "1,200,000 (executemany)")
    ]
    missing = Row("no server", "points/s", None, None, 5)
    assert missing.cells()[2:] == ["-", "", "-", "-", "≥ 5", ""]


@pytest.mark.parametrize("shape", [mix, noise, rounded, lambda points: wide(points // 3, 3)])
@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_batches_hold_every_point_once(shape, size):
    columns = shape(300)
    made = list(batches("a" * 32, columns, points=size))
    assert [batch.sequence for batch in made] == list(range(1, len(made) + 1))
    assert all(sum(len(series.steps) for series in batch.series) <= max(size, 1) for batch in made)
    found = [
        (series.key, *point)
        for batch in made
        for series in batch.series
        for point in zip(series.steps, series.timestamps, series.values, strict=True)
    ]
    expected = [
        (key, *point)
        for key, values in columns.values.items()
        for point in zip(columns.steps.tolist(), columns.timestamps.tolist(), values.tolist(), strict=True)
    ]
    assert sorted(found) == sorted(expected)
    assert len(found) == columns.points


@pytest.mark.parametrize("field", Losses._fields[3:])
def test_one_loss_spoils_a_campaign(field):
    clean = Losses(rounds=1, calls=10, points=10)
    assert added(clean, clean) == Losses(rounds=2, calls=20, points=20)
    assert added(clean, clean).is_clean()
    assert not added(clean, clean._replace(**{field: 1})).is_clean()
