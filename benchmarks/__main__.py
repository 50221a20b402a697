"""``make bench`` and ``make bench-full``."""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from rich.console import Console

from benchmarks.measure import Row, show, write
from benchmarks.search import search_rows
from benchmarks.start import import_rows, install_rows, server_rows
from benchmarks.writes import write_rows
from compat.environments import MLFLOW, python_with


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Measure everything, print the table, write ``RESULTS.md``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Stele beside MLflow.")
    parser.add_argument("--full", action="store_true", help="search 100 000 runs instead of 10 000")
    parser.add_argument("--only", choices=["import", "install", "server", "write", "search"], action="append")
    options = parser.parse_args()
    progress = Console(stderr=True)
    port = _free_port()
    theirs = python_with(MLFLOW)
    our_server = [sys.executable, "-m", "stele.cli", "server", "--port", str(port)]
    their_server = [str(theirs.parent / "mlflow"), "server", "--port", str(port), "--workers", "1"]
    their_server += ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "./files"]
    with tempfile.TemporaryDirectory() as folder:
        parts = {
            "import": lambda: import_rows(theirs),
            "install": lambda: install_rows(theirs),
            "server": lambda: server_rows(our_server, their_server, port),
            "write": lambda: write_rows(our_server, their_server, port),
            "search": lambda: search_rows(theirs, Path(folder), 100_000 if options.full else 10_000),
        }
        rows: list[Row] = []
        for name, part in parts.items():
            if not options.only or name in options.only:
                progress.print(f"measuring {name} ...")
                rows += part()
    show(rows)
    if not options.only:
        write(rows, "make bench-full" if options.full else "make bench")


if __name__ == "__main__":
    main()
