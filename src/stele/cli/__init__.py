"""The command line. Each command lives in a module of its own, imported when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from stele.errors import SteleError

__all__ = ["main"]

_COMMANDS: dict[str, tuple[str, str]] = {
    "server": ("stele.cli.server:server", "Serve a store over HTTP."),
    "ui": ("stele.cli.server:ui", "Serve the local store on this machine."),
}
"""Command -> where it is, and the line that ``stele --help`` shows, so that help imports none of them."""


class _LazyGroup(click.Group):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stele", message="%(prog)s %(version)s")
def stele() -> None:
    """Track experiments, find runs, keep their files.

    Commands read STELE_TRACKING_URI (then MLFLOW_TRACKING_URI); without it they use ./stele.db.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run a command; an error of Stele is one line on standard error and exit code 1."""
    try:
        return stele.main(arguments, prog_name="stele")
    except SteleError as e:
        click.echo(f"Error: {e}", err=True)
        sys.exit(1)
