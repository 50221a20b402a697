"""Many series in one answer: exact points page by page, or buckets."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from stele import limits
from stele.errors import InvalidParameterValue, shown
from stele.schema.columns import Doubles, Integers
from stele.schema.series import BucketSeries, GetSeries, GetSeriesResponse, PointSeries, Series, XAxis
from stele.stores.sql.buckets import bucketed, cell_columns, extent_of, point_columns
from stele.stores.sql.cells import CELL_POINTS, Cells, cells_of, grouped
from stele.stores.sql.core import StoreCore
from stele.stores.sql.points import Points, concatenated, count_before
from stele.stores.sql.pyramid import read_cells
from stele.stores.sql.series_reader import read_points
from stele.stores.sql.tables import KIND_METRIC, entity_keys, latest_metrics, runs

__all__ = ["SeriesOperations"]

_CHUNK_POINTS = 250_000
"""Points that are read at once where an answer may stop in the middle of a series."""
_CHUNK_CELLS = 32
_POINTS_PER_BUCKET = 192
"""From so many points for each bucket on, stored cells of 256 points are as good as the points themselves."""
_CELLS_PER_BUCKET = 4
"""So many cells for each bucket are enough, where there are more."""


class _Pair(NamedTuple):
    """A series that may exist."""

    run: int
    run_id: str
    key_id: int
    key: str
    origin: int


class _Position(NamedTuple):
    """Where a page of exact points starts: behind a point of one of the request's pairs, or at its beginning."""

    pair: int = 0
    after: tuple[int, int, float] | None = None
    """Step, timestamp and value."""


class _Range(NamedTuple):
    """Which points are wanted, on one axis; bounds in its own units, without the run's origin."""

    time: bool
    start: int | None
    end: int | None

    @property
    def steps(self) -> tuple[int | None, int | None]:
        """The bounds of steps that follow."""
        return (None, None) if self.time else (self.start, self.end)

    def bounds_time(self) -> bool:
        """Whether points must be looked at one by one."""
        return self.time and (self.start is not None or self.end is not None)

    def of(self, points: Points) -> Points:
        """The points that lie in a range of time."""
        if not self.bounds_time():
            return points
        return points[_between(points.timestamps, points.timestamps, self)]


class SeriesOperations(StoreCore):
    """The part of the store protocol that charts and tables read."""

    def get_series(self, request: GetSeries) -> GetSeriesResponse:
        _check(request)
        position = _position(request.page_token) if request.page_token else _Position()

        def work(connection: Connection) -> GetSeriesResponse:
            pairs = _pairs(connection, request)
            if request.buckets is None:
                return _exact_page(connection, pairs, request, position)
            lengths = _lengths(connection, pairs)
            found = (
                _in_buckets(connection, pair, request, request.buckets, lengths.get((pair.run, pair.key_id), 0))
                for _, pair in pairs
            )
            return GetSeriesResponse(series=[series for series in found if series is not None])

        return self.db.read(work)


def _check(request: GetSeries) -> None:
    run_ids, keys = set(request.run_ids), set(request.keys)
    for name, found, most in (("run_ids", run_ids, limits.MAX_SERIES_RUNS), ("keys", keys, limits.MAX_SERIES_KEYS)):
        if not 1 <= len(found) <= most:
            raise InvalidParameterValue(f"{name} has {len(found)} entries, 1 to {most} are allowed.")
    pairs = len(run_ids) * len(keys)
    if pairs > limits.MAX_SERIES_PAIRS:
        raise InvalidParameterValue(
            f"{len(run_ids)} runs and {len(keys)} keys are {pairs} series, at most {limits.MAX_SERIES_PAIRS} are "
            "allowed in one request. Ask for some of them at a time."
        )
    if request.x not in get_args(XAxis):
        raise InvalidParameterValue(f"x {shown(request.x)} is not one of {', '.join(get_args(XAxis))}.")
    limits.check_max_results(request.max_points, limits.MAX_SERIES_POINTS, "max_points")
    if request.start is not None and request.end is not None and request.start > request.end:
        raise InvalidParameterValue(f"start {request.start} is greater than end {request.end}.")
    if request.buckets is None:
        return
    limits.check_max_results(request.buckets, limits.MAX_BUCKETS, "buckets")
    if pairs * request.buckets > limits.MAX_SERIES_POINTS:
        raise InvalidParameterValue(
            f"{pairs} series in {request.buckets} buckets each are more than {limits.MAX_SERIES_POINTS} buckets. "
            "Ask for fewer buckets, or for some of the series at a time."
        )


