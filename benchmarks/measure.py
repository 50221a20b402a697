"""Clocks, processes and the table of results."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

__all__ = ["Row", "median_ms", "resident_megabytes", "run_python", "show", "write"]

RESULTS = Path(__file__).with_name("RESULTS.md")


class Row(NamedTuple):
    """One figure. ``theirs`` is None where MLflow cannot do it, infinite where it was stopped after the time limit."""

    what: str
    unit: str
    ours: float
    theirs: float | None
    target: float | None = None

    @property
    def ratio(self) -> str:
        """How many times MLflow's figure is ours."""
        if self.theirs is None:
            return "-"
        if self.theirs == float("inf"):
            return "not finished"
        return f"{self.theirs / self.ours:.3g}x" if self.ours else "-"

    def cells(self) -> list[str]:
        """The row as text."""
        theirs = "-" if self.theirs is None else "stopped" if self.theirs == float("inf") else f"{self.theirs:,.4g}"
        target = "" if self.target is None else f"{self.target:g} {'met' if self.ours <= self.target else 'MISSED'}"
        return [self.what, self.unit, f"{self.ours:,.4g}", theirs, self.ratio, target]


COLUMNS = ["what", "unit", "Stele", "MLflow", "ratio", "at most"]


def median_ms(call: Callable[[], object], rounds: int, *, warm: int = 1) -> float:
    """Median milliseconds of a call."""
    for _ in range(warm):
        call()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def run_python(python: Path | str, code: str, *arguments: str) -> str:
    """What a program prints."""
    # With bytecode, as users have it; some shells forbid to write it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [str(python), "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def resident_megabytes(pid: int) -> float:
    """Memory of a process and its children, in MB."""
    process = psutil.Process(pid)
    return sum(part.memory_info().rss for part in [process, *process.children(recursive=True)]) / 1e6


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(title="Stele beside MLflow", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("what", "unit") else "right")
    for row in rows:
        table.add_row(*row.cells())
    Console().print(table)


def write(rows: Sequence[Row], command: str) -> None:
    """Write ``RESULTS.md``."""
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("stele", "sqlalchemy", "numpy", "msgspec", "uvicorn"))
    lines = [
        "# Results",
        "",
        f"`{command}` on {datetime.now(UTC):%Y-%m-%d}: {machine}, Python {sys.version.split()[0]}, {versions}, "
        "MLflow 3.17.2.",
        "Medians; both sides measured in the same run. The machine is shared, so figures wobble by 10 to 40 %.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(f"| {' | '.join(row.cells())} |" for row in rows),
        "",
    ]
    RESULTS.write_text("\n".join(lines))
