"""An ASGI application on a socket: in this process's event loop, or in several worker processes."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from stele.collector import spare_the_collector
from stele.errors import Unavailable
from stele.server.protocol import JoiningProtocol

__all__ = ["listen", "run_here", "run_workers"]

_DRAIN_SECONDS = 20

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


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to an address.

    Raises:
        Unavailable: The address is taken.
    """
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


def run_here(app: Callable[..., Any], listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; requests that were accepted are answered first."""
    spare_the_collector()
    asyncio.run(_Server(uvicorn.Config(app, **_OPTIONS)).serve([listening]))


def run_workers(factory: str, workers: int, listening: socket.socket) -> None:
    """Serve with several processes until SIGINT or SIGTERM.

    Args:
        factory: ``module:function`` that makes the application in each of them.
        workers: How many.
        listening: The socket that they share.
    """
    Multiprocess(uvicorn.Config(factory, factory=True, workers=workers, **_OPTIONS), [listening]).run()


class _Server(uvicorn.Server):
    """A server that ends with code 0 after a signal: its own way passes the signal on and dies of it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal, drop what is still being answered at the second."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
