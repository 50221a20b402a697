"""The commands that the documentation shows are understood, and run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from doc_pages import FENCES, printed, run, run_example

import stele
from servers import STELE
from stele.cli import stele as command_line


def shell_commands() -> list[tuple[str, list[str]]]:
    """The commands of Stele in the pages: where they stand, and their words behind ``stele``."""
    found = []
    for fence in FENCES:
        if fence.language not in ("sh", "bash", "ini"):
            continue
        text = re.sub(r"^ExecStart=\S*/", "", fence.text, flags=re.MULTILINE).replace("\\\n", " ")
        for line in text.splitlines():
            words: list[str] = []
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            for word in [*lexer, ";"]:
                if set(word) <= set(";|&<>()"):
                    while words and re.fullmatch(r"\w+=.*", words[0]):
                        words.pop(0)
                    if words and words[0] == "stele":
                        found.append((fence.page, words[1:]))
                    words = []
                else:
                    words.append(word)
    return found


COMMANDS = shell_commands()


def parse(group: click.Command, words: list[str], name: str, parent: click.Context | None) -> None:
    """Let click understand a command line, without doing anything."""
    try:
        context = group.make_context(name, list(words), parent=parent)
    except click.exceptions.Exit:  # --help, --version
        return
    if isinstance(group, click.Group):
        with context:
            rest = [*context._protected_args, *context.args]
            child_name, child, child_words = group.resolve_command(context, rest)
            assert child is not None
            parse(child, child_words, child_name or "", context)


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[f"{page}: {' '.join(words)}" for page, words in COMMANDS])
def test_command_is_understood(page, words):
    Path("report.html").touch()  # click looks whether files are there
    try:
        parse(command_line, words, "stele", None)
    except click.UsageError as error:
        pytest.fail(f"{page}: stele {' '.join(words)}: {error.format_message()}")


def test_the_pages_show_every_command():
    shown = {words[0] for _, words in COMMANDS if words and not words[0].startswith("-")}
    assert shown == set(command_line.list_commands(click.Context(command_line)))


def test_the_commands_of_the_tutorial_run(workplace):
    printed("train", run_example("train", workplace))
    printed("sweep", run_example("sweep", workplace))
    first, second = (
        stele.search_runs(experiment_names=["line"], filter_string=f"run_name = '{name}'", output_format="list")[0]
        for name in ("first try", "lr=1.0 epochs=50")
    )
    ids = {"1f0c2a9d": first.info.run_id[:8], "77ab01e4": second.info.run_id[:8]}
    commands = [words for page, words in COMMANDS if page in ("tutorial/first-run.md", "tutorial/compare-runs.md")]
    assert len(commands) >= 10
    for words in commands:
        done = run([*STELE, *(ids.get(word, word) for word in words)], workplace)
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout or "--output" in words, words
    assert (workplace / "copies/formula.txt").exists()
    assert (workplace / "runs.csv").read_text().count("\n") == 15


def test_the_commands_that_empty_the_trash_run(workplace):
    printed("clean_up", run_example("clean_up", workplace))
    stele.delete_experiment(stele.get_experiment_by_name("trials").experiment_id)
    commands = [words for page, words in COMMANDS if words[0] == "gc" and "--artifacts-destination" not in words]
    assert commands
    for words in commands:
        done = run([*STELE, *words, *(() if "--dry-run" in words else ("--yes",))], workplace)
        assert done.returncode == 0, (words, done.stderr)
    assert stele.get_experiment_by_name("trials") is not None  # not old enough
