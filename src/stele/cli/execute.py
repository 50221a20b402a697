"""``stele exec``: a program that imports mlflow runs with Stele instead, and so does every program that it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from stele.cli.teaching import Command

__all__ = ["execute"]

_SHIM = Path(__file__).parent / "shim_path"
"""Holds a package ``mlflow`` that is Stele; nothing else, so that nothing else is shadowed."""

_NOT_FOUND = 127


@click.command("exec", cls=Command, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND [ARGUMENTS]...")
def execute(command: Sequence[str]) -> None:
    r"""Run a program with `import mlflow` answered by Stele, in it and in every Python that it starts.

    Stele has to be installed for the Python that runs. What Stele does not have yet raises an error that says so.

    \b
    stele exec -- python train.py --epochs 3
    stele --tracking-uri http://localhost:5000 exec -- torchrun train.py
    """
    words = list(command)
    if shutil.which(words[0]) is None:
        hint = f" To run the file: stele exec -- python {words[0]}" if Path(words[0]).is_file() else ""
        click.echo(f"Error: There is no program {words[0]!r}.{hint}", err=True)
        sys.exit(_NOT_FOUND)
    environment = os.environ | {"PYTHONPATH": _search_path(os.environ.get("PYTHONPATH", ""))}
    if os.name == "nt":  # where exec would return to the shell before the program has ended
        sys.exit(subprocess.run(words, env=environment, check=False).returncode)  # noqa: S603 - no shell
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(words[0], words, environment)  # noqa: S606 - no shell, and the program is the user's


def _search_path(before: str) -> str:
    """The path with the shim first, once."""
    shim = str(_SHIM)
    return os.pathsep.join([shim, *(part for part in before.split(os.pathsep) if part and part != shim)])
