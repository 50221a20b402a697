"""Counters of a scoring server, in the format that Prometheus reads."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from stele.serving.served import ServedModel

__all__ = ["ServingTelemetry"]

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class ServingTelemetry:
    """Counts requests, rows, batches and exchanged models of one process."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter("stele_serving_requests", "Requests answered.", ["path", "status"], registry=registry)
        self._seconds = Histogram(
            "stele_serving_seconds", "Time to answer.", ["path"], buckets=_SECONDS, registry=registry
        )
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self.rows = Counter("stele_serving_rows", "Rows asked for.", registry=registry)
        self.batches = Histogram(
            "stele_serving_batch_rows", "Rows predicted at once.", buckets=_ROWS, registry=registry
        )
        self._swaps = Counter(
            "stele_serving_swaps", "Attempts to serve another version.", ["outcome"], registry=registry
        )
        self._model = Gauge(
            "stele_serving_model", "1 for the model that is served.", ["uri", "version"], registry=registry
        )

    def record(self, path: str, status: int, started: float) -> None:
        """Count one answered request; ``started`` is a value of ``time.perf_counter``."""
        labels = (path, status)
        if labels not in self._series:  # finding a series takes longer than counting in it
            self._series[labels] = (self._requests.labels(*labels), self._seconds.labels(path))
        requests, seconds = self._series[labels]
        requests.inc()
        seconds.observe(time.perf_counter() - started)

    def swapped(self, succeeded: bool) -> None:
        """Count an attempt to serve another version."""
        self._swaps.labels("done" if succeeded else "failed").inc()

    def text(self, served: ServedModel) -> bytes:
        """All of it as text."""
        self._model.clear()
        self._model.labels(served.uri, served.version).set(1)
        return generate_latest(self._registry)
