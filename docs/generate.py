"""Writes what follows from the code: the reference pages, and the description of the wire that the page's types are of.

``--check`` says whether any of it is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from stele import settings
from stele.cli import stele as command_line
from stele.schema.routes import ROUTES, addresses
from stele.server.openapi import openapi_document

ROOT = Path(__file__).parents[1]
NOTE = "<!-- Written by docs/generate.py from the code; run `make generate` after a change. -->\n"


def settings_page() -> Iterator[str]:
    """Every environment variable."""
    yield "# Settings\n"
    yield (
        "Stele reads these environment variables. An argument in code or on the command line comes first, then the "
        "variable, then its MLflow twin, then the default. A variable is read each time it is needed.\n"
    )
    yield "| Variable | Twin | Default | Meaning |\n|---|---|---|---|"
    for item in settings.SETTINGS:
        twin = f"`{item.twin}`" if item.twin else ""
        default = "" if item.default in ("", None) else f"`{item.default}`"
        yield f"| `{item.name}` | {twin} | {default} | {item.help} |"


def routes_page() -> Iterator[str]:
    """Every operation of the wire."""
    yield "# Routes\n"
    yield (
        "Every operation with its address and the permission that it needs. Each address below `/api` exists below "
        "`/ajax-api` too. A running server describes the messages at `/api/openapi.json` (OpenAPI 3.1).\n"
    )
    yield "| Method | Address | Operation | Permission |\n|---|---|---|---|"
    for route in ROUTES:
        yield f"| {route.method} | `{addresses(route)[0]}` | `{route.operation}` | `{route.permission}` |"


def command_page() -> Iterator[str]:
    """Every command with its options, as its help shows them."""
    yield "# Command line\n"
    yield "Every command explains itself with `--help`; this page holds the same texts.\n"
    yield from _command(command_line, click.Context(command_line, info_name="stele"), 2)


def _command(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    context.terminal_width = context.max_content_width = 100
    yield f"{'#' * level} {context.command_path}\n"
    yield f"```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child: Any = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _command(child, click.Context(child, info_name=name, parent=context), min(level + 1, 4))


def wire() -> str:
    """The OpenAPI document, one value a line."""
    return msgspec.json.format(openapi_document(), indent=2).decode() + "\n"


def page(lines: Callable[[], Iterator[str]]) -> Callable[[], str]:
    """The text of a reference page."""
    return lambda: NOTE + "\n".join(lines()).rstrip() + "\n"


FILES: dict[str, Callable[[], str]] = {
    "docs/reference/settings.md": page(settings_page),
    "docs/reference/routes.md": page(routes_page),
    "docs/reference/cli.md": page(command_page),
    "ui/openapi.json": wire,
}


def main() -> None:
    """Write the files, or compare them with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    check = parser.parse_args().check
    stale = []
    for name, make in FILES.items():
        text = make()
        path = ROOT / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
    if check and stale:
        sys.exit(f"Stale: {', '.join(stale)}. Run: make generate")


if __name__ == "__main__":
    main()
