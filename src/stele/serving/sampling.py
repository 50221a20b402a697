"""Keeping a share of what a model was asked and what it answered, in the tracking store, to watch it later.

Requests never wait for it: samples go into a queue, a thread writes them as JSON lines into the artifacts of a run, and
what does not fit is counted and dropped.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from stele.client.client import Client
from stele.errors import SteleError
from stele.models.json_values import json_value
from stele.serving.payloads import Payload, Rows, Table

__all__ = ["Sampler"]

logger = logging.getLogger(__name__)

_QUEUE = 1000
_LINES_PER_FILE = 500
_SECONDS_PER_FILE = 10.0


class Sampler:
    """Writes samples into one run.

    Args:
        rate: Share of the requests that are kept, 0 to 1.
        client: Of the store that keeps them.
        experiment: Name of the experiment; it is made when it is not there.
        model_uri: Of the model, a tag of the run.
    """

    def __init__(self, rate: float, client: Client, experiment: str, model_uri: str) -> None:
        self._rate = rate
        self._client = client
        self._experiment = experiment
        self._model_uri = model_uri
        self._queue: queue.Queue[tuple[float, Payload, Any] | None] = queue.Queue(_QUEUE)
        self._thread: threading.Thread | None = None
        self.kept = 0
        self.dropped = 0
        self.run_id = ""

    def observer(self) -> Callable[[Payload, Any], None] | None:
        """What is to be told of the next request; None when it is not sampled."""
        return self._observe if random.random() < self._rate else None  # noqa: S311 - no secret depends on it

    def _observe(self, payload: Payload, result: Any) -> None:
        try:
            self._queue.put_nowait((time.time(), payload, result))
        except queue.Full:
            self.dropped += 1

    def start(self) -> None:
        """Make the run and begin to write.

        Raises:
            SteleError: The store does not take it.
        """
        found = self._client.get_experiment_by_name(self._experiment)
        experiment_id = found.experiment_id if found is not None else self._client.create_experiment(self._experiment)
        run = self._client.create_run(
            experiment_id, tags={"stele.serving.model_uri": self._model_uri}, run_name="serving"
        )
        self.run_id = run.info.run_id
        self._thread = threading.Thread(target=self._write, daemon=True, name="stele-samples")
        self._thread.start()

    def _write(self) -> None:
        lines: list[bytes] = []
        due = time.monotonic() + _SECONDS_PER_FILE
        while True:
            try:
                sample = self._queue.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                sample = ()  # type: ignore[assignment]
            if sample:
                lines.append(_line(*sample))
            if sample is None or len(lines) >= _LINES_PER_FILE or time.monotonic() >= due:
                self._keep(lines)
                lines = []
                due = time.monotonic() + _SECONDS_PER_FILE
            if sample is None:
                return

    def _keep(self, lines: list[bytes]) -> None:
        if not lines:
            return
        try:
            name = f"samples/{time.time_ns() // 1_000_000}.jsonl"
            self._client.log_text(self.run_id, b"".join(lines).decode(), name)
            self.kept += len(lines)
            self._client.log_metric(self.run_id, "samples", self.kept)
        except SteleError as error:
            self.dropped += len(lines)
            logger.warning("%d samples could not be kept: %s", len(lines), error)

    def close(self) -> None:
        """Write what is left, and end the run."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join()
        try:
            self._client.set_terminated(self.run_id)
        except SteleError as error:
            logger.warning("The run of the samples could not be ended: %s", error)


def _line(moment: float, payload: Payload, result: Any) -> bytes:
    data = payload.data
    if isinstance(data, Rows):
        inputs: Any = {"columns": data.names, "data": data.rows}
    else:
        inputs = json_value(data.frame if isinstance(data, Table) else data.value)
    sample = {"time": round(moment * 1000), "inputs": inputs, "params": payload.params, "outputs": _outputs(result)}
    return msgspec.json.encode(sample) + b"\n"


def _outputs(result: Any) -> Any:
    try:
        return json_value(result)
    except SteleError:
        return repr(result)
