"""The contract of reading many series at once.

What a store answers is compared with a reading in plain Python of the same points, for random series with repetitions,
late points, NaN and infinities.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stele import limits
from stele.errors import InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import runs as r
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.series import BucketSeries, GetSeries, PointSeries, Series, XAxis
from stele.stores.base import TrackingStore

__all__ = ["Point", "SeriesContract", "points_of"]


class Point(NamedTuple):
    """One point of a series."""

    step: int
    timestamp: int
    value: float


_START = 1_000_000
_values = st.one_of(
    st.floats(-1e3, 1e3, width=16), st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0, -0.0])
)
_points = st.builds(Point, st.integers(-20, 300), st.integers(0, 2_000).map(lambda ms: _START + ms), _values)
_property = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # every example makes runs of its own
        HealthCheck.differing_executors,  # subclasses share the test on purpose
        HealthCheck.too_slow,
    ],
)
_bounds = st.none() | st.integers(-50, 400)


@st.composite
def _requests(draw: st.DrawFn) -> dict[str, Any]:
    x: XAxis = draw(st.sampled_from(["step", "time", "relative"]))
    shift = _START if x == "time" else 0
    start, end = draw(_bounds), draw(_bounds)
    if start is not None and end is not None and start > end:
        start, end = end, start
    bounds = {"start": None if start is None else start + shift, "end": None if end is None else end + shift}
    return {"x": x, **bounds, "buckets": draw(st.integers(1, 40))}


def in_order(points: Iterable[Point]) -> list[Point]:
    """The points as a store keeps them: each once, by step, timestamp and value; -0.0, then 0.0, then NaN."""

    def place(point: Point) -> tuple[int, int, float, bool, bool]:
        nan = math.isnan(point.value)
        return point.step, point.timestamp, 0.0 if nan else point.value, nan, math.copysign(1.0, point.value) > 0

    return sorted({str(point): point for point in points}.values(), key=place)


def on_axis(point: Point, x: XAxis) -> int:
    """Where a point of a run that started at ``_START`` lies."""
    return {"step": point.step, "time": point.timestamp, "relative": point.timestamp - _START}[x]


def same(found: Iterable[float], expected: Iterable[float]) -> bool:
    """Equality in which NaN is NaN."""
    pairs = zip(found, expected, strict=True)
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


def points_of(series: Series) -> list[Point]:
    """The points of an exact answer."""
    assert isinstance(series, PointSeries)
    columns = (column.data.tolist() for column in (series.steps, series.timestamps, series.values))
    return [Point(*point) for point in zip(*columns, strict=True)]


class SeriesContract:
    """A test module subclasses it and defines a ``store`` fixture."""

    @pytest.fixture
    def experiment(self, store: TrackingStore) -> str:
        """The id of a fresh experiment."""
        return store.create_experiment(e.CreateExperiment(name=f"series-{uuid.uuid4().hex}")).experiment_id

    def run_with(self, store: TrackingStore, experiment: str, **series: Sequence[Point]) -> str:
        """The id of a new run with some series."""
        run_id = store.create_run(r.CreateRun(experiment_id=experiment, start_time=_START)).run.info.run_id
        columns = [IngestSeries(run_id, key, *map(list, zip(*points, strict=True))) for key, points in series.items()]
        store.ingest(Ingest(client_id=uuid.uuid4().hex, sequence=1, series=columns))
        return run_id

    def test_exact_points_of_runs_and_keys_in_the_order_of_the_request(
        self, store: TrackingStore, experiment: str
    ) -> None:
        one, two = ([Point(step, _START + step, step / factor) for step in range(5)] for factor in (2, 3))
        first = self.run_with(store, experiment, loss=one, acc=two)
        second = self.run_with(store, experiment, loss=two)
        request = GetSeries(run_ids=[second, first], keys=["acc", "never logged", "loss"])
        answer = store.get_series(request)
        assert [(s.run_id, s.key) for s in answer.series] == [(second, "loss"), (first, "acc"), (first, "loss")]
        assert [points_of(s) for s in answer.series] == [two, two, one]
        assert [(s.points, s.origin) for s in answer.series] == [(5, _START)] * 3
        assert answer.next_page_token == ""

    def test_what_is_not_there_is_left_out(self, store: TrackingStore, experiment: str) -> None:
        run = self.run_with(store, experiment, loss=[Point(1, _START, 1.0)])
        for keys, start in ((["other"], None), (["loss"], 2)):
            for buckets in (None, 3):
                request = GetSeries(run_ids=[run, "no-such-run"], keys=keys, start=start, buckets=buckets)
                assert store.get_series(request).series == []

    @_property
    @given(data=st.data())
    def test_exact_points_are_those_of_the_range(self, store: TrackingStore, experiment: str, data: Any) -> None:
        points = data.draw(st.lists(_points, min_size=1, max_size=60))
        run = self.run_with(store, experiment, loss=points)
        wanted = data.draw(_requests()) | {"buckets": None}
        answer = store.get_series(GetSeries(run_ids=[run], keys=["loss"], **wanted))
        found = points_of(answer.series[0]) if answer.series else []
        expected = self.wanted(points, wanted)
        self.check_points(found, expected)

    @_property
    @given(data=st.data())
    def test_pages_are_a_partition(self, store: TrackingStore, experiment: str, data: Any) -> None:
        series = {key: data.draw(st.lists(_points, min_size=1, max_size=30)) for key in ("a", "b")}
        run = self.run_with(store, experiment, **series)
        request = GetSeries(run_ids=[run], keys=["a", "b"], max_points=data.draw(st.integers(1, 20)))
        found: dict[str, list[Point]] = {"a": [], "b": []}
        while True:
            answer = store.get_series(request)
            assert 1 <= sum(part.points for part in answer.series) <= request.max_points
            for part in answer.series:
                found[part.key] += points_of(part)
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
        for key, points in series.items():
            self.check_points(found[key], in_order(points))

    @_property
    @given(data=st.data())
    def test_buckets_keep_every_point(self, store: TrackingStore, experiment: str, data: Any) -> None:
        points = data.draw(st.lists(_points, min_size=1, max_size=150))
        run = self.run_with(store, experiment, loss=points)
        wanted = data.draw(_requests())
        answer = store.get_series(GetSeries(run_ids=[run], keys=["loss"], **wanted))
        expected = self.wanted(points, wanted)
        if not expected:
            assert answer.series == []
        elif len(expected) <= wanted["buckets"]:
            self.check_points(points_of(answer.series[0]), expected)
        else:
            self.check_buckets(answer.series[0], expected, wanted["x"], wanted["buckets"])

    def wanted(self, points: Sequence[Point], request: dict[str, Any]) -> list[Point]:
        """The points that a request asks for."""
        start, end = request["start"], request["end"]
        return [
            point
            for point in in_order(points)
            if (start is None or on_axis(point, request["x"]) >= start)
            and (end is None or on_axis(point, request["x"]) <= end)
        ]

    def check_points(self, found: Sequence[Point], expected: Sequence[Point]) -> None:
        """Compare points, NaN being NaN and -0.0 not 0.0."""
        assert list(map(repr, found)) == list(map(repr, expected))

    def check_buckets(self, series: Series, points: list[Point], x: XAxis, most: int) -> None:
        """Compare with plain Python what a store says of more points than buckets."""
        assert isinstance(series, BucketSeries)
        columns = {
            name: getattr(series, name).data.tolist()
            for name in series.__struct_fields__
            if name not in ("run_id", "key", "points", "origin")
        }
        buckets = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        assert 1 <= len(buckets) <= most
        assert series.points == len(points) == sum(bucket["counts"] for bucket in buckets)
        bounds = [(bucket["first_x"], bucket["last_x"]) for bucket in buckets]
        assert all(first <= last for first, last in bounds)
        assert all(before[1] < behind[0] for before, behind in pairwise(bounds))
        width = (bounds[-1][1] - bounds[0][0] + 1) / most
        assert all(last - first <= width for first, last in bounds)
        for bucket in buckets:
            inside = [point for point in points if bucket["first_x"] <= on_axis(point, x) <= bucket["last_x"]]
            self.check_bucket(bucket, [point.value for point in inside])
            assert bucket["timestamps"] == inside[-1].timestamp

    def check_bucket(self, bucket: dict[str, Any], values: list[float]) -> None:
        """Compare one bucket with its values, by step and timestamp."""
        numbers = [value for value in values if not math.isnan(value)]
        finite = [value for value in numbers if math.isfinite(value)]
        assert bucket["counts"] == len(values)
        assert bucket["nans"] == len(values) - len(numbers)
        assert bucket["infinities"] == len(numbers) - len(finite)
        expected = [min(numbers, default=math.nan), max(numbers, default=math.nan), values[-1]]
        assert same([bucket["min"], bucket["max"], bucket["last"]], expected)
        if finite:
            mean = math.fsum(value / len(finite) for value in finite)
            assert bucket["mean"] == pytest.approx(mean, rel=1e-9, abs=max(map(abs, finite)) * 1e-12)
            assert bucket["min"] <= bucket["mean"] <= bucket["max"]
        else:
            assert math.isnan(bucket["mean"])

    def test_no_spike_of_a_long_series_is_lost(self, store: TrackingStore, experiment: str) -> None:
        spikes = {17: 1e9, 7_777: -1e9, 19_999: 5e8}
        points = [Point(step, _START + 10 * step, spikes.get(step, math.sin(step))) for step in range(20_000)]
        run = self.run_with(store, experiment, loss=points)
        for x, bounds in (
            ("step", (5, 19_999)),
            ("time", (_START + 55, _START + 199_990)),
            ("relative", (55, 199_990)),
        ):
            for start, end in ((None, None), bounds):
                wanted: dict[str, Any] = {"x": x, "start": start, "end": end, "buckets": 13}
                [series] = store.get_series(GetSeries(run_ids=[run], keys=["loss"], **wanted)).series
                assert isinstance(series, BucketSeries)
                assert series.points == len(self.wanted(points, wanted))
                assert sum(series.counts.data.tolist()) == series.points
                assert (max(series.max.data.tolist()), min(series.min.data.tolist())) == (1e9, -1e9)
                assert series.last.data.tolist()[-1] == 5e8
                assert 12 <= len(series.counts) <= 13

    @pytest.mark.parametrize("length", [2, 191, 192, 255, 256, 300, 341, 342, 600, 1_000])
    def test_one_bucket_holds_a_series_of_any_length(self, store: TrackingStore, experiment: str, length: int) -> None:
        points = [Point(step, _START + step, math.sin(step)) for step in range(length)]
        run = self.run_with(store, experiment, loss=points)
        store.get_run(r.GetRun(run_id=run))  # from here on the store knows how long the series is
        for x in ("step", "time", "relative"):
            wanted: dict[str, Any] = {"x": x, "start": None, "end": None, "buckets": 1}
            [series] = store.get_series(GetSeries(run_ids=[run], keys=["loss"], **wanted)).series
            self.check_buckets(series, points, x, 1)

    def test_all_of_64_bits(self, store: TrackingStore, experiment: str) -> None:
        steps = [limits.INT64_MIN, -(2**62), 0, 2**62, limits.INT64_MAX]
        run = self.run_with(store, experiment, loss=[Point(step, limits.INT64_MAX, 1.0) for step in steps])
        [exact] = store.get_series(GetSeries(run_ids=[run], keys=["loss"], start=-1, end=limits.INT64_MAX)).series
        assert [point.step for point in points_of(exact)] == steps[2:]
        [series] = store.get_series(GetSeries(run_ids=[run], keys=["loss"], buckets=2)).series
        assert isinstance(series, BucketSeries)
        assert (series.first_x.data.tolist(), series.counts.data.tolist()) == ([limits.INT64_MIN, 0], [2, 3])
        [series] = store.get_series(GetSeries(run_ids=[run], keys=["loss"], x="time", start=5, buckets=2)).series
        assert isinstance(series, BucketSeries)
        assert (series.last_x.data.tolist(), series.counts.data.tolist()) == ([limits.INT64_MAX], [5])

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"run_ids": []}, "run_ids has 0 entries, 1 to 500"),
            ({"run_ids": [str(i) for i in range(501)]}, "run_ids has 501"),
            ({"keys": [str(i) for i in range(201)]}, "keys has 201 entries, 1 to 200"),
            ({"run_ids": [str(i) for i in range(21)], "keys": [str(i) for i in range(100)]}, "2100 series"),
            ({"x": "epoch"}, "epoch"),
            ({"buckets": 0}, "buckets 0 is not from 1 to 10000"),
            ({"buckets": 10_001}, "buckets 10001"),
            ({"run_ids": [str(i) for i in range(201)], "buckets": 10_000}, "fewer buckets"),
            ({"max_points": 0}, "max_points 0"),
            ({"max_points": 2_000_001}, "max_points 2000001"),
            ({"start": 3, "end": 2}, "start 3 is greater than end 2"),
            ({"page_token": "bm9uc2Vuc2U="}, "page_token 'bm9uc2Vuc2U='"),
            ({"page_token": "WzEsMl0="}, "page_token 'WzEsMl0='"),
            ({"page_token": "WzAsMSwyLCIweDFwOTk5OSJd"}, "page_token 'WzAsMSwyLCIweDFwOTk5OSJd'"),  # "0x1p9999"
        ],
    )
    def test_what_is_not_allowed(self, store: TrackingStore, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidParameterValue, match=message):
            store.get_series(GetSeries(**({"run_ids": ["a"], "keys": ["k"]} | wrong)))
