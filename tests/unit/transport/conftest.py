"""A scripted server, a transport to it, and an environment without proxies and credentials."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stele.transport import HttpTransport
from stele.transport import http as http_transport
from unit.transport.scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRACKING_TOKEN", "TRACKING_USERNAME", "TRACKING_PASSWORD"):
        monkeypatch.delenv(f"STELE_{name}", raising=False)
        monkeypatch.delenv(f"MLFLOW_{name}", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits before repetitions, which are not waited for."""
    waits: list[float] = []
    monkeypatch.setattr(http_transport, "sleep", waits.append)
    return waits


@pytest.fixture
def transport(server: ScriptedServer, waits: list[float]) -> Iterator[HttpTransport]:
    transport = HttpTransport(server.address, retries=3, timeout_seconds=20)
    yield transport
    transport.close()