def _pairs(connection: Connection, request: GetSeries) -> list[tuple[int, _Pair]]:
    """The series that may exist, with their places among all pairs of the request."""
    r, k = runs.c, entity_keys.c
    query = select(r.run_id, r.run, r.experiment_id, r.start_time).where(r.run_id.in_(set(request.run_ids)))
    rows = {row.run_id: row for row in connection.execute(query)}
    names = select(k.experiment_id, k.name, k.key_id).where(
        k.kind == KIND_METRIC,
        k.name.in_(set(request.keys)),
        k.experiment_id.in_({row.experiment_id for row in rows.values()}),
    )
    key_ids = {(row.experiment_id, row.name): row.key_id for row in connection.execute(names)}
    pairs = [(run_id, key) for run_id in dict.fromkeys(request.run_ids) for key in dict.fromkeys(request.keys)]
    return [
        (place, _Pair(row.run, run_id, key_ids[row.experiment_id, key], key, row.start_time))
        for place, (run_id, key) in enumerate(pairs)
        if (row := rows.get(run_id)) is not None and (row.experiment_id, key) in key_ids
    ]


def _range(request: GetSeries, pair: _Pair) -> _Range:
    shift = pair.origin if request.x == "relative" else 0
    start, end = (None if bound is None else bound + shift for bound in (request.start, request.end))
    return _Range(request.x != "step", start, end)


def _between(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64], wanted: _Range) -> npt.NDArray[np.bool_]:
    """Where [low, high] touches a range. Bounds of any size: a start of a run may be added to them."""
    touches = np.ones(len(low), bool)
    if wanted.start is not None:
        touches &= high >= wanted.start
    if wanted.end is not None:
        touches &= low <= wanted.end
    return touches


def _points(connection: Connection, pair: _Pair, first: int | None = None, last: int | None = None) -> Points:
    return read_points(connection, pair.run, [pair.key_id], first, last)[pair.key_id]


def _lengths(connection: Connection, pairs: Sequence[tuple[int, _Pair]]) -> dict[tuple[int, int], int]:
    """About how many points each series (run, key) has.

    Summaries may lag behind the log, but the log is never long: compaction sees to it.
    """
    if not pairs:
        return {}
    c = latest_metrics.c
    query = select(c.run, c.key_id, c.points).where(
        c.run.in_({pair.run for _, pair in pairs}), c.key_id.in_({pair.key_id for _, pair in pairs})
    )
    return {(row.run, row.key_id): row.points for row in connection.execute(query)}


# --- Buckets


def _in_buckets(connection: Connection, pair: _Pair, request: GetSeries, count: int, length: int) -> Series | None:
    """One series, exact when it has few points in the range; None when it has none."""
    wanted = _range(request, pair)
    if length < min(count * _POINTS_PER_BUCKET, _CHUNK_POINTS):
        columns = point_columns(wanted.of(_points(connection, pair, *wanted.steps)))
    else:
        stored = max(count * _POINTS_PER_BUCKET, length) // CELL_POINTS
        columns = cell_columns(_cells(connection, pair, wanted, min(stored, count * _CELLS_PER_BUCKET)))
    total = int(columns["points"].sum())
    if not total:
        return None
    if total <= count:  # then no cell holds more than one point
        return _point_series(pair, Points(columns["first_step"], columns["first_timestamp"], columns["first"]))
    buckets = bucketed(columns, extent_of(columns, time=wanted.time), count)
    if request.x == "relative":
        buckets["first_x"] -= pair.origin
        buckets["last_x"] -= pair.origin
    return _bucket_series(pair, total, buckets)


