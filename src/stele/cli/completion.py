"""``stele completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from stele.cli.output import is_terminal, note
from stele.cli.teaching import Command

__all__ = ["completion"]

_VARIABLE = "_STELE_COMPLETE"
_HOW = {
    "bash": "Add this line to ~/.bashrc:\n  source <(stele completion bash)",
    "zsh": "Add this line to ~/.zshrc, below compinit:\n  source <(stele completion zsh)",
    "fish": "Run this once:\n  stele completion fish > ~/.config/fish/completions/stele.fish",
}


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(sorted(_HOW)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    r"""Print what makes a shell complete commands, options, names of experiments and ids of runs.

    \b
    source <(stele completion bash)
    source <(stele completion zsh)
    stele completion fish > ~/.config/fish/completions/stele.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click completes these shells"
    click.echo(kind(ctx.find_root().command, {}, "stele", _VARIABLE).source())
    if is_terminal():
        note(_HOW[shell])
