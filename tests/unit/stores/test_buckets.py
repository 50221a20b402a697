"""Buckets, against plain Python; and series long enough that they are read as cells or in several pieces."""

from __future__ import annotations

import math
import uuid
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sql_statements import statements_sent
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.runs import CreateRun
from stele.schema.series import BucketSeries, GetSeries, PointSeries
from stele.stores.sql import SqlStore
from stele.stores.sql.buckets import bucketed
from stele.stores.sql.cells import grouped
from stele.stores.sql.points import Points, sorted_distinct

START = 1_700_000_000_000
LONG = 600_000


@st.composite
def series(draw):
    """Points in canonical order."""
    count = draw(st.integers(1, 200))
    rows = st.tuples(
        st.integers(-50, 50) | st.sampled_from([-(2**63), 2**63 - 1]),
        st.integers(0, 1_000),
        st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308]),
    )
    steps, times, values = zip(*draw(st.lists(rows, min_size=count, max_size=count)), strict=True)
    return sorted_distinct(Points(np.array(steps, np.int64), np.array(times, np.int64), np.array(values, np.float64)))


@given(points=series(), count=st.integers(1, 50), size=st.sampled_from([1, 2, 8, 256]), time=st.booleans())
def test_every_point_is_in_one_bucket(points, count, size, time):
    [buckets] = bucketed([points if size == 1 else grouped(points, size)], count, time=time)
    numbers = points.values[~np.isnan(points.values)]
    finite = points.values[np.isfinite(points.values)]
    assume(size == 1 or not len(finite) or abs(finite).max() < 1e300)  # the sum of a cell is a double
    assert 1 <= len(buckets["counts"]) <= count
    assert buckets["counts"].min() >= 1
    assert buckets["counts"].sum() == len(points)
    assert buckets["nans"].sum() == len(points) - len(numbers)
    assert buckets["infinities"].sum() == len(numbers) - len(finite)
    for name, choose in (("min", np.fmin), ("max", np.fmax)):
        assert np.array_equal(choose.reduce(buckets[name]), choose.reduce(points.values), equal_nan=True)
    assert (buckets["first_x"] <= buckets["last_x"]).all()
    assert (buckets["first_x"][1:] > buckets["first_x"][:-1]).all()
    x = points.timestamps if time else points.steps
    assert (buckets["first_x"][0], buckets["last_x"].max()) == (x.min(), x.max()) or (time and size > 1)
    weights = buckets["counts"] - buckets["nans"] - buckets["infinities"]
    assert (np.isnan(buckets["mean"]) == (weights == 0)).all()
    if len(finite):
        whole = np.nansum(buckets["mean"] * (weights / len(finite)))
        assert whole == pytest.approx((finite / len(finite)).sum(), rel=1e-9, abs=1e-9 * abs(finite).max())


@given(points=series(), count=st.integers(1, 50))
def test_buckets_of_points_are_intervals_of_one_width(points, count):
    [buckets] = bucketed([points], count, time=False)
    bounds = list(zip(buckets["first_x"].tolist(), buckets["last_x"].tolist(), strict=True))
    assert all(last < first for (_, last), (first, _) in pairwise(bounds))
    span = bounds[-1][1] - bounds[0][0] + 1
    assert all((last - first) <= span / count * (1 + 1e-9) for first, last in bounds)
    for row, (first, last) in enumerate(bounds):
        inside = points.values[(points.steps >= first) & (points.steps <= last)]
        assert len(inside) == buckets["counts"][row]
        assert repr(float(inside[-1])) == repr(float(buckets["last"][row]))
        assert points.timestamps[points.steps <= last][-1] == buckets["timestamps"][row]


@given(
    several=st.lists(series() | series().map(lambda points: grouped(points, 8)), min_size=1, max_size=4),
    count=st.integers(1, 50),
    time=st.booleans(),
)
def test_series_have_the_same_buckets_together_as_alone(several, count, time):
    for together, each in zip(bucketed(several, count, time=time), several, strict=True):
        [alone] = bucketed([each], count, time=time)
        for name, column in alone.items():
            assert together[name].tobytes() == column.tobytes()


@pytest.fixture(scope="module", params=["in the log", "in segments"])
def long_run(request, tmp_path_factory):
    """A store, and a run with a long series whose timestamps are 10 ms apart."""
    with SqlStore(f"sqlite:///{tmp_path_factory.mktemp('long')}/s.db") as store:
        run = store.create_run(CreateRun(experiment_id="0", start_time=START)).run.info.run_id
        values = np.sin(np.arange(LONG) / 1_000)
        values[[123_457, 432_101]] = 50.0, -50.0
        values[300_000:300_010] = math.nan
        columns = (np.arange(LONG), START + 10 * np.arange(LONG), values)
        for part in np.array_split(np.arange(LONG), 3):
            chosen = [column[part].tolist() for column in columns]
            store.ingest(Ingest(client_id=uuid.uuid4().hex, sequence=1, series=[IngestSeries(run, "loss", *chosen)]))
        store.apply_all()
        if request.param == "in segments":
            store.compact_all(lambda _points: None)
        yield store, run, values


def ask(store, run, **arguments):
    [found] = store.get_series(GetSeries(run_ids=[run], keys=["loss"], **arguments)).series
    return found


