"""A server in this process, spoken to as bytes over ASGI."""

from __future__ import annotations

import json
from typing import Any

from stele.server.app import App
from stele.server.config import ServerConfig
from stele.transport import Request
from stele.transport.asgi import AsgiTransport


class Caller:
    """Sends requests as a client on this machine would."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._transport = AsgiTransport(app)

    def __call__(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """The answer to a request; a body that is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"host": "localhost:5000"}
        if method != "GET":
            sent["content-type"] = "application/json"
        sent |= headers or {}
        sent = {name: value for name, value in sent.items() if value is not None}
        return Answer(self._transport.exchange(Request(method, path, headers=sent, body=content)))

    def post(self, operation: str, body: Any) -> Any:
        """A JSON operation below ``/api/2.0/mlflow``."""
        return self("POST", f"/api/2.0/mlflow/{operation}", body)

    def close(self) -> None:
        """Stop the application."""
        self._transport.close()
        self.app.store.close()


class Answer:
    """Status, headers and body of an answer."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status
        self.headers: dict[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.body: bytes = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error_code"])


def config(folder: Any, **changes: Any) -> ServerConfig:
    options = {
        "backend_store_uri": f"sqlite:///{folder}/s.db",
        "artifacts_destination": f"{folder}/files",
    }
    return ServerConfig(**(options | changes))
