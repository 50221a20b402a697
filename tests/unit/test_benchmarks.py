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

from benchmarks.measure import percentile, times_ms
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
