"""Running a server: one process in this one's event loop, or several worker processes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable

import msgspec
from granian import Granian
from granian.constants import Interfaces
from granian.server.embed import Server

from stele.errors import Unavailable
from stele.server.app import App, create_app
from stele.server.config import ServerConfig
from stele.server.telemetry import set_up_logging

__all__ = ["serve", "worker_app"]

logger = logging.getLogger(__name__)

_CONFIG_VARIABLE = "_STELE_SERVER_CONFIG"
_DRAIN_SECONDS = 20


def serve(config: ServerConfig, *, started: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGINT or SIGTERM; requests that were accepted are answered first.

    Args:
        config: The server's options.
        started: Called once when the server is about to listen.

    Raises:
        Unavailable: The address is taken.
    """
    set_up_logging(config.log_format)
    _refuse_taken_port(config.host, config.port)
    if config.workers == 1:
        app = create_app(config)
        started()
        asyncio.run(_serve_here(app, config))
        return
    # Workers are new processes that import this module; they find their options in the environment.
    os.environ[_CONFIG_VARIABLE] = msgspec.json.encode(config).decode()
    create_app(config).store.close()  # make the schema once, and report a bad configuration here
    server = Granian(
        "stele.server.run:worker_app",
        address=config.host,
        port=config.port,
        interface=Interfaces.ASGI,
        workers=config.workers,
        factory=True,
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=_DRAIN_SECONDS,
        respawn_failed_workers=True,
    )
    started()
    server.serve()


def worker_app() -> App:
    """The application of one worker process."""
    config = msgspec.json.decode(os.environ[_CONFIG_VARIABLE], type=ServerConfig)
    set_up_logging(config.log_format)
    return create_app(config)


def _refuse_taken_port(host: str, port: int) -> None:
    """Find out before anything starts: the HTTP server would share another one's port and take half its requests."""
    if port == 0:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as e:
            raise Unavailable(f"Cannot listen on {host}:{port}: {e.strerror or e}.") from e


async def _serve_here(app: App, config: ServerConfig) -> None:
    server = Server(
        app,
        address=config.host,
        port=config.port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
        backlog=1024,
    )
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    serving = asyncio.ensure_future(server.serve())
    stopping = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not serving.done():
        server.stop()  # type: ignore[no-untyped-call]  # granian does not say
    await serving
