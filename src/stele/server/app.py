"""The ASGI application: every request passes the same gates in the same order.

Host and Origin, address, principal, permission, work, answer; an error at any of them becomes the same JSON body.
What is logged of a request is its method, path, status and duration, never its query, headers or body.
"""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from stele import settings
from stele.errors import EndpointNotFound, SteleError
from stele.schema.routes import ROUTES, Permission
from stele.schema.runs import LogBatch, LogMetric
from stele.server import policy
from stele.server.artifacts import ArtifactService, artifact_endpoints
from stele.server.auth import ANONYMOUS, PRINCIPAL, Authenticator, OwnerOnly, Principal, TokenAuthenticator
from stele.server.config import ServerConfig
from stele.server.dispatch import BodyBudget, grouped_endpoints, json_response, route_endpoints
from stele.server.endpoints import Endpoint, EndpointTable
from stele.server.events import Watcher, event_endpoints
from stele.server.grouping import Grouper
from stele.server.health import health_endpoints
from stele.server.log_lines import access_log
from stele.server.model_digests import ModelFinisher
from stele.server.openapi import openapi_document
from stele.server.security import HEADERS, RequestGuard
from stele.server.telemetry import Telemetry
from stele.server.tickets import Tickets
from stele.server.ui import BUILD, page_endpoints
from stele.server.webhooks import WebhookService
from stele.stores.base import ACTOR
from stele.stores.sql import SqlStore

__all__ = ["App", "create_app"]

logger = logging.getLogger(__name__)

_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class App:
    """One server over one store."""

    def __init__(
        self,
        config: ServerConfig,
        store: SqlStore,
        artifacts: ArtifactService,
        authenticator: Authenticator,
        page: Path,
    ) -> None:
        self.store = store
        self._config = config
        self.telemetry = Telemetry()
        self._webhooks = WebhookService(store)
        self._watcher = Watcher(store)
        self._tickets = Tickets(store)
        self.table = EndpointTable([*page_endpoints(page), *self._endpoints(store, artifacts)])
        self._guard = RequestGuard(config)
        self._authenticator = authenticator
        self._prefix = config.static_prefix.rstrip("/")

    def _endpoints(self, store: SqlStore, artifacts: ArtifactService) -> list[Endpoint]:
        services = (artifacts, ModelFinisher(store, artifacts), self._webhooks, self._tickets, store)
        endpoints = [*health_endpoints(store, openapi_document(), self._config), self.telemetry.endpoint()]
        budget = BodyBudget(settings.INFLIGHT_BYTES.get())
        points = Grouper(store.log_points)
        for route in ROUTES:
            owner = next(service for service in services if hasattr(service, route.operation))
            operation = getattr(owner, route.operation)
            if issubclass(route.request, LogBatch | LogMetric):
                endpoints += grouped_endpoints(route, points, operation, budget)
            else:
                endpoints += route_endpoints(route, operation, budget)
        return endpoints + artifact_endpoints(artifacts) + event_endpoints(self._watcher)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:  # a websocket: nothing here speaks it
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.store.start_refresher()
                self._webhooks.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._webhooks.stop()
                self.store.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, send)
        with self.telemetry.in_flight.track_inprogress():
            try:
                response = await self._answer(exchange, Request(scope, receive))
            except SteleError as e:
                response = exchange.refusal(e)
            except Exception:
                logger.exception("request %s failed", exchange.request_id)
                problem = SteleError(f"The server failed; its log has the details under {exchange.request_id}.")
                response = exchange.refusal(problem)
            try:
                await response(scope, receive, exchange.send)
            except Exception:
                # The answer had begun, or the client is gone: nothing can be said to it any more.
                logger.warning("answer to %s was cut short", exchange.request_id, exc_info=True)
            finally:
                exchange.finish(self.telemetry)

    async def _answer(self, exchange: _Exchange, request: Request) -> Response:
        headers = dict(request.headers)
        path = self._local_path(exchange.path)
        self._guard.check(request.method, path, headers)
        if self._prefix and exchange.path == self._prefix and request.method in ("GET", "HEAD"):
            # The page's own addresses are relative to the folder that it lies in.
            return RedirectResponse(f"{self._prefix}/")
        endpoint, parameters = self.table.find(request.method, path)
        exchange.operation = endpoint.name
        if endpoint.permission is not Permission.PUBLIC:
            exchange.principal = await self._authenticator.identify(headers.get("authorization", ""))
            if endpoint.takes_ticket and exchange.principal == ANONYMOUS:
                exchange.principal = await anyio.to_thread.run_sync(self._tickets.principal_of, request.query_params)
        policy.require(exchange.principal, endpoint.permission)
        ACTOR.set(exchange.principal.name)
        request.scope[PRINCIPAL] = exchange.principal
        request.scope["path_params"] = parameters
        return await endpoint.handler(request)

    def _local_path(self, path: str) -> str:
        if not self._prefix:
            return path
        if not path.startswith(f"{self._prefix}/") and path != self._prefix:
            # MLflow's client asks for artifacts without the prefix.
            if path.startswith("/api/2.0/mlflow-artifacts/"):
                return path
            raise EndpointNotFound(f"This server's addresses start with {self._prefix}/.")
        return path[len(self._prefix) :] or "/"


class _Exchange:
    """One request and its answer, as the log sees them."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.request_id = uuid.uuid4().hex[:12]
        self.operation = "unknown"
        self.principal: Principal = ANONYMOUS
        self._status = 0
        self._started = time.perf_counter()
        self._received = next((int(v) for k, v in scope["headers"] if k == b"content-length" and v.isdigit()), 0)
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            own: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
            names = {name.lower() for name, _ in own}
            own += [header for header in _HEADERS if header[0] not in names]
            own.append((b"x-request-id", self.request_id.encode()))
            message = {**message, "headers": own}
        await self._send(message)

    def refusal(self, error: SteleError) -> Response:
        """The answer for an error."""
        response = json_response(error.to_wire(), error.status)
        if error.status == 401:
            response.headers["www-authenticate"] = 'Bearer realm="stele"'
        if error.status in (429, 503):
            response.headers["retry-after"] = "1"
        return response

    def finish(self, telemetry: Telemetry) -> None:
        """Count and log the exchange."""
        telemetry.record(self.operation, self._status, self._started, self._received)
        fields: dict[str, Any] = {
            "method": self.method,
            "path": self.path,
            "status": self._status,
            "milliseconds": round((time.perf_counter() - self._started) * 1000, 2),
            "operation": self.operation,
            "principal": self.principal.name,
            "request_id": self.request_id,
        }
        access_log.info("request", extra={"fields": fields})


def create_app(config: ServerConfig, page: Path = BUILD) -> App:
    """The application for a configuration; opens the store.

    Args:
        config: The server's options.
        page: The directory with the built web page.

    Raises:
        InvalidParameterValue: The configuration names a store or destination that cannot be used.
    """
    store = SqlStore(config.backend_store_uri, config.default_artifact_root)
    artifacts = ArtifactService(
        store, config.artifacts_destination, serve=config.serve_artifacts, roots=(config.default_artifact_root,)
    )
    authenticator: Authenticator = TokenAuthenticator(store) if config.require_token else OwnerOnly()
    return App(config, store, artifacts, authenticator, page)
