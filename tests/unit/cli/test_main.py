"""The command line as a whole: what every command has in common."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from stele.cli import stele

NO_DATA = frozenset(
    "alias approve archive card comment completion csv delete download exec log log-artifact log-artifacts protect "
    "reject rename restore serve server stage ui upgrade withdraw".split()
)
"""Commands that do something, or print one line or a file."""


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below one, with the words that reach it."""
    if path:
        yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


ALL = dict(commands(stele))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_teaches_by_an_example_of_its_own(cli, path):
    text = cli(*path, "--help").stdout
    assert f"\n  stele {' '.join(path)}" in text or f"\n  source <(stele {' '.join(path)}" in text
    assert "\\b" not in text
    for parameter in ALL[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help or isinstance(parameter.type, click.Choice), parameter.name


@pytest.mark.parametrize(
    "path", [path for path, command in ALL.items() if not isinstance(command, click.Group)], ids=" ".join
)
def test_whatever_prints_data_prints_json(path):
    assert (path[-1] in NO_DATA) != any("--json" in parameter.opts for parameter in ALL[path].params)


def test_the_help_of_the_table_is_in_order(cli):
    text = cli("--help").stdout
    for path in ALL:
        assert len(path) > 1 or f"\n  {path[0]} " in text


def test_an_unknown_command_is_answered_with_the_nearest(cli):
    assert "Did you mean 'experiments'?" in cli("experiment", code=2).stderr
    assert "no command 'zzz'" in cli("zzz", code=2).stderr
    assert "no such option" in cli("--zzz", code=2).stderr.lower()


def test_version(cli):
    assert cli("--version").stdout.startswith("stele ")


@pytest.mark.parametrize("uri", ["nonsense://x", "file:///x", "sqlite:////dev/null/stele.db", "http://127.0.0.1:9"])
def test_a_store_that_cannot_be_used_is_one_line(uri, monkeypatch):
    monkeypatch.setenv("STELE_HTTP_RETRIES", "0")
    words = [sys.executable, "-m", "stele.cli", "--tracking-uri", uri, "runs", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_has_seen_enough_is_no_traceback(sweep):
    reader = "import sys; sys.stdin.readline()"
    command = f'"{sys.executable}" -m stele.cli runs list | "{sys.executable}" -c "{reader}"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_commands_say_what_they_do_in_their_first_line():
    for path, command in ALL.items():
        first = inspect.cleandoc(command.help or "").splitlines()[0]
        assert first[0].isupper(), path
