"""What is logged to a run besides files: metrics, params, tags, datasets and models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stele import limits
from stele.client.async_logging import RunOperations, goes_straight, in_background, split_batch
from stele.client.calls.base import StoreCalls, integer, milliseconds, number
from stele.schema import metrics as series
from stele.schema import runs as messages
from stele.schema.datasets import DatasetInput, LoggedModelInput, LoggedModelOutput, LogInputs, LogOutputs
from stele.schema.metrics import Metric
from stele.schema.runs import LogBatch, Param, RunTag

__all__ = ["ValueCalls"]


class ValueCalls(StoreCalls):
    """The part of a client that logs values.

    Wherever ``synchronous`` is an argument: True returns when the value is stored; False returns at once with
    operations to wait for; None does what ``STELE_ASYNC_LOGGING`` says. When that is not set, metrics are written to
    the journal, which sends them within a fraction of a second, and everything else is stored when the call returns.
    """

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> RunOperations | None:
        """Add a point to a metric.

        Args:
            run_id: The run.
            key: Name of the metric, 1 to 250 characters.
            value: Any number, also NaN and infinities.
            timestamp: Milliseconds since 1970; None means now.
            step: Any 64-bit integer; None means 0.
            synchronous: See the class.
            dataset_name: Dataset on which it was measured.
            dataset_digest: Digest of that dataset.
            model_id: Logged model that was measured.

        Raises:
            DoesNotExist: There is no such run; told here only when the call waits.
            InvalidParameterValue: The key or value is not allowed, or the run is deleted (told as above).
        """
        point = _checked(Metric(key, value, timestamp, step, model_id, dataset_name, dataset_digest), "")  # type: ignore[arg-type]
        if not goes_straight(synchronous):
            return self._journal(run_id, [LogBatch(run_id=run_id, metrics=[point])], synchronous)
        self._store.log_metric(
            messages.LogMetric(
                run_id=run_id,
                key=point.key,
                value=point.value,
                timestamp=point.timestamp,
                step=point.step,
                model_id=model_id,
                dataset_name=dataset_name,
                dataset_digest=dataset_digest,
            )
        )
        return None

    def _journal(self, run_id: str, batches: list[LogBatch], synchronous: bool | None) -> RunOperations | None:
        """Write batches whose metrics were checked to the journal."""
        store = self._journalled
        records, operations = [], []
        for batch in batches:
            rest = LogBatch(run_id=run_id, metrics=[], params=batch.params, tags=batch.tags)
            for point in batch.metrics:
                if point.model_id or point.dataset_name or point.dataset_digest:  # a record has no room for these
                    rest.metrics.append(point)
                else:
                    records.append(store.appender(run_id, point.key)(point.value, point.step, point.timestamp))
            if rest.metrics or rest.params or rest.tags:
                operations.append(store.submit("log_batch", rest))
        return RunOperations(store, records, operations) if in_background(synchronous) else None

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Record a parameter. It is written once: the same value again is fine, another one is refused.

        Args:
            run_id: The run.
            key: Name of the parameter, 1 to 250 characters.
            value: Anything; its text is kept, up to 6 000 characters.
            synchronous: See the class.

        Returns:
            The value, or operations to wait for when the logging is asynchronous.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The key is not allowed, the parameter has another value, or the run is deleted.
        """
        key = limits.check_key(key, "key")
        if in_background(synchronous):
            return self._journal(run_id, [LogBatch(run_id=run_id, params=[Param(key, str(value))])], synchronous)
        self._store.log_param(messages.LogParam(run_id=run_id, key=key, value=str(value)))
        return value

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
        """Set a tag of a run; a later value replaces an earlier one.

        Args:
            run_id: The run.
            key: Name of the tag, 1 to 250 characters.
            value: Anything; its text is kept, up to 8 000 characters.
            synchronous: See the class.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The key is not allowed, or the run is deleted.
        """
        key = limits.check_key(key, "key")
        if in_background(synchronous):
            return self._journal(run_id, [LogBatch(run_id=run_id, tags=[RunTag(key, str(value))])], synchronous)
        self._store.set_tag(messages.SetTag(run_id=run_id, key=key, value=str(value)))
        return None

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag of a run.

        Raises:
            DoesNotExist: There is no such run or tag.
            InvalidParameterValue: The run is deleted.
        """
        self._store.delete_tag(messages.DeleteTag(run_id=run_id, key=key))

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Log many things at once.

        More than one batch can hold (1 000 metrics, 100 params, 100 tags) is sent in several. Each batch is stored as a
        whole or not at all. With params or tags in it, the metrics take the same way as these.

        Raises:
            DoesNotExist: There is no such run; told here only when the call waits.
            InvalidParameterValue: A key or value is not allowed (the message names it), or the run is deleted (told as
                above).
        """
        straight = not in_background(synchronous) if params or tags else goes_straight(synchronous)
        points = [_checked(point, f"metrics[{i}].") for i, point in enumerate(metrics)]
        batches = split_batch(run_id, points, params, tags)
        if not straight:
            return self._journal(run_id, batches, synchronous)
        for batch in batches:
            self._store.log_batch(batch)
        return None

    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[LoggedModelInput] | None = None,
    ) -> None:
        """Record what a run read. The same again changes nothing.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: A name, digest or description is too long.
        """
        self._store.log_inputs(LogInputs(run_id=run_id, datasets=list(datasets or []), models=list(models or [])))

    def log_outputs(self, run_id: str, models: list[LoggedModelOutput]) -> None:
        """Record which logged models a run made.

        Raises:
            DoesNotExist: There is no such run.
        """
        self._store.log_outputs(LogOutputs(run_id=run_id, models=list(models)))

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """All points of a metric, ordered by timestamp, step and value; an empty list when there are none."""
        points: list[Metric] = []
        request = series.GetMetricHistory(run_id=run_id, metric_key=key, max_results=limits.MAX_HISTORY_PAGE)
        while True:
            response = self._store.get_metric_history(request)
            points += response.metrics
            if not response.next_page_token:
                return points
            request.page_token = response.next_page_token


def _checked(point: Metric, path: str) -> Metric:
    """The point with its numbers as Python's, checked as the store would.

    Raises:
        InvalidParameterValue: The key, value, timestamp or step is not allowed.
    """
    key = limits.check_key(point.key, f"{path}key")
    return Metric(
        key,
        number(point.value, f"Metric {key!r}"),
        limits.check_timestamp(milliseconds(point.timestamp, f"{path}timestamp"), f"{path}timestamp"),
        limits.check_int64(integer(point.step or 0, f"{path}step"), f"{path}step"),
        point.model_id,
        point.dataset_name,
        point.dataset_digest,
    )
