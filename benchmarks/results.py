"""The table of results, on the screen and in ``RESULTS.md``."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

__all__ = ["Limit", "Row", "show", "write"]

RESULTS = Path(__file__).with_name("RESULTS.md")

_PACKAGES = ("stele", "sqlalchemy", "numpy", "pcodec", "msgspec", "protobuf", "uvicorn")


class Limit(NamedTuple):
    """What one could hope for, in the unit of the row, and what that was measured with."""

    figure: float
    what: str


class Row(NamedTuple):
    """One figure.

    Of a unit that ends in ``/s`` more is better, of every other one less. ``ours`` is None where it could not be
    measured, which ``what`` then explains. ``theirs`` is None where MLflow cannot do it or was not asked, infinite
    where it was stopped after the time limit. ``target`` is for ``p95`` where there is one.
    """

    what: str
    unit: str
    ours: float | None
    theirs: float | None = None
    target: float | None = None
    p95: float | None = None
    limit: Limit | None = None

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith("/s")

    @property
    def ratio(self) -> str:
        """How many times better ours is than MLflow's."""
        if self.theirs == float("inf"):
            return "not finished"
        if not self.theirs or not self.ours:
            return "-"
        better = self.ours / self.theirs if self.is_rate else self.theirs / self.ours
        return f"{better:.3g}x"

    @property
    def is_met(self) -> bool | None:
        """Whether the figure is as good as its target; None where there is no target, or no figure."""
        figure = self.ours if self.p95 is None else self.p95
        if self.target is None or figure is None:
            return None
        return figure >= self.target if self.is_rate else figure <= self.target

    def cells(self) -> list[str]:
        """The row as text."""
        return [
            self.what,
            self.unit,
            _shown(self.ours),
            "" if self.p95 is None else _shown(self.p95),
            "stopped" if self.theirs == float("inf") else _shown(self.theirs),
            self.ratio,
            self._target(),
            "" if self.limit is None else f"{_shown(self.limit.figure)} ({self.limit.what})",
        ]

    def _target(self) -> str:
        if self.target is None:
            return ""
        verdict = {True: " met", False: " MISSED", None: ""}[self.is_met]
        return f"{'≥' if self.is_rate else '≤'} {_shown(self.target)}{verdict}"


def _shown(figure: float | None) -> str:
    """A number with four digits, or all that stand before the point."""
    if figure is None:
        return "-"
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.4g}"


COLUMNS = ["what", "unit", "Stele", "p95", "MLflow", "ratio", "target", "limit of the machine"]
_TEXTS = ("what", "unit", "limit of the machine")


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(title="Stele beside MLflow", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in _TEXTS else "right")
    for row in rows:
        table.add_row(*row.cells())
    # What goes to a file or a pipe is as wide as the table needs.
    Console(width=None if sys.stdout.isatty() else 220).print(table)


def write(rows: Sequence[Row], command: str) -> None:
    """Write ``RESULTS.md``."""
    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}"
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    lines = [
        "# Results",
        "",
        f"`{command}` on {datetime.now(UTC):%Y-%m-%d}: {machine}, Python {sys.version.split()[0]}, "
        f"SQLite {sqlite3.sqlite_version}, {versions}, MLflow 3.17.2.",
        "Medians; both sides measured in the same run. The machine is shared, so figures wobble by 10 to 40 %.",
        "[How each row is measured](../docs/reference/benchmarks.md).",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(f"| {' | '.join(row.cells())} |" for row in rows),
        "",
    ]
    RESULTS.write_text("\n".join(lines))
