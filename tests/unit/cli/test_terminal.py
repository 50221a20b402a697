"""What a person sees: commands on a pseudo-terminal of 100 columns."""

from __future__ import annotations

import os
import re
import sys

import pytest

from stele.cli import text
from stele.client.client import Client
from terminal import shown_on_terminal


def on_terminal(*arguments: str, columns: int = 100, **variables: str) -> str:
    """Everything that a command writes to a terminal."""
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm-256color"} | variables
    command = [sys.executable, "-m", "stele.cli", *arguments]
    return shown_on_terminal(command, whole=True, env=environment).decode()


def plain(shown: str) -> list[str]:
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]


def test_a_table_has_short_ids_relative_times_and_aligned_figures(sweep):
    client = Client()
    for i, run_id in enumerate(sweep):
        client.log_metric(run_id, "loss", (12.5, 0.04321, 1e-7, 100.0)[i])
    shown = on_terminal("runs", "list", "-x", "1", "--columns", "id,start_time,duration,metrics.loss,status")
    assert "\x1b[" in shown
    lines = plain(shown)
    assert lines[0].split() == ["Run", "Started", "Duration", "loss", "Status"]
    assert [line.split()[0] for line in lines[1:]] == [run_id[:8] for run_id in sweep[::-1]]
    assert sweep[0] not in shown
    points = [line.index("1e-07") + 1 if "1e-07" in line else line.index(figure) + len(figure.partition(".")[0])
              for line, figure in zip(lines[1:], ("100", "1e-07", "0.0432", "12.5"), strict=True)]  # fmt: skip
    assert len(set(points)) == 1
    assert "1.5 s" in lines[1]


def test_no_color_means_no_escape(sweep):
    for i in range(2):
        Client().log_text(sweep[i], f"+line {i}\n", "environment/git.diff")
    for words in (["runs", "list"], ["runs", "describe", sweep[0]], ["runs", "compare", *sweep[:2]], ["db", "check"]):
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]", on_terminal(*words, NO_COLOR="1")), words


def test_columns_that_do_not_fit_are_left_out_and_said(sweep):
    client = Client()
    for i in range(12):
        for j, run_id in enumerate(sweep):
            client.log_metric(run_id, f"metric_number_{i}", j / 3)
    lines = plain(on_terminal("runs", "list", "-x", "1"))
    assert all(len(line) <= 100 for line in lines)
    assert "more columns" in lines[-1]
    assert "metric_number_0" in lines[0]


def test_markup_in_a_name_is_not_taken_for_markup(workplace):
    Client().create_run("0", run_name="[red]not red[/red] :smile:", tags={"b": "[b]\x1b[31m"})
    shown = on_terminal("runs", "list", NO_COLOR="1")
    assert "[red]not red[/red] :smile:" in shown
    run_id = Client().search_runs(["0"])[0].info.run_id
    assert "[b]\\x1b[31m" in on_terminal("runs", "describe", run_id)


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (0, "just now"), (1_500, "1 s ago"), (90_000, "1 min ago"), (7_200_000, "2 h ago"), (3 * 86_400_000, "3 d ago"),
        (15 * 86_400_000, "2025-12-17"), (-60_000, "2026-01-01"),
    ],
)  # fmt: skip
def test_times(passed, expected):
    now = 1_767_225_600_000
    assert text.ago(now - passed, now) == expected


def test_times_that_no_calendar_has():
    assert text.iso_time(2**63 - 1) == f"{2**63 - 1} ms"
    assert text.ago(-(2**63), 0).startswith("-")


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"), (5 * 10**12, "5.0 TB")],
)
def test_sizes(count, expected):
    assert text.size(count) == expected


def test_figures_keep_five_digits():
    values = [1.0, 0.1 + 0.2, 123456.789, 1e-9, float("nan"), float("-inf"), 1e22]
    assert [text.figure(value) for value in values] == ["1", "0.3", "1.2346e+05", "1e-09", "NaN", "-inf", "1e+22"]
    assert text.signed(0.5) == "+0.5"
    assert text.signed(-0.5) == "-0.5"