def _cells(connection: Connection, pair: _Pair, wanted: _Range, most: int) -> Cells:
    cells = read_cells(connection, pair.run, pair.key_id, *wanted.steps, most)
    return _within_time(connection, pair, cells, wanted, most) if wanted.bounds_time() else cells


def _within_time(connection: Connection, pair: _Pair, cells: Cells, wanted: _Range, most: int) -> Cells:
    """Cells of the points in a range of time, given those of the whole series.

    Series are stored by step. Where time grows with the steps, as it does in almost every series, at most two cells lie
    across a bound, and their points are read; else all points between are.
    """
    touching = cells[_between(*extent_of(cells, time=True), wanted)]
    if not len(touching):
        return touching
    first, last = int(touching["first_step"].min()), int(touching["last_step"].max())
    finer = read_cells(connection, pair.run, pair.key_id, first, last, most)
    low, high = extent_of(finer, time=True)
    across = np.flatnonzero(_between(low, high, wanted) & ~_inside(low, high, wanted))
    alone = _has_steps_of_its_own(finer)
    if len(across) > 2 or not alone[across].all():
        points = wanted.of(_points(connection, pair, first, last))
        return cells_of(points) if len(points) < most * CELL_POINTS else grouped(points, CELL_POINTS)
    parts = [finer[_inside(low, high, wanted)]]
    for cell in finer[across]:
        points = _points(connection, pair, int(cell["first_step"]), int(cell["last_step"]))
        parts.append(cells_of(wanted.of(points)))
    joined = np.concatenate(parts)
    return joined[np.argsort(joined["first_step"], kind="stable")]


def _inside(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64], wanted: _Range) -> npt.NDArray[np.bool_]:
    inside = np.ones(len(low), bool)
    if wanted.start is not None:
        inside &= low >= wanted.start
    if wanted.end is not None:
        inside &= high <= wanted.end
    return inside


def _has_steps_of_its_own(cells: Cells) -> npt.NDArray[np.bool_]:
    """For each cell, whether a range of steps can name it: no neighbour has its first or last step."""
    apart = cells["last_step"][:-1] < cells["first_step"][1:]
    alone: npt.NDArray[np.bool_] = np.r_[True, apart] & np.r_[apart, True]
    return alone


# --- Exact points


def _exact_page(
    connection: Connection, pairs: list[tuple[int, _Pair]], request: GetSeries, position: _Position
) -> GetSeriesResponse:
    response = GetSeriesResponse(series=[])
    room = request.max_points
    lengths = _lengths(connection, pairs)
    for place, pair in pairs:
        if place < position.pair:
            continue
        if not room:
            response.next_page_token = _token(_Position(place))
            break
        after = position.after if place == position.pair else None
        is_long = lengths.get((pair.run, pair.key_id), 0) > _CHUNK_POINTS
        points = _first_points(connection, pair, _range(request, pair), after, room + 1, long=is_long)
        if len(points):
            response.series.append(_point_series(pair, points[:room]))
        if len(points) > room:
            response.next_page_token = _token(_Position(place, _last(points[:room])))
            break
        room -= len(points)
    return response


def _first_points(
    connection: Connection, pair: _Pair, wanted: _Range, after: tuple[int, int, float] | None, most: int, *, long: bool
) -> Points:
    """The first points in a range, in canonical order."""
    first_step, last_step = wanted.steps
    if after is not None:
        first_step = after[0]
    parts: list[Points] = []
    count = 0
    for chunk in _chunks(connection, pair, long, first_step, last_step):
        rest = chunk if after is None else chunk[_count_to(chunk, after) :]
        parts.append(wanted.of(rest))
        count += len(parts[-1])
        if count >= most:
            break
    return concatenated(parts)[:most]


