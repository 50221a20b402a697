"""``stele models inspect``."""

from __future__ import annotations

import click

from stele.cli.output import Column, heading, json_option, show_facts, show_json, show_table
from stele.cli.teaching import Command
from stele.models.inspection import Inspection, inspect

__all__ = ["inspect_model"]

_COLUMNS = [Column("File"), Column("Format"), Column("Runs code"), Column("Imports and calls"), Column("Remark")]


@click.command("inspect", cls=Command)
@click.argument("uri")
@json_option
def inspect_model(uri: str, as_json: bool) -> None:
    r"""Show what a model would import and run when it is loaded, without loading it.

    Nothing of the model is imported or run for it. URI is a directory, or an address such as models:/fraud@champion.

    \b
    stele models inspect ./model
    stele models inspect models:/m-0a1b... --json
    """
    found = inspect(uri)
    if as_json:
        show_json(found)
        return
    show_facts(
        {
            "Model": found.uri,
            "Flavors": ", ".join(found.flavors),
            "Loading": _verdict(found),
            "Digest": found.digest,
            "Recorded": found.recorded_digest or "nothing",
        }
    )
    heading("Files that are loaded")
    rows = [
        [each.file, each.format, "yes" if each.runs_code else "no", ", ".join(each.names), each.remark]
        for each in found.findings
    ]
    show_table(_COLUMNS, rows, optional=1)
    for problem in found.problems:
        click.echo(f"Not looked into: {problem}")


def _verdict(found: Inspection) -> str:
    if not found.loads:
        return f"refused: {found.reason}"
    if not found.runs_code:
        return "allowed: no file can run code"
    return "allowed with a warning: it can run code" if found.warns else "allowed: it can run code, and is trusted"
