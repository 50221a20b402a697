"""Points of many requests in one transaction.

A durable commit costs more than the points of a hundred small requests, so a server hands over what has arrived
while the commit before was under way. A request that cannot be stored fails alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from stele import limits
from stele.errors import InvalidParameterValue, SteleError
from stele.schema.metrics import Metric
from stele.schema.runs import LogBatch
from stele.stores.sql import series
from stele.stores.sql.batch import check_batch
from stele.stores.sql.core import lock_runs, run_in_use
from stele.stores.sql.model_points import known_models, record_points, unknown_model
from stele.stores.sql.point_log import PointLog
from stele.stores.sql.tables import KIND_METRIC

__all__ = ["GroupWrites"]


class GroupWrites(PointLog):
    """The part of a store that takes many requests at once."""

    def log_points(self, requests: Sequence[LogBatch]) -> list[SteleError | None]:
        """Store the points of several requests, durable when this returns.

        Args:
            requests: Batches of metrics, without params and tags; several may be of one run.

        Returns:
            For each request None, or why nothing of it is stored.
        """
        checked = [_checked(request) for request in requests]

        def work(connection: Connection) -> list[SteleError | None]:
            rows = lock_runs(connection, [request.run_id for request in requests])
            models = known_models(connection, _measured(checked))
            outcome = [batch if isinstance(batch, SteleError) else _refusal(rows, models, batch) for batch in checked]
            by_run: dict[str, list[Metric]] = {}
            for batch, error in zip(checked, outcome, strict=True):
                if error is None and isinstance(batch, LogBatch) and batch.metrics:
                    by_run.setdefault(batch.run_id, []).extend(batch.metrics)
            if by_run:
                packed = [self._packed(connection, rows[run], by_run[run]) for run in by_run]
                try:
                    self.append(connection, packed)
                except InvalidParameterValue:  # a run is full; some of its requests may fit nevertheless
                    self._append_singly(connection, rows, checked, outcome)
            for batch, error in zip(checked, outcome, strict=True):
                if error is None and isinstance(batch, LogBatch):
                    record_points(connection, batch.run_id, batch.metrics)
            return outcome

        return self.db.write(work)

    def _append_singly(
        self,
        connection: Connection,
        rows: dict[str, Any],
        checked: Sequence[LogBatch | SteleError],
        outcome: list[SteleError | None],
    ) -> None:
        for place, batch in enumerate(checked):
            if outcome[place] is None and isinstance(batch, LogBatch) and batch.metrics:
                try:
                    self.append(connection, [self._packed(connection, rows[batch.run_id], batch.metrics)])
                except InvalidParameterValue as error:
                    outcome[place] = error

    def _packed(self, connection: Connection, row: Any, metrics: list[Metric]) -> series.LogEntry:
        names = dict.fromkeys((KIND_METRIC, metric.key) for metric in metrics)
        ids = self.keys.resolve(connection, row.experiment_id, names)
        return series.log_entry(row.run, metrics, ids)


def _checked(request: LogBatch) -> LogBatch | SteleError:
    """The batch when it may be stored, else why not."""
    try:
        limits.check_run_id(request.run_id)
        check_batch(request)
    except SteleError as error:
        return error
    return request


def _measured(batches: Sequence[LogBatch | SteleError]) -> list[Metric]:
    """The points that name a model."""
    valid = [batch for batch in batches if isinstance(batch, LogBatch)]
    return [metric for batch in valid for metric in batch.metrics if metric.model_id]


def _refusal(rows: dict[str, Any], models: dict[str, int], batch: LogBatch) -> SteleError | None:
    try:
        run_in_use(rows, batch.run_id)
    except SteleError as error:
        return error
    unknown = next((metric for metric in _measured([batch]) if metric.model_id not in models), None)
    return None if unknown is None else unknown_model(unknown)