def _chunks(
    connection: Connection, pair: _Pair, long: bool, first_step: int | None, last_step: int | None
) -> Iterator[Points]:
    """The points of a series; those of a long one in pieces of bounded size, except that one step is never parted."""
    if not long:
        yield _points(connection, pair, first_step, last_step)
        return
    cells = read_cells(connection, pair.run, pair.key_id, first_step, last_step, _CHUNK_CELLS)
    if not len(cells):
        return
    pieces = np.cumsum(cells["points"]) // _CHUNK_POINTS
    ends = np.unique(cells["last_step"][np.flatnonzero(np.diff(pieces, append=-1))]).tolist()
    starts = [int(cells["first_step"][0]), *(end + 1 for end in ends[:-1])]
    for start, end in zip(starts, ends, strict=True):
        yield _points(connection, pair, start, end)


def _count_to(points: Points, after: tuple[int, int, float]) -> int:
    """How many of the sorted points stand before the next one behind a position."""
    step, timestamp, value = after
    start = count_before(points, step, timestamp)
    end = count_before(points, step, timestamp, inclusive=True)
    while start < end and _rank(float(points.values[start])) <= _rank(value):
        start += 1
    return start


def _rank(value: float) -> tuple[float, bool, bool]:
    """What values of one step and timestamp are ordered by, as in :mod:`~stele.stores.sql.points`."""
    nan = math.isnan(value)
    return 0.0 if nan else value, nan, math.copysign(1.0, value) > 0


def _last(points: Points) -> tuple[int, int, float]:
    return int(points.steps[-1]), int(points.timestamps[-1]), float(points.values[-1])


def _point_series(pair: _Pair, points: Points) -> PointSeries:
    return PointSeries(
        run_id=pair.run_id,
        key=pair.key,
        points=len(points),
        origin=pair.origin,
        steps=_integers(points.steps),
        timestamps=_integers(points.timestamps),
        values=_doubles(points.values),
    )


def _bucket_series(pair: _Pair, points: int, columns: dict[str, npt.NDArray[Any]]) -> BucketSeries:
    return BucketSeries(
        run_id=pair.run_id,
        key=pair.key,
        points=points,
        origin=pair.origin,
        first_x=_integers(columns["first_x"]),
        last_x=_integers(columns["last_x"]),
        counts=_integers(columns["counts"]),
        nans=_integers(columns["nans"]),
        infinities=_integers(columns["infinities"]),
        min=_doubles(columns["min"]),
        max=_doubles(columns["max"]),
        mean=_doubles(columns["mean"]),
        last=_doubles(columns["last"]),
    )


def _integers(values: npt.NDArray[Any]) -> Integers:
    return Integers(np.ascontiguousarray(values, np.int64))


def _doubles(values: npt.NDArray[Any]) -> Doubles:
    return Doubles(np.ascontiguousarray(values, np.float64))


# --- Tokens of pages


def _token(position: _Position) -> str:
    after = position.after
    # As text, because JSON knows neither NaN nor all digits of a double.
    text = json.dumps([position.pair, *(() if after is None else (after[0], after[1], after[2].hex()))])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _position(token: str) -> _Position:
    try:
        pair, *after = json.loads(base64.urlsafe_b64decode(token.encode()))
        limits.check_int64(pair, "pair")
        if not after:
            return _Position(pair)
        step, timestamp, value = after
        limits.check_int64(step, "step")
        limits.check_int64(timestamp, "timestamp")
        return _Position(pair, (step, timestamp, float.fromhex(value)))
    except (ValueError, TypeError, RecursionError) as e:
        raise InvalidParameterValue(f"page_token {shown(token)} is not one that this server gave.") from e
