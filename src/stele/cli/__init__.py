"""The command line. Each command lives in a module of its own, imported when it is asked for."""

from __future__ import annotations

import errno
import os
from typing import Any

import click

from stele import settings
from stele.cli.lazy import LazyGroup
from stele.errors import SteleError

__all__ = ["main", "stele"]

_COMMANDS: dict[str, tuple[str, str]] = {
    "experiments": ("stele.cli.experiments:experiments", "List, search, make, rename, archive, delete experiments."),
    "runs": ("stele.cli.runs:runs", "List, describe, compare, delete and restore runs."),
    "export": ("stele.cli.export:export", "Write runs and their points as Parquet files."),
    "sql": ("stele.cli.sql:sql", "Ask runs and points with SQL."),
    "artifacts": ("stele.cli.artifacts:artifacts", "List, download and log the files of runs."),
    "models": ("stele.cli.models:models", "Look at models, serve them, predict for files, pack them."),
    "registry": ("stele.cli.registry:registry", "List, promote and explain registered models."),
    "server": ("stele.cli.server:server", "Serve a store over HTTP."),
    "tokens": ("stele.cli.tokens:tokens", "Make and revoke access tokens."),
    "ui": ("stele.cli.server:ui", "Serve the local store on this machine."),
    "exec": ("stele.cli.execute:execute", "Run a program that imports mlflow, unchanged, with Stele."),
    "sync": ("stele.cli.sync:sync", "Send what was logged offline or is left from processes that ended."),
    "journal": ("stele.cli.journal:journal", "Look at what is not in its store yet, or throw it away."),
    "gc": ("stele.cli.gc:gc", "Remove deleted runs for good, with their files."),
    "db": ("stele.cli.db:db", "Upgrade and check the database."),
    "config": ("stele.cli.config:config", "Show the settings in force."),
    "doctor": ("stele.cli.doctor:doctor", "Find out what is wrong with this installation."),
    "completion": ("stele.cli.completion:completion", "Complete commands, names and ids in your shell."),
}
"""Command -> where it is, and the line that ``stele --help`` shows, so that help imports none of them."""

_EXAMPLES = """\b
Examples:
  stele runs list --order-by 'metrics.auc DESC'
  stele --tracking-uri http://localhost:5000 experiments list
  stele COMMAND --help"""


class _Root(LazyGroup):
    """The group above all others."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of Stele or of the system is one message on standard error and exit code 1."""
        try:
            return super().invoke(ctx)
        except SteleError as e:
            raise click.ClickException(str(e)) from e
        except OSError as e:
            if e.errno == errno.EPIPE:  # the reader of a pipe has seen enough, as with `| head`
                raise
            raise click.ClickException(str(e)) from e


@click.command(
    cls=_Root,
    table=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXAMPLES,
)
@click.version_option(package_name="stele", message="%(prog)s %(version)s")
@click.option("--tracking-uri", metavar="URI", help="The store of this command, instead of STELE_TRACKING_URI.")
def stele(tracking_uri: str | None) -> None:
    """Track experiments, find runs, keep their files.

    Commands read STELE_TRACKING_URI (then MLFLOW_TRACKING_URI); without it they use ./stele.db. Terminals get tables,
    pipes get plain text with whole ids, and --json gives JSON.
    """
    if tracking_uri:
        os.environ[settings.TRACKING_URI.name] = tracking_uri  # for this process and those that `exec` starts


def main(arguments: list[str] | None = None) -> Any:
    """Run a command and end the process: 0 when it worked, 1 when it did not, 2 when it was not understood."""
    return stele.main(arguments, prog_name="stele")
