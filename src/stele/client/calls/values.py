"""What is logged to a run besides files: metrics, params, tags, datasets and models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stele import limits
from stele.client.async_logging import RunOperations, split_batch
from stele.client.calls.base import StoreCalls, in_background, integer, milliseconds, number
from stele.schema import metrics as series
from stele.schema import runs as messages
from stele.schema.datasets import DatasetInput, LoggedModelInput, LoggedModelOutput, LogInputs, LogOutputs
from stele.schema.metrics import Metric
from stele.schema.runs import LogBatch, Param, RunTag

__all__ = ["ValueCalls"]


class ValueCalls(StoreCalls):
    """The part of a client that logs values.

    Wherever ``synchronous`` is an argument: True returns when the value is stored, False returns at once with
    operations to wait for, None does what ``STELE_ASYNC_LOGGING`` says (by default as True).
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
            DoesNotExist: There is no such run.
            InvalidParameterValue: The key or value is not allowed, or the run is deleted.
        """
        key = limits.check_key(key, "key")
        value = number(value, f"Metric {key!r}")
        timestamp = limits.check_timestamp(milliseconds(timestamp, "timestamp"), "timestamp")
        step = limits.check_int64(integer(step or 0, "step"), "step")
        if in_background(synchronous):
            point = Metric(key, value, timestamp, step, model_id, dataset_name, dataset_digest)
            return self._submit([LogBatch(run_id=run_id, metrics=[point])])
        self._store.log_metric(
            messages.LogMetric(
                run_id=run_id,
                key=key,
                value=value,
                timestamp=timestamp,
                step=step,
                model_id=model_id,
                dataset_name=dataset_name,
                dataset_digest=dataset_digest,
            )
        )
        return None

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
            return self._submit([LogBatch(run_id=run_id, params=[Param(key, str(value))])])
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
            return self._submit([LogBatch(run_id=run_id, tags=[RunTag(key, str(value))])])
        self._store.set_tag(messages.SetTag(run_id=run_id, key=key, value=str(value)))
        return None

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag of a run.

        Raises:
            DoesNotExist: There is no such run or tag.
            InvalidParameterValue: The run is deleted.
        """
        self._read_store.delete_tag(messages.DeleteTag(run_id=run_id, key=key))

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
        whole or not at all.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: A key or value is not allowed (the message names it), or the run is deleted.
        """
        batches = split_batch(run_id, metrics, params, tags)
        if in_background(synchronous):
            return self._submit(batches)
        for batch in batches:
            self._send(batch)
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
            response = self._read_store.get_metric_history(request)
            points += response.metrics
            if not response.next_page_token:
                return points
            request.page_token = response.next_page_token