@pytest.mark.parametrize("x", ["step", "time", "relative"])
def test_a_long_series_in_buckets(long_run, x):
    store, run, values = long_run
    found = ask(store, run, x=x, buckets=100)
    assert isinstance(found, BucketSeries)
    assert found.points == sum(found.counts.data.tolist()) == LONG
    assert (max(found.max.data.tolist()), min(found.min.data.tolist())) == (50.0, -50.0)
    assert sum(found.nans.data.tolist()) == 10
    assert 95 <= len(found.counts) <= 100
    shift, factor = {"step": (0, 1), "time": (START, 10), "relative": (0, 10)}[x]
    assert (found.first_x.data[0], found.last_x.data[-1]) == (shift, shift + factor * (LONG - 1))
    bounds = list(zip(found.first_x.data.tolist(), found.last_x.data.tolist(), strict=True))
    for row, (first, last) in enumerate(bounds):
        inside = values[(first - shift) // factor : (last - shift) // factor + 1]
        assert len(inside) == found.counts.data[row]
        assert np.nanmean(inside) == pytest.approx(found.mean.data[row])
        assert np.array_equal(inside[-1], found.last.data[row], equal_nan=True)


@pytest.mark.parametrize("x", ["step", "time", "relative"])
@pytest.mark.parametrize(("first", "last"), [(77, 500_001), (123_400, 123_500), (0, 599_999), (599_999, 599_999)])
def test_a_range_of_a_long_series_is_exact_at_both_ends(long_run, x, first, last):
    store, run, values = long_run
    shift, factor = {"step": (0, 1), "time": (START, 10), "relative": (0, 10)}[x]
    found = ask(store, run, x=x, start=first * factor + shift, end=last * factor + shift, buckets=50)
    assert found.points == last - first + 1
    if isinstance(found, PointSeries):
        assert found.values.data.tolist() == values[first : last + 1].tolist()
    else:
        assert (found.first_x.data[0], found.last_x.data[-1]) == (first * factor + shift, last * factor + shift)
        assert max(found.max.data.tolist()) == np.nanmax(values[first : last + 1])


@pytest.mark.parametrize("x", ["step", "time", "relative"])
def test_few_points_of_a_long_series_are_exact(long_run, x):
    store, run, values = long_run
    shift, factor = {"step": (0, 1), "time": (START, 10), "relative": (0, 10)}[x]
    found = ask(store, run, x=x, start=5_000 * factor + shift, end=5_002 * factor + shift, buckets=4)
    assert isinstance(found, PointSeries)
    assert (found.points, found.values.data.tolist()) == (3, values[5_000:5_003].tolist())


@pytest.mark.parametrize("buckets", [None, 1, 2, 100])
def test_a_range_between_two_points_of_a_long_series(tmp_path, buckets):
    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        run = store.create_run(CreateRun(experiment_id="0")).run.info.run_id
        for part in np.array_split(10 * np.arange(300_000), 3):
            batch = IngestSeries(run, "loss", *(memoryview(part) for _ in range(2)), memoryview(part.astype(float)))
            store.ingest(Ingest(client_id="c", sequence=int(part[0]) + 1, series=[batch]))
        store.apply_all()
        store.compact_all(lambda _points: None)
        request = GetSeries(run_ids=[run], keys=["loss"], start=1_000_001, end=1_000_009, buckets=buckets, max_points=9)
        assert store.get_series(request).series == []


def test_time_that_does_not_grow_with_the_steps(tmp_path):
    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        run = store.create_run(CreateRun(experiment_id="0", start_time=START)).run.info.run_id
        steps = np.arange(100_000)
        times = START + (steps * 7_919) % 100_000
        batch = IngestSeries(run, "loss", steps.tolist(), times.tolist(), steps.astype(float).tolist())
        store.ingest(Ingest(client_id="c", sequence=1, series=[batch]))
        store.apply_all()
        store.compact_all(lambda _points: None)
        found = ask(store, run, x="relative", start=10_000, end=19_999, buckets=20)
        assert found.points == sum(found.counts.data.tolist()) == 10_000
        whole = ask(store, run, x="time", buckets=20)
        assert whole.points == sum(whole.counts.data.tolist()) == 100_000
        assert (max(whole.max.data.tolist()), min(whole.min.data.tolist())) == (99_999.0, 0.0)
        assert {last - first for first, last in zip(whole.first_x.data, whole.last_x.data, strict=True)} == {4_999}


@pytest.mark.parametrize(("arguments", "first", "last"), [
    ({}, 0, LONG - 1),
    ({"start": 5, "end": 555_555}, 5, 555_555),
    ({"x": "relative", "start": 2_500_010, "end": 5_800_000}, 250_001, 580_000),
])  # fmt: skip
@pytest.mark.parametrize("size", [170_000, LONG - 1, LONG])
def test_pages_of_a_long_series(long_run, arguments, first, last, size):
    store, run, values = long_run
    request = GetSeries(run_ids=[run], keys=["loss"], max_points=size, **arguments)
    pages = []
    while True:
        answer = store.get_series(request)
        pages += [np.asarray(part.values.data) for part in answer.series]
        request.page_token = answer.next_page_token
        if not request.page_token:
            break
    assert {len(page) for page in pages[:-1]} <= {size}
    assert np.array_equal(np.concatenate(pages), values[first : last + 1], equal_nan=True)


def test_a_long_series_is_read_at_once_where_there_is_room(long_run):
    store, run, values = long_run
    with statements_sent() as sent:
        found = ask(store, run)
    assert np.array_equal(np.asarray(found.values.data), values, equal_nan=True)
    assert len([statement for statement, _ in sent if "segments" in statement]) == 1
