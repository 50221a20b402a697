"""What a client asks about the server itself: is it there, which version, what can it do."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from stele.schema.mlflow_version import MLFLOW_VERSION
from stele.schema.routes import Permission
from stele.server.auth import PRINCIPAL, Principal
from stele.server.config import ServerConfig
from stele.server.dispatch import json_response
from stele.server.endpoints import Endpoint, Handler
from stele.server.policy import permissions_of
from stele.stores.sql import SqlStore

__all__ = ["health_endpoints"]

_CAPABILITIES: dict[str, Any] = {
    "store_type": "SqlStore",
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "multipart_uploads_enabled": False,
    "multipart_downloads_enabled": False,
    "presigned_upload_run_id_supported": False,
    "presigned_upload_model_id_supported": False,
    "features_enabled": {"gateway": False},
}


def health_endpoints(store: SqlStore, openapi: bytes, config: ServerConfig) -> list[Endpoint]:
    """Health, versions, capabilities, the OpenAPI document, and who one is here."""
    info = _CAPABILITIES | {"server": "stele", "server_version": version("stele")}

    async def health(_request: Request) -> Response:
        await anyio.to_thread.run_sync(store.ping)
        return Response("OK", media_type="text/plain")

    async def mlflow_version(_request: Request) -> Response:
        return Response(MLFLOW_VERSION, media_type="text/plain")

    async def server_info(_request: Request) -> Response:
        return json_response(info)

    async def me(request: Request) -> Response:
        principal: Principal = request.scope[PRINCIPAL]
        about = {
            "name": principal.name,
            "permissions": permissions_of(principal),
            "require_token": config.require_token,
            "version": version("stele"),
        }
        return json_response(about)

    async def describe(_request: Request) -> Response:
        return Response(openapi, media_type="application/json")

    table: list[tuple[str, Handler, str, Permission]] = [
        ("/health", health, "health", Permission.PUBLIC),
        ("/version", mlflow_version, "version", Permission.PUBLIC),
        ("/api/3.0/mlflow/server-info", server_info, "server_info", Permission.READ_SERVER),
        ("/ajax-api/3.0/mlflow/server-info", server_info, "server_info", Permission.READ_SERVER),
        ("/api/2.0/stele/me", me, "me", Permission.READ_SERVER),
        ("/ajax-api/2.0/stele/me", me, "me", Permission.READ_SERVER),
        ("/api/openapi.json", describe, "openapi", Permission.READ_SERVER),
    ]
    return [Endpoint("GET", path, permission, handler, name) for path, handler, name, permission in table]
