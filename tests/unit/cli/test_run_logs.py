"""``stele runs logs``."""

from __future__ import annotations

import pytest

from stele.cli import run_logs
from stele.client.client import Client


@pytest.fixture
def run_id():
    """A run that goes on and whose console has two parts, the first of which ends within a progress bar."""
    client = Client()
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "begun\n 10 %", "logs/console/000001.log")
    client.log_text(run_id, "\r 90 %\n\x1b[32mdöne\x1b[0m\n", "logs/console/000002.log")
    return run_id


def test_it_prints_what_the_run_printed(cli, run_id):
    assert cli("runs", "logs", run_id).stdout == "begun\n 90 %\ndöne\n"
    assert cli("runs", "logs", run_id[:8], color=True).stdout == "begun\n 90 %\n\x1b[32mdöne\x1b[0m\n"


@pytest.mark.parametrize(
    ("count", "printed"), [(0, ""), (1, "döne\n"), (2, " 90 %\ndöne\n"), (9, "begun\n 90 %\ndöne\n")]
)
def test_the_last_lines(cli, cli_json, run_id, monkeypatch, count, printed):
    assert cli("runs", "logs", run_id, "-n", str(count)).stdout == printed
    monkeypatch.setattr(run_logs, "_BLOCK_BYTES", 3)
    assert cli_json("runs", "logs", run_id, "--lines", str(count))["lines"] == printed.splitlines()


def test_json(cli, cli_json, run_id):
    found = cli_json("runs", "logs", run_id)
    assert found == {"run_id": run_id, "path": "logs/console", "lines": ["begun", " 90 %", "döne"]}
    assert "leave out --json" in cli("runs", "logs", run_id, "--json", "--follow", code=2).stderr


def test_a_log_among_the_files(cli, run_id):
    Client().log_text(run_id, "one\r\ntwo\r\nthree", "logs/train.log")
    assert cli("runs", "logs", run_id, "--path", "logs/train.log").stdout == "one\ntwo\nthree\n"
    assert cli("runs", "logs", run_id, "--path", "logs/train.log", "--lines", "2").stdout == "two\nthree\n"
    assert "artifacts list" in cli("runs", "logs", run_id, "--path", "logs/none.log", code=1).stderr
    assert "artifacts list" in cli("runs", "logs", run_id, "--path", "logs", code=1).stderr


def test_what_a_run_printed_does_not_steer_a_terminal(cli, run_id):
    client = Client()
    hostile = "a\x1b]52;c;c2VjcmV0\x07b\x1b[2Jc\x9b31md\x07\x1bce\x00\x1b]0;t\n".encode() + b"\xff\xc3\n"
    client.repository(run_id).write("hostile.log", [hostile])
    printed = cli("runs", "logs", run_id, "--path", "hostile.log", color=True).stdout
    assert printed == "abc31mde]0;t\n\ufffd\ufffd\n"


class Passing:
    """The pauses of a command that follows: in each the next thing happens."""

    def __init__(self, *happenings):
        self.happenings = list(happenings)

    def __call__(self, seconds):
        assert seconds > 0
        self.happenings.pop(0)()


@pytest.mark.parametrize(
    ("options", "first"), [((), "begun\n 90 %\ndöne\n"), (("-n", "1"), "döne\n"), (("-n", "0"), "")]
)
def test_following_prints_what_comes_until_the_run_ends(cli, run_id, monkeypatch, options, first):
    client = Client()

    def end():
        client.log_text(run_id, "f\nlast", "logs/console/000004.log")
        client.set_terminated(run_id)

    passing = Passing(
        lambda: None, lambda: client.log_text(run_id, "new\nhal", "logs/console/000003.log"), lambda: None, end
    )
    monkeypatch.setattr(run_logs, "sleep", passing)
    assert cli("runs", "logs", run_id, "--follow", *options).stdout == f"{first}new\nhalf\nlast\n"
    assert passing.happenings == []


def test_following_a_file_that_is_logged_again_and_again(cli, run_id, monkeypatch):
    client = Client()
    client.log_text(run_id, "1\n", "train.log")
    passing = Passing(
        lambda: client.log_text(run_id, "1\n2\n", "train.log"),
        lambda: client.log_text(run_id, "3\n", "train.log"),
        lambda: client.set_terminated(run_id, "FAILED"),
    )
    monkeypatch.setattr(run_logs, "sleep", passing)
    assert cli("runs", "logs", run_id, "-f", "-p", "train.log").stdout == "1\n2\n3\n"


def test_a_terminal_sees_the_line_that_is_being_written(cli, run_id, monkeypatch):
    client = Client()

    def end():
        client.log_text(run_id, "\r99 %\n", "logs/console/000004.log")
        client.set_terminated(run_id)

    monkeypatch.setattr(run_logs, "is_terminal", lambda: True)
    monkeypatch.setattr(
        run_logs, "sleep", Passing(lambda: client.log_text(run_id, "10 %", "logs/console/000003.log"), end)
    )
    assert cli("runs", "logs", run_id, "-f", "-n", "0").stdout_bytes == b"10 %\r99 %\n"


def test_a_run_that_kept_nothing_says_how_it_would(cli):
    client = Client()
    run_id = client.create_run("0").info.run_id
    result = cli("runs", "logs", run_id)
    assert result.stdout == ""
    assert "log_console=True" in result.stderr
    assert "--path" not in result.stderr
    client.log_text(run_id, "", "train.log")
    client.log_text(run_id, "", "logs/a.log")
    assert "--path train.log (and 1 more)" in cli("runs", "logs", run_id).stderr
