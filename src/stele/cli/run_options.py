"""The options by which a command takes some of the runs."""

from __future__ import annotations

import click

from stele.cli import suggest
from stele.cli.finding import Decorator

__all__ = ["chosen_options"]


def chosen_options(experiments_help: str) -> Decorator:
    """``--experiment`` and ``--filter``, see :func:`~stele.cli.finding.chosen_experiments`."""
    experiments = click.option(
        "--experiment",
        "-e",
        "experiments",
        multiple=True,
        metavar="NAME",
        shell_complete=suggest.experiment_names,
        help=experiments_help,
    )
    condition = click.option(
        "--filter", "condition", default="", metavar="TEXT", help="Only runs such as: metrics.auc > 0.9"
    )
    return lambda command: experiments(condition(command))
