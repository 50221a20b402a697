"""Reading metric series in SQL."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from stele import limits
from stele.errors import InvalidParameterValue, shown
from stele.schema import metrics as m
from stele.schema.codec import required
from stele.stores.sql.core import StoreCore, run_numbers
from stele.stores.sql.history import Series, history, listed
from stele.stores.sql.place_tokens import place_token, read_place
from stele.stores.sql.points import ALL_STEPS, Points, Steps
from stele.stores.sql.series_reader import read_points
from stele.stores.sql.tables import KIND_METRIC, entity_keys

__all__ = ["MetricOperations"]


class MetricOperations(StoreCore):
    """The metric history part of the store protocol."""

    def get_metric_history(self, request: m.GetMetricHistory) -> m.GetMetricHistoryResponse:
        run_id = required(request.run_id or request.run_uuid, "run_id")
        key = required(request.metric_key, "metric_key")
        limit = request.max_results
        if limit is not None and limit < 1:
            raise InvalidParameterValue(f"max_results {shown(limit)} is not 1 or more.")
        after = read_place(request.page_token, _position) if request.page_token else None

        def work(connection: Connection) -> Series:
            for _, points in _points(connection, [run_id], key):
                # One more than asked for tells whether there is another page.
                return history(points, after, None if limit is None else limit + 1)
            return _NOTHING

        page = self.db.read(work)
        token = ""
        if limit is not None and len(page.values) > limit:
            page = page.first(limit)
            token = _token(page)
        return m.GetMetricHistoryResponse(metrics=_rows([m.MetricColumns(key, *page)]), next_page_token=token)

    def get_metric_history_bulk(self, request: m.GetMetricHistoryBulk) -> m.GetMetricHistoryBulkResponse:
        run_ids = _checked_runs(request.run_id, "run_id")
        key = required(request.metric_key, "metric_key")
        limits.check_max_results(request.max_results, 2**63)
        most = min(request.max_results, limits.MAX_HISTORY_PAGE)

        def work(connection: Connection) -> list[m.MetricColumns]:
            parts: list[m.MetricColumns] = []
            left = most
            for run_id, points in _points(connection, run_ids, key):
                page = history(points, limit=left)
                parts.append(m.MetricColumns(key, *page, run_id))
                left -= len(page.values)
                if not left:
                    break
            return parts

        return m.GetMetricHistoryBulkResponse(metrics=_rows(self.db.read(work)))

    def get_metric_history_bulk_interval(
        self, request: m.GetMetricHistoryBulkInterval
    ) -> m.GetMetricHistoryBulkResponse:
        run_ids = _checked_runs(request.run_ids, "run_ids")
        key = required(request.metric_key, "metric_key")
        limits.check_max_results(request.max_results, limits.MAX_INTERVAL_POINTS)
        start, end = request.start_step, request.end_step
        if (start is None) != (end is None):
            raise InvalidParameterValue("start_step and end_step come together: give both or neither.")
        if start is not None and end is not None and start > end:
            raise InvalidParameterValue(f"start_step {start} is greater than end_step {end}.")
        steps = Steps.between(start, end)

        def work(connection: Connection) -> list[m.MetricColumns]:
            found = _points(connection, run_ids, key, steps)
            return [m.MetricColumns(key, *listed(_thinned(each, request.max_results)), run) for run, each in found]

        return m.GetMetricHistoryBulkResponse(metrics=_rows(self.db.read(work)))


_NOTHING = Series([], [], [])


def _points(
    connection: Connection, run_ids: list[str], key: str, steps: Steps = ALL_STEPS
) -> Iterator[tuple[str, Points]]:
    """The stored points of one key, run by run in the order of their ids; one run at a time is in memory.

    Runs that are not there or never logged it are left out.
    """
    rows = run_numbers(connection, run_ids)
    experiments = {row.experiment_id for row in rows.values()}
    k = entity_keys.c
    query = select(k.experiment_id, k.key_id).where(
        k.kind == KIND_METRIC, k.name == key, k.experiment_id.in_(experiments)
    )
    key_ids = {row.experiment_id: row.key_id for row in connection.execute(query)}
    for run_id, row in sorted(rows.items()):
        if key_id := key_ids.get(row.experiment_id):
            yield run_id, read_points(connection, row.run, [key_id], steps)[key_id]


def _checked_runs(run_ids: list[str], path: str) -> list[str]:
    if not 1 <= len(run_ids) <= limits.MAX_BULK_RUNS:
        raise InvalidParameterValue(f"{path} has {len(run_ids)} entries, 1 to {limits.MAX_BULK_RUNS} are allowed.")
    return list(dict.fromkeys(run_ids))


def _rows(parts: list[m.MetricColumns]) -> Sequence[Any]:
    """The points; an empty list where there are none, which is not written."""
    rows = m.MetricRows(parts)
    return rows if len(rows) else []


def _thinned(points: Points, most: int) -> Points:
    """At most so many of some points, evenly chosen; the first and the last are kept."""
    if len(points) <= most:
        return points
    last = len(points) - 1
    return points[np.unique(np.linspace(0, last, most).round().astype(int)) if most > 1 else slice(last, None)]


def _token(page: Series) -> str:
    value = page.values[-1]
    # As text, because JSON knows neither NaN nor all digits of a double.
    return place_token(page.timestamps[-1], page.steps[-1], None if math.isnan(value) else value.hex())


def _position(timestamp: int, step: int, value: str | None) -> tuple[int, int, float, bool]:
    """Where the page behind a token starts, of its parts."""
    limits.check_int64(timestamp, "timestamp")
    limits.check_int64(step, "step")
    return timestamp, step, 0.0 if value is None else float.fromhex(value), value is None
