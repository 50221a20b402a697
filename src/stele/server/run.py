"""Running a tracking server: one process in this one's event loop, or several worker processes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import msgspec

from stele.collector import spare_the_collector
from stele.server.app import App, create_app
from stele.server.config import ServerConfig
from stele.server.listening import listen, run_here, run_workers
from stele.server.log_lines import set_up_logging

__all__ = ["serve", "worker_app"]

_CONFIG_VARIABLE = "_STELE_SERVER_CONFIG"


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
    listening = listen(config.host, config.port)
    if config.workers == 1:
        app = create_app(config)
        started()
        run_here(app, listening)
        return
    # Workers are new processes that import this module; they find their options in the environment.
    os.environ[_CONFIG_VARIABLE] = msgspec.json.encode(config).decode()
    create_app(config).store.close()  # make the schema once, and report a bad configuration here
    started()
    run_workers("stele.server.run:worker_app", config.workers, listening)


def worker_app() -> App:
    """The application of one worker process."""
    config = msgspec.json.decode(os.environ[_CONFIG_VARIABLE], type=ServerConfig)
    set_up_logging(config.log_format)
    app = create_app(config)
    spare_the_collector()
    return app
