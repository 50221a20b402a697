"""The pages of the documentation, and how what they show is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["DOCS", "EXAMPLES", "FENCES", "PAGES", "ROOT", "printed", "run", "run_example"]

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
GENERATED = {"settings.md", "routes.md", "cli.md"}
MARK = re.compile(r"--8<-- \[(start|end):\w+\]")
SUBPROCESS_SECONDS = 180


class Fence(NamedTuple):
    """A block of code in a page."""

    page: str
    language: str
    options: str
    text: str


def fences() -> Iterator[Fence]:
    """Every block of every page that somebody wrote."""
    pattern = re.compile(r"^( *)```(?!`)([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
    for page in PAGES:
        if page.name not in GENERATED:
            for indent, info, text in pattern.findall(page.read_text(encoding="utf-8")):
                language, _, options = info.strip("{}").removeprefix(".").partition(" ")
                lines = [line.removeprefix(indent) for line in text.splitlines()]
                yield Fence(page.relative_to(DOCS).as_posix(), language, options, "\n".join(lines))


FENCES = list(fences())


def run_example(name: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run an example in a directory, with the other examples beside it."""
    for path in EXAMPLES.glob("*.py"):
        (directory / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return run([sys.executable, f"{name}.py"], directory, **variables)


def run(command: list[str], directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command where Stele is importable, and wait for it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STELE_", "MLFLOW_"))}
    return subprocess.run(
        command,
        cwd=directory,
        env={
            **kept,
            "PYTHONPATH": str(ROOT / "src"),
            "MPLBACKEND": "agg",
            "STELE_JOURNAL_DIR": str(directory / "journal"),
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=SUBPROCESS_SECONDS,
        check=False,
    )


def printed(name: str, done: subprocess.CompletedProcess[str]) -> str:
    """What an example printed; it must be what the pages say that it prints."""
    assert done.returncode == 0, done.stderr
    expected = EXAMPLES / f"{name}.txt"
    if expected.exists():
        lines = expected.read_text(encoding="utf-8").splitlines()
        assert done.stdout.splitlines() == [line for line in lines if not MARK.search(line)]
    return done.stdout
