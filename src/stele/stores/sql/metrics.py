"""Reading metric series in SQL."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from stele import limits
from stele.errors import InvalidParameterValue, shown
from stele.schema import metrics as m
from stele.schema.codec import required
from stele.stores.sql.core import StoreCore, run_numbers
from stele.stores.sql.history import Series, history
from stele.stores.sql.points import Points
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
        after = _position(request.page_token) if request.page_token else None

        def work(connection: Connection) -> Series:
            found = _points(connection, [run_id], key)
            # One more than asked for tells whether there is another page.
            return history(found[run_id], after, None if limit is None else limit + 1) if found else _NOTHING

        page = self.db.read(work)
        token = ""
        if limit is not None and len(page.values) > limit:
            page = page.first(limit)
            token = _token(page)
        return m.GetMetricHistoryResponse(metrics=_rows([m.MetricColumns(key, *page)]), next_page_token=token)

    def get_metric_history_bulk(self, request: m.GetMetricHistoryBulk) -> m.GetMetricHistoryBulkResponse:
        run_ids = _checked_runs(request.run_id, "run_id")
        key = required(request.metric_key, "metric_key")
        left = min(request.max_results, limits.MAX_HISTORY_PAGE)
        limits.check_max_results(request.max_results, 2**63)
        parts: list[m.MetricColumns] = []
        for run_id, page in self._histories(run_ids, key).items():
            parts.append(m.MetricColumns(key, *page.first(left), run_id))
            left -= min(left, len(page.values))
        return m.GetMetricHistoryBulkResponse(metrics=_rows(parts))

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
        parts = [
            m.MetricColumns(key, *_thinned(page, start, end, request.max_results), run_id)
            for run_id, page in self._histories(run_ids, key).items()
        ]
        return m.GetMetricHistoryBulkResponse(metrics=_rows(parts))

    def _histories(self, run_ids: list[str], key: str) -> dict[str, Series]:
        """The history of one key in several runs, runs in the order of their ids, those without it left out."""

        def work(connection: Connection) -> dict[str, Series]:
            found = _points(connection, run_ids, key)
            return {run_id: history(found[run_id]) for run_id in sorted(found)}

        return self.db.read(work)


_NOTHING = Series([], [], [])


def _points(connection: Connection, run_ids: list[str], key: str) -> dict[str, Points]:
    """The stored points of one key by run id; runs that are not there or never logged it are left out."""
    rows = run_numbers(connection, run_ids)
    experiments = {row.experiment_id for row in rows.values()}
    k = entity_keys.c
    query = select(k.experiment_id, k.key_id).where(
        k.kind == KIND_METRIC, k.name == key, k.experiment_id.in_(experiments)
    )
    key_ids = {row.experiment_id: row.key_id for row in connection.execute(query)}
    return {
        run_id: read_points(connection, row.run, [key_ids[row.experiment_id]])[key_ids[row.experiment_id]]
        for run_id, row in rows.items()
        if row.experiment_id in key_ids
    }


def _checked_runs(run_ids: list[str], path: str) -> list[str]:
    if not 1 <= len(run_ids) <= limits.MAX_BULK_RUNS:
        raise InvalidParameterValue(f"{path} has {len(run_ids)} entries, 1 to {limits.MAX_BULK_RUNS} are allowed.")
    return list(dict.fromkeys(run_ids))


def _rows(parts: list[m.MetricColumns]) -> Sequence[Any]:
    """The points; an empty list where there are none, which is not written."""
    rows = m.MetricRows(parts)
    return rows if len(rows) else []


def _thinned(page: Series, start: int | None, end: int | None, most: int) -> Series:
    """Points within a range of steps, evenly thinned, in the order of their steps; the first and the last are kept."""
    order = sorted(range(len(page.steps)), key=lambda i: (page.steps[i], page.timestamps[i]))
    if start is not None and end is not None:
        order = [i for i in order if start <= page.steps[i] <= end]
    if len(order) > most:
        places = np.unique(np.linspace(0, len(order) - 1, most).round().astype(int)) if most > 1 else [len(order) - 1]
        order = [order[place] for place in places]
    return page.at(order)


def _token(page: Series) -> str:
    value = page.values[-1]
    shown_value = None if math.isnan(value) else value.hex()
    text = json.dumps([page.timestamps[-1], page.steps[-1], shown_value])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _position(token: str) -> tuple[int, int, float, bool]:
    """Where the page behind a token starts."""
    try:
        timestamp, step, value = json.loads(base64.urlsafe_b64decode(token.encode()))
        limits.check_int64(timestamp, "timestamp")
        limits.check_int64(step, "step")
        return timestamp, step, 0.0 if value is None else float.fromhex(value), value is None
    except (ValueError, TypeError, OverflowError, RecursionError) as e:
        raise InvalidParameterValue(f"page_token {shown(token)} is not one that this server gave.") from e
