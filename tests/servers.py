"""Real servers for tests: processes that listen on a free port of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

STELE = [sys.executable, "-m", "stele.cli"]
_START_SECONDS = 90.0


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """A server that was started for a test."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        folder: Path,
        programs: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """``programs`` is a directory in which the server looks for other programs first, ``settings`` go by name."""
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"server-{port}.log"
        self._output = self.log.open("w")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("STELE_", "MLFLOW_"))}
        environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment |= dict(settings or {})
        if programs:
            environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=self._output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )

    def wait_until_healthy(self) -> None:
        """Return when the server answers; raise when it ends or does not answer within 90 seconds."""
        pause = threading.Event()
        for _ in range(int(_START_SECONDS / 0.05)):
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()}")
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pause.wait(0.05)
        raise AssertionError(f"the server does not answer:\n{self.log.read_text()}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the server and its children, and wait for the end; returns the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        code = self.process.wait(timeout=60)
        self._output.close()
        return code


@contextmanager
def stele_server(
    folder: Path,
    *options: str,
    store: str = "sqlite:///stele.db",
    port: int = 0,
    prefix: str = "",
    settings: Mapping[str, str] | None = None,
) -> Iterator[ServerProcess]:
    """A Stele server with its files in ``folder``; on a free port, unless one is given."""
    port = port or free_port()
    command = [*STELE, "server", "--port", str(port), "--backend-store-uri", store, *options]
    command = [*command, "--static-prefix", prefix] if prefix else command
    server = ServerProcess(command, port, folder, settings=settings)
    server.url += prefix
    try:
        server.wait_until_healthy()
        yield server
    finally:
        server.stop()


@contextmanager
def mlflow_server(python: Path, folder: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """A real MLflow server from the virtual environment of ``python``."""
    port = free_port()
    command = [str(python.parent / "mlflow"), "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "./files"]
    server = ServerProcess(command, port, folder, settings=settings)
    try:
        server.wait_until_healthy()
        yield server
    finally:
        server.stop()
