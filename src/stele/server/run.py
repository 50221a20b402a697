"""Running a server: one process in this one's event loop, or several worker processes."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import uvicorn
from uvicorn.supervisors import Multiprocess

from stele.errors import Unavailable
from stele.server.app import App, create_app
from stele.server.config import ServerConfig
from stele.server.protocol import JoiningProtocol
from stele.server.telemetry import set_up_logging

__all__ = ["serve", "worker_app"]

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
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # who asked what is told by the access log
    listening = _listen(config.host, config.port)
    if config.workers == 1:
        app = create_app(config)
        _spare_the_collector()
        started()
        asyncio.run(_serve_here(uvicorn.Config(app, **_OPTIONS), listening))
        return
    # Workers are new processes that import this module; they find their options in the environment.
    os.environ[_CONFIG_VARIABLE] = msgspec.json.encode(config).decode()
    create_app(config).store.close()  # make the schema once, and report a bad configuration here
    started()
    options = uvicorn.Config("stele.server.run:worker_app", factory=True, workers=config.workers, **_OPTIONS)
    Multiprocess(options, [listening]).run()


_OPTIONS: dict[str, Any] = {
    "http": JoiningProtocol,
    "loop": "asyncio",
    "ws": "none",
    "lifespan": "on",
    "log_config": None,
    "access_log": False,
    "proxy_headers": False,  # nothing here depends on the client's address, so nobody may claim one
    "server_header": False,
    "timeout_graceful_shutdown": _DRAIN_SECONDS,
}


def worker_app() -> App:
    """The application of one worker process."""
    config = msgspec.json.decode(os.environ[_CONFIG_VARIABLE], type=ServerConfig)
    set_up_logging(config.log_format)
    app = create_app(config)
    _spare_the_collector()
    return app


def _spare_the_collector() -> None:
    """Keep what lives as long as the server out of the garbage collector's way: a full pass over it takes 10 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol said, asyncio turns Nagle's algorithm off, which would hold every answer back for 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
    except OSError as e:
        listening.close()
        raise Unavailable(f"Cannot listen on {host}:{port}: {e.strerror or e}.") from e
    listening.set_inheritable(True)
    return listening


class _Server(uvicorn.Server):
    """A server that ends with code 0 after a signal: its own way passes the signal on and dies of it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal, drop what is still being answered at the second."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve_here(options: uvicorn.Config, listening: socket.socket) -> None:
    await _Server(options).serve([listening])
