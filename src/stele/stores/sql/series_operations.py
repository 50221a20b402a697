"""Many series in one answer: exact points page by page, or buckets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import numpy.typing as npt
from sqlalchemy import BindParameter, Connection, and_, bindparam, select

from stele import limits
from stele.errors import InvalidParameterValue
from stele.schema.columns import Doubles, Integers
from stele.schema.series import BucketSeries, GetSeries, GetSeriesResponse, PointSeries, Series, check_axis
from stele.stores.sql.buckets import bucketed
from stele.stores.sql.cells import Cells
from stele.stores.sql.core import StoreCore
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.place_tokens import place_token, read_place
from stele.stores.sql.points import Points
from stele.stores.sql.pyramid import CellCache
from stele.stores.sql.series_range import Position, SeriesRange, first_points, read_for_buckets
from stele.stores.sql.tables import KIND_METRIC, entity_keys, latest_metrics, runs

__all__ = ["SeriesOperations"]

_CELLS_AT_ONCE = 4_096
"""So many cells are bucketed together, and a longer series alone."""


def _listed(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


_PAIRS = Prepared(
    select(
        runs.c.run_id, runs.c.run, runs.c.start_time, entity_keys.c.name, entity_keys.c.key_id, latest_metrics.c.points
    )
    .select_from(runs)
    .outerjoin(  # so that no planner begins with the keys, and goes through all runs of an experiment
        entity_keys,
        and_(
            entity_keys.c.experiment_id == runs.c.experiment_id,
            entity_keys.c.kind == KIND_METRIC,
            entity_keys.c.name.in_(_listed("names")),
        ),
    )
    .outerjoin(
        latest_metrics,
        and_(latest_metrics.c.run == runs.c.run, latest_metrics.c.key_id == entity_keys.c.key_id),
    )
    .where(runs.c.run_id.in_(_listed("run_ids")))
)
"""The runs by id, the keys that their experiments know, and about how many points a series has; NULL for nothing.

Summaries may lag behind the log, but the log is never long: compaction sees to it.
"""


class _Pair(NamedTuple):
    """A series that may exist. Its ``place`` is among all pairs of the request, ``origin`` the start of the run."""

    place: int
    run_id: str
    key: str
    origin: int
    wanted: SeriesRange


class _Start(NamedTuple):
    """Where a page of exact points begins: with the pair at a place, or behind one of its points."""

    place: int = 0
    after: Position | None = None


class _Found(NamedTuple):
    """A series and its points in the range, or cells of them when they are many."""

    pair: _Pair
    points: Points | Cells


class SeriesOperations(StoreCore):
    """The part of the store protocol that charts and tables read."""

    def get_series(self, request: GetSeries) -> GetSeriesResponse:
        _check(request)
        start = read_place(request.page_token, _start) if request.page_token else _Start()

        def work(connection: Connection) -> GetSeriesResponse:
            pairs = _pairs(connection, request)
            if request.buckets is None:
                return _exact_page(connection, pairs, start, request.max_points)
            return GetSeriesResponse(series=_in_buckets(connection, pairs, request, self.cells))

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
    check_axis(request.x)
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


def _pairs(connection: Connection, request: GetSeries) -> list[_Pair]:
    """The series that may exist, in the order of the request."""
    asked = {"run_ids": list(set(request.run_ids)), "names": list(set(request.keys))}
    rows = {(row.run_id, row.name): row for row in _PAIRS(connection, asked)}
    pairs = [(run_id, key) for run_id in dict.fromkeys(request.run_ids) for key in dict.fromkeys(request.keys)]
    found: list[_Pair] = []
    for place, (run_id, key) in enumerate(pairs):
        row = rows.get((run_id, key))
        if row is not None:
            shift = row.start_time if request.x == "relative" else 0
            start, end = (None if bound is None else bound + shift for bound in (request.start, request.end))
            wanted = SeriesRange(row.run, row.key_id, row.points or 0, request.x != "step", start, end)
            found.append(_Pair(place, run_id, key, row.start_time, wanted))
    return found


def _in_buckets(connection: Connection, pairs: Sequence[_Pair], request: GetSeries, cache: CellCache) -> list[Series]:
    """Each series that has points in the range; exact when they are few."""
    assert request.buckets is not None
    count = request.buckets
    found = read_for_buckets(connection, [pair.wanted for pair in pairs], count, cache)
    return [series for part in _parts_of_some_cells(pairs, found) for series in _summed_up(part, count, request.x)]


def _parts_of_some_cells(pairs: Iterable[_Pair], found: Iterable[Points | Cells]) -> Iterator[list[_Found]]:
    """The series that have points, as many at a time as fit into a processor's cache."""
    part: list[_Found] = []
    cells = 0
    for pair, points in zip(pairs, found, strict=True):
        if len(points):
            part.append(_Found(pair, points))
            cells += len(points)
        if cells >= _CELLS_AT_ONCE:
            yield part
            part, cells = [], 0
    yield part


def _summed_up(found: Sequence[_Found], count: int, x: str) -> Iterator[Series]:
    """Series in so many buckets, or as they are when they have no more points than that."""
    many = [each.points for each in found if not _are_few(each.points, count)]
    buckets = iter(bucketed(many, count, time=x != "step") if many else ())
    for pair, points in found:
        if _are_few(points, count):
            yield _point_series(pair, points)
            continue
        columns = next(buckets)
        if x == "relative":
            columns |= {name: columns[name] - pair.origin for name in ("first_x", "last_x")}
        yield _bucket_series(pair, columns)


def _are_few(points: Points | Cells, count: int) -> TypeGuard[Points]:
    return isinstance(points, Points) and len(points) <= count  # cells are of more points


def _exact_page(connection: Connection, pairs: Sequence[_Pair], start: _Start, room: int) -> GetSeriesResponse:
    """Every point of the series, as many as there is room for, and where the next page begins."""
    response = GetSeriesResponse(series=[])
    for pair in pairs:
        if pair.place < start.place:
            continue
        if not room:
            response.next_page_token = _token(_Start(pair.place))
            break
        after = start.after if pair.place == start.place else None
        # One more than there is room for tells whether there is another page.
        points = first_points(connection, pair.wanted, after, room + 1)
        if len(points):
            response.series.append(_point_series(pair, points[:room]))
        if len(points) > room:
            last = int(points.steps[room - 1]), int(points.timestamps[room - 1]), float(points.values[room - 1])
            response.next_page_token = _token(_Start(pair.place, last))
            break
        room -= len(points)
    return response


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


def _bucket_series(pair: _Pair, columns: dict[str, npt.NDArray[Any]]) -> BucketSeries:
    return BucketSeries(
        run_id=pair.run_id,
        key=pair.key,
        points=int(columns["counts"].sum()),
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
        timestamps=_integers(columns["timestamps"]),
    )


def _integers(values: npt.NDArray[Any]) -> Integers:
    return Integers(np.ascontiguousarray(values, np.int64))


def _doubles(values: npt.NDArray[Any]) -> Doubles:
    return Doubles(np.ascontiguousarray(values, np.float64))


def _token(start: _Start) -> str:
    after = start.after
    # As text, because JSON knows neither NaN nor all digits of a double.
    return place_token(start.place, *(() if after is None else (after[0], after[1], after[2].hex())))


def _start(place: int, *after: Any) -> _Start:
    """What :func:`_token` named, of the parts of a token."""
    limits.check_int64(place, "place")
    if not after:
        return _Start(place)
    step, timestamp, value = after
    limits.check_int64(step, "step")
    limits.check_int64(timestamp, "timestamp")
    return _Start(place, (step, timestamp, float.fromhex(value)))
