"""What a server tells Prometheus about itself."""

from __future__ import annotations

import time

import anyio.to_thread
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from stele.schema.routes import Permission
from stele.server.endpoints import Endpoint

__all__ = ["Telemetry"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Telemetry:
    """Counts requests of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "stele_requests", "Requests answered.", ["operation", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "stele_request_seconds", "Time to answer.", ["operation"], buckets=_SECONDS, registry=self._registry
        )
        self._received = Counter("stele_received_bytes", "Bytes of request bodies.", registry=self._registry)
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self.in_flight = Gauge("stele_requests_in_flight", "Requests being answered.", registry=self._registry)

    def record(self, operation: str, status: int, started: float, received: int) -> None:
        """Count one answered request; ``started`` is a value of ``time.perf_counter``."""
        labels = (operation, status)
        if labels not in self._series:  # finding a series takes longer than counting in it
            self._series[labels] = (self._requests.labels(*labels), self._seconds.labels(operation))
        requests, seconds = self._series[labels]
        requests.inc()
        seconds.observe(time.perf_counter() - started)
        self._received.inc(received)

    def endpoint(self) -> Endpoint:
        """``GET /metrics``."""

        async def metrics(_request: Request) -> Response:
            text = await anyio.to_thread.run_sync(generate_latest, self._registry)
            return Response(text, media_type=CONTENT_TYPE_LATEST)

        return Endpoint("GET", "/metrics", Permission.READ_SERVER, metrics, "metrics")
