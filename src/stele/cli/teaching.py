r"""Commands whose help keeps the lines of its examples as they are written.

Click wraps the paragraphs of a docstring unless a line with the character ``\b`` stands above them; a docstring with
backslashes has to be a raw one, so there the two characters ``\`` and ``b`` stand for it.
"""

from __future__ import annotations

from typing import Any

import click

__all__ = ["Command", "Group"]


def _kept_lines(settings: dict[str, Any]) -> dict[str, Any]:
    text = settings.get("help")
    return settings | {"help": text.replace("\\b\n", "\b\n")} if text else settings


class Command(click.Command):
    """A command."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **_kept_lines(settings))


class Group(click.Group):
    """A command with commands below it."""

    command_class = Command

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **_kept_lines(settings))
