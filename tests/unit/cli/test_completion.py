"""Completion, asked the way the shells ask."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stele.client.client import Client

COMPLETE = "import os; os.environ['_STELE_COMPLETE'] = 'bash_complete'; from stele.cli import main; main()"


def offered(words: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a shell shows for a command line whose last word is being typed."""
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    done = subprocess.run([sys.executable, "-c", COMPLETE], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_commands_options_names_and_ids(sweep, monkeypatch):
    assert "experiments" in offered("stele e", monkeypatch)
    assert offered("stele runs des", monkeypatch) == ["describe"]
    assert "--order-by" in offered("stele runs list --o", monkeypatch)
    assert offered("stele runs list -n ch", monkeypatch) == ["churn"]
    assert offered("stele experiments get -x ", monkeypatch) == ["1", "0"]
    assert offered(f"stele runs describe {sweep[1][:5]}", monkeypatch) == [sweep[1]]
    assert sorted(offered("stele artifacts list -r ", monkeypatch)) == sorted(sweep)


def test_nothing_is_made_and_nothing_is_said_when_there_is_no_store(workplace, monkeypatch):
    assert offered("stele runs list -n x", monkeypatch) == []
    assert list(workplace.iterdir()) == []
    monkeypatch.setenv("STELE_TRACKING_URI", "http://127.0.0.1:9")
    assert offered("stele runs describe x", monkeypatch) == []
    monkeypatch.setenv("STELE_TRACKING_URI", "nonsense://x")
    assert offered("stele runs describe x", monkeypatch) == []


def test_commands_are_offered_without_loading_them():
    program = (
        "import sys, click; from stele.cli import stele\n"
        "found = stele.shell_complete(click.Context(stele), 'ru')\n"
        "assert [(item.value, bool(item.help)) for item in found] == [('runs', True)]\n"
        "assert 'stele.cli.runs' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(cli, shell):
    text = cli("completion", shell).stdout
    assert "_STELE_COMPLETE" in text
    assert "stele" in text
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_an_unknown_shell_is_refused(cli):
    cli("completion", "cmd", code=2)


def test_a_name_with_quotes_harms_nothing(workplace, monkeypatch):
    Client().create_experiment("it's; $(touch harm)")
    assert offered("stele runs list -n it", monkeypatch) == ["it's; $(touch harm)"]
    assert offered("stele runs describe it's", monkeypatch) == []
