"""How commands print: tables on a terminal, aligned plain text in a pipe, JSON on demand.

A cell is given as its value, and its column's kind says how it is written: a terminal gets ``3 min ago`` and
``1.2 MB``, a pipe the whole id, the time in UTC and the number of bytes. What a user wrote is never taken for markup.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec
from msgspec import Struct

from stele.cli import text
from stele.schema.codec import encode
from stele.schema.display import duration

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Column", "heading", "is_terminal", "json_option", "note", "say", "show_facts", "show_json", "show_table"]

Kind = Literal["text", "id", "status", "stage", "time", "span", "number", "change", "size"]
"""``time`` is in milliseconds since 1970, ``span`` in milliseconds, ``size`` in bytes; ``change`` is a difference."""

_RIGHT = ("span", "number", "change", "size")
_FIGURES = {"number": text.figure, "change": text.signed}
_STYLES = {
    "FINISHED": "green", "RUNNING": "cyan", "SCHEDULED": "cyan", "FAILED": "red", "KILLED": "yellow",
    "active": "green", "deleted": "red",
}  # fmt: skip
_WIDEST_CELL = 48
_GAP = 2

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Column(Struct, frozen=True):
    """A column: its title and what its values are."""

    title: str
    kind: Kind = "text"


def is_terminal() -> bool:
    """Whether a person reads what is printed."""
    return sys.stdout.isatty()


def show_json(value: object) -> None:
    """Print a Struct, a dictionary or a list as JSON; numbers that JSON lacks become the texts NaN and Infinity."""
    click.echo(msgspec.json.format(encode(value), indent=2).decode())


def note(message: str) -> None:
    """Say something about the output on standard error, where no program reads it as data."""
    click.echo(message, err=True)


def heading(title: str) -> None:
    """Begin a part of the output."""
    click.echo()
    say(text.clean(title), style="bold")


def show_table(
    columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, optional: int = 0, indent: int = 0
) -> list[str]:
    """Print a table.

    Args:
        columns: What the cells of a row are.
        rows: Values; None is an empty cell.
        optional: How many columns at the end may be left out on a terminal that is too narrow for them.
        indent: Columns of space in front.

    Returns:
        The titles of columns that were left out.
    """
    if not is_terminal():
        _show_plain(columns, rows, indent)
        return []
    cells = [_written(column, [row[i] for row in rows]) for i, column in enumerate(columns)]
    console = _console()
    kept = _fitting(columns, cells, console.width - indent, optional)
    _show_rich(console, columns[:kept], cells[:kept], indent)
    return [column.title for column in columns[kept:]]


def show_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values below each other; None and empty texts are left out."""
    shown = {name: str(value) for name, value in facts.items() if value not in (None, "")}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        say(f"{name:{width}}{' ' * _GAP}", text.clean(value), style="dim")


def say(styled: str, plain: str = "", *, style: str) -> None:
    """A line whose beginning has a style on a terminal."""
    if not is_terminal():
        click.echo(styled + plain)
        return
    from rich.text import Text

    _console().print(Text.assemble((styled, style), plain), soft_wrap=True)


def _console() -> Console:
    from rich.console import Console  # 25 ms that a pipe does not pay

    return Console(highlight=False, markup=False, emoji=False)


def _written(column: Column, values: list[Any]) -> list[str]:
    """The cells of a column as a person reads them."""
    if column.kind in _FIGURES:
        return text.aligned_figures(["" if value is None else _FIGURES[column.kind](value) for value in values])
    return ["" if value is None else _readable(column.kind, value) for value in values]


def _readable(kind: Kind, value: Any) -> str:
    if kind == "id":
        return text.short_id(value)
    if kind == "time":
        return text.ago(value)
    if kind == "span":
        return duration(value)
    if kind == "size":
        return text.size(value)
    return text.clean(str(value))


def _exact(kind: Kind, value: Any) -> str:
    """The cell as a program reads it."""
    if value is None or value == "":
        return "-"
    if kind == "time":
        return text.iso_time(value)
    if kind == "span":
        return f"{value / 1000:.3f}s"
    if kind == "change":
        return f"{value:+}"
    return text.clean(str(value))


def _show_plain(columns: Sequence[Column], rows: Sequence[Sequence[Any]], indent: int) -> None:
    written = [[column.title.upper().replace(" ", "_") for column in columns]]
    written += [[_exact(column.kind, value) for column, value in zip(columns, row, strict=True)] for row in rows]
    widths = [max(len(row[i]) for row in written) for i in range(len(columns))]
    for row in written:
        cells = [
            cell.rjust(width) if column.kind in _RIGHT else cell.ljust(width)
            for column, cell, width in zip(columns, row, widths, strict=True)
        ]
        click.echo(" " * indent + (" " * _GAP).join(cells).rstrip())


def _fitting(columns: Sequence[Column], cells: list[list[str]], width: int, optional: int) -> int:
    """How many columns fit side by side; those that are not optional always do."""
    from rich.cells import cell_len

    used = 0
    for i, (column, texts) in enumerate(zip(columns, cells, strict=True)):
        widest = max((cell_len(cell) for cell in texts), default=0)
        used += max(cell_len(column.title), min(widest, _WIDEST_CELL)) + _GAP
        if i >= len(columns) - optional and used - _GAP > width:
            return i
    return len(columns)


def _show_rich(console: Console, columns: Sequence[Column], cells: list[list[str]], indent: int) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            Text(column.title, justify="right" if column.kind in _RIGHT else "left"),
            # Figures come with the spaces that align their points; rich would strip them to justify.
            justify="right" if column.kind in ("span", "size") else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=None if column.kind in _RIGHT else _WIDEST_CELL,
        )
    for row in zip(*cells, strict=True):
        table.add_row(*(Text(cell, style=_style(column, cell)) for column, cell in zip(columns, row, strict=True)))
    console.print(Padding(table, (0, 0, 0, indent), expand=False))


def _style(column: Column, cell: str) -> str:
    if column.kind in ("status", "stage"):
        return _STYLES.get(cell, "")
    return {"id": "cyan", "time": "dim", "span": "dim"}.get(column.kind, "")
