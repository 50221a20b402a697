"""How the outcome of checks is shown: a mark, what was looked at, what was found."""

from __future__ import annotations

from collections.abc import Sequence

from stele.cli.output import say
from stele.cli.text import clean

__all__ = ["show_findings"]


def show_findings(findings: Sequence[tuple[str, bool, str]]) -> None:
    """Print checks as (name, whether it is in order, what was found)."""
    width = max((len(name) for name, _, _ in findings), default=0)
    for name, ok, detail in findings:
        say("ok  " if ok else "BAD ", f"{name:{width}}  {clean(detail)}", style="green" if ok else "bold red")
