"""Options that the commands about models share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

__all__ = ["ENV_MANAGERS", "env_manager_option", "model_option", "trust_option"]

ENV_MANAGERS = ("local", "virtualenv", "uv")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

model_option: Decorator = click.option(
    "--model-uri",
    "-m",
    required=True,
    metavar="URI",
    help="A path, runs:/RUN/NAME, models:/NAME/VERSION, models:/NAME@ALIAS or models:/m-ID.",
)

trust_option: Decorator = click.option(
    "--trust", is_flag=True, help="Load it though its files may run code and no store vouches for them."
)


def env_manager_option(default: str) -> Decorator:
    """``--env-manager`` with a default."""
    return click.option(
        "--env-manager",
        type=click.Choice(ENV_MANAGERS),
        default=default,
        show_default=True,
        help="Where the model runs: here, or in an environment made from its requirements.",
    )
