"""The two servers, as a user starts them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = ["Server", "free_port", "mlflow_scoring", "mlflow_server", "stele_scoring", "stele_server"]


class Server(NamedTuple):
    """A server that answers."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def stele_server(folder: Path, uri: str = "sqlite:///stele.db") -> Iterator[Server]:
    """A Stele server with its files in ``folder``, from its first answer on."""
    port = free_port()
    command = [sys.executable, "-m", "stele.cli", "server", "--port", str(port), "--backend-store-uri", uri]
    with _running(command, port, folder) as server:
        yield server


@contextmanager
def mlflow_server(theirs: Path, folder: Path, uri: str = "sqlite:///mlflow.db", **environment: str) -> Iterator[Server]:
    """A server of MLflow with one process for requests, as ours has; more variables of its environment by name."""
    port = free_port()
    command = [str(theirs.parent / "mlflow"), "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", uri, "--artifacts-destination", "./files"]
    with _running(command, port, folder, environment) as server:
        yield server


@contextmanager
def stele_scoring(model: Path, folder: Path) -> Iterator[Server]:
    """Stele serving a model in this environment, from its first answer on."""
    port = free_port()
    command = [sys.executable, "-m", "stele.cli", "models", "serve", "-m", str(model), "-p", str(port)]
    with _running([*command, "--log-format", "off"], port, folder) as server:
        yield server


@contextmanager
def mlflow_scoring(theirs: Path, model: Path, folder: Path) -> Iterator[Server]:
    """MLflow serving a model in its environment, with one process for requests."""
    port = free_port()
    command = [str(theirs.parent / "mlflow"), "models", "serve", "-m", str(model), "-p", str(port), "--env-manager"]
    programs = f"{theirs.parent}{os.pathsep}{os.environ['PATH']}"  # where it looks for gunicorn and the like
    with _running([*command, "local", "--workers", "1"], port, folder, {"PATH": programs}) as server:
        yield server


@contextmanager
def _running(command: list[str], port: int, folder: Path, more: Mapping[str, str] = {}) -> Iterator[Server]:
    """``more`` is added to the environment."""
    silent = subprocess.DEVNULL
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"} | more
    process = subprocess.Popen(command, cwd=folder, stdout=silent, stderr=silent, env=environment)
    try:
        _wait_for(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when a server answers."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise RuntimeError(f"the server ended with {process.returncode}")
