"""The ASGI application of a scoring server: ``/invocations`` and what belongs to it.

Its routes and bodies are those that tools for MLflow's models know. Every request passes the check of Host and Origin
first, and needs the access token when one is set.
"""

from __future__ import annotations

import hmac
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from stele import settings
from stele.errors import (
    BadRequest,
    DeadlineExceeded,
    EndpointNotFound,
    InvalidParameterValue,
    MethodNotAllowed,
    PayloadTooLarge,
    SteleError,
    Unauthenticated,
    shown,
)
from stele.schema.mlflow_version import MLFLOW_VERSION
from stele.server.config import ServerConfig
from stele.server.security import HEADERS, RequestGuard
from stele.serving.batching import Answers, Batcher, Job
from stele.serving.config import ServingConfig
from stele.serving.openapi import describe
from stele.serving.payloads import Payload, parse_body
from stele.serving.sampling import Sampler
from stele.serving.served import ModelHolder, Work, predict_jobs
from stele.serving.telemetry import ServingTelemetry

__all__ = ["ScoringApp"]

logger = logging.getLogger(__name__)
access_log = logging.getLogger("stele.access")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[Scope, Receive], Awaitable["Answer"]]

_JSON = b"application/json"
_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
_OPEN = ("/ping", "/health", "/version")
"""Asked for by load balancers, by address and without a token."""


class Answer(msgspec.Struct):
    """What is sent back."""

    body: bytes
    status: int = 200
    media_type: bytes = _JSON
    headers: list[tuple[bytes, bytes]] = []


class ScoringApp:
    """Serves the model of a holder."""

    def __init__(
        self, config: ServingConfig, holder: ModelHolder, telemetry: ServingTelemetry, sampler: Sampler | None = None
    ) -> None:
        self._config = config
        self.holder = holder
        self._telemetry = telemetry
        self._sampler = sampler
        self._guard = RequestGuard(
            ServerConfig(
                backend_store_uri="",
                host=config.host,
                allowed_hosts=config.allowed_hosts,
                allowed_origins=config.allowed_origins,
            )
        )
        self._token = settings.SERVING_TOKEN.get()
        self._log = config.log_format != "off"
        self._batcher = Batcher(
            self._predict,
            max_rows=config.max_batch_rows,
            delay_seconds=config.batch_delay_ms / 1000,
            threads=config.threads,
        )
        self._routes: dict[str, tuple[str, Handler]] = {
            "/invocations": ("POST", self._invoke),
            "/ping": ("GET", self._ping),
            "/health": ("GET", self._ping),
            "/version": ("GET", self._version),
            "/metrics": ("GET", self._metrics),
            "/openapi.json": ("GET", self._openapi),
        }

    def _predict(self, jobs: list[Job]) -> Answers:
        self._telemetry.batches.observe(sum(job.rows for job in jobs))
        return predict_jobs(jobs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event, as ASGI has it."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:  # a websocket: nothing here speaks it
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.holder.start()
                if self._sampler is not None:
                    self._sampler.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.holder.stop()
                self._batcher.close()
                if self._sampler is not None:
                    self._sampler.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            answer = await self._answer(scope, receive)
        except SteleError as error:
            answer = _refusal(error)
        except Exception:
            request_id = uuid.uuid4().hex[:12]
            logger.exception("request %s failed", request_id)
            answer = _refusal(SteleError(f"The server failed; its log has the details under {request_id}."))
        headers = [
            (b"content-type", answer.media_type),
            (b"content-length", str(len(answer.body)).encode()),
            *answer.headers,
            *_HEADERS,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})
        path = scope["path"] if scope["path"] in self._routes else "other"
        self._telemetry.record(path, answer.status, started)
        if self._log and path not in _OPEN:
            self._write_log(scope, answer.status, started)

    def _write_log(self, scope: Scope, status: int, started: float) -> None:
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        fields = {
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "milliseconds": milliseconds,
            "principal": self.holder.current.version or "-",
            "request_id": "-",
        }
        access_log.info("request", extra={"fields": fields})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if path not in _OPEN:
            self._guard.check(method, path, headers)
            self._check_token(headers.get("authorization", ""))
        if path not in self._routes:
            raise EndpointNotFound(f"There is nothing at {shown(path)}. Predictions are at /invocations.")
        wanted, handler = self._routes[path]
        if method != wanted and not (method == "HEAD" and wanted == "GET"):
            raise MethodNotAllowed(f"{path} takes {wanted}, not {method}.")
        scope["stele.headers"] = headers
        return await handler(scope, receive)

    def _check_token(self, authorization: str) -> None:
        if self._token and not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            raise Unauthenticated("This model is served to those who send its access token (STELE_SERVING_TOKEN).")

    async def _invoke(self, scope: Scope, receive: Receive) -> Answer:
        headers = scope["stele.headers"]
        body = await self._read(headers, receive)
        served = self.holder.current
        payload = parse_body(headers.get("content-type", ""), body)
        payload = Payload(served.reader.as_rows(payload.data), payload.params)
        observe = self._sampler.observer() if self._sampler is not None else None
        work = Work(served, payload, observe)
        rows = work.rows()
        self._telemetry.rows.inc(rows)
        answered = await self._batcher.submit(
            work,
            group=work.group(),
            rows=rows,
            timeout=self._config.timeout_seconds,
            computes=served.computes and observe is None,
        )
        version = [(b"x-stele-model-version", served.version.encode())] if served.version else []
        return Answer(answered, headers=version)

    async def _read(self, headers: dict[str, str], receive: Receive) -> bytes:
        limit = self._config.max_body_bytes
        if headers.get("content-encoding", "identity") != "identity":
            raise InvalidParameterValue("A compressed body is not accepted here; send it without Content-Encoding.")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise InvalidParameterValue("Content-Length is not a number.")
        too_large = f"The body has more than {limit} bytes (--max-body-bytes)."
        if int(length) > limit:
            raise PayloadTooLarge(too_large)
        pieces: list[bytes] = []
        size = 0
        deadline = time.monotonic() + self._config.timeout_seconds
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("The client went away before its body had arrived.")
            piece = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise PayloadTooLarge(too_large)
            if not message.get("more_body"):
                return piece if not pieces else b"".join([*pieces, piece])
            if time.monotonic() > deadline:
                raise DeadlineExceeded(f"The body did not arrive within {self._config.timeout_seconds:g} seconds.")
            pieces.append(piece)

    async def _ping(self, _scope: Scope, _receive: Receive) -> Answer:
        return Answer(b"\n")

    async def _version(self, _scope: Scope, _receive: Receive) -> Answer:
        return Answer(MLFLOW_VERSION.encode(), media_type=b"text/plain")

    async def _metrics(self, _scope: Scope, _receive: Receive) -> Answer:
        return Answer(self._telemetry.text(self.holder.current), media_type=CONTENT_TYPE_LATEST.encode())

    async def _openapi(self, _scope: Scope, _receive: Receive) -> Answer:
        return Answer(msgspec.json.encode(describe(self.holder.current)))


def _refusal(error: SteleError) -> Answer:
    headers: list[tuple[bytes, bytes]] = []
    if error.retry_after_seconds is not None:
        headers.append((b"retry-after", str(int(error.retry_after_seconds)).encode()))
    if isinstance(error, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    return Answer(msgspec.json.encode(error.to_wire()), error.get_http_status_code(), headers=headers)
