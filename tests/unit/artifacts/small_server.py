"""A server with the artifact routes only, over a store that knows prepared runs only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stele.errors import DoesNotExist, SteleError
from stele.schema.runs import GetRun, GetRunResponse, Run, RunData, RunInfo
from stele.server.artifacts import ArtifactService, artifact_endpoints
from stele.server.dispatch import json_response
from stele.stores.base import TrackingStore


class PreparedRuns:
    """Run id -> artifact URI."""

    def __init__(self, uris: Mapping[str, str]) -> None:
        self._uris = uris

    def get_run(self, request: GetRun) -> GetRunResponse:
        if request.run_id not in self._uris:
            raise DoesNotExist(f"There is no run {request.run_id!r}.")
        info = RunInfo(request.run_id, "1", "", "FINISHED", 0, artifact_uri=self._uris[request.run_id])
        return GetRunResponse(run=Run(info, RunData()))


def service(destination: str, uris: Mapping[str, str] | None = None, **options: Any) -> ArtifactService:
    return ArtifactService(cast("TrackingStore", PreparedRuns(uris or {})), destination, **options)


async def refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, SteleError)
    return json_response(error.to_wire(), error.status)


def app(artifacts: ArtifactService) -> Starlette:
    routes = [Route(route.path, route.handler, methods=[route.method]) for route in artifact_endpoints(artifacts)]
    return Starlette(routes=routes, exception_handlers={SteleError: refuse})
