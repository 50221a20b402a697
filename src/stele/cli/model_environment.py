"""Running a command about a model in the environment of the model, and ``stele models prepare-env``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from stele.cli.model_options import env_manager_option, model_option, trust_option
from stele.cli.output import json_option, note, show_json
from stele.cli.teaching import Command
from stele.serving.environments import EnvManager, environment_of, require_manager

__all__ = ["prepare_env", "run_in_environment"]


@click.command("prepare-env", cls=Command)
@model_option
@env_manager_option("virtualenv")
@trust_option
@json_option
def prepare_env(model_uri: str, env_manager: str, trust: bool, as_json: bool) -> None:
    r"""Make the environment of a model, or find the one that is there.

    It is made once for each set of requirements, and kept in the cache directory (STELE_ENVIRONMENTS_DIR). Prints its
    interpreter.

    \b
    stele models prepare-env -m models:/fraud/3 --env-manager uv
    """
    python = environment_of(model_uri, require_manager(env_manager), trust=trust)
    if as_json:
        show_json({"python": str(python)})
    else:
        note("The environment is ready. Its interpreter:")
        click.echo(str(python))


def run_in_environment(context: click.Context, manager: EnvManager, model_uri: str, *, trust: bool) -> None:
    """Run the command of a context once more, by the interpreter of the model's environment, and end with its code."""
    python = environment_of(model_uri, manager, trust=trust)
    command = [str(python), "-m", "stele.cli", *_path(context), *_arguments(context, {"env_manager": "local"})]
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606 - a list, no shell
    context.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - a list, no shell


def _path(context: click.Context) -> list[str]:
    """The names of a command and of the groups above it, without the program's."""
    names: list[str] = []
    at: click.Context | None = context
    while at is not None and at.parent is not None:
        names.insert(0, str(at.info_name))
        at = at.parent
    return names


def _arguments(context: click.Context, replaced: Mapping[str, Any]) -> list[str]:
    """The options of a command as they would be typed."""
    arguments: list[str] = []
    for option in context.command.params:
        if not isinstance(option, click.Option) or option.name is None or option.name not in context.params:
            continue
        value = replaced.get(option.name, context.params[option.name])
        if option.is_flag:
            arguments += [option.opts[0]] if value else []
        elif option.multiple:
            arguments += [part for each in value for part in (option.opts[0], str(each))]
        elif value not in (None, ""):
            arguments += [option.opts[0], str(Path(value).absolute()) if isinstance(value, Path) else str(value)]
    return arguments
