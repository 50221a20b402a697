"""``stele runs compare``: in what runs differ, down to their source code and their packages."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec
from msgspec import Struct, field

from stele.cli.output import Column, heading, say, show_table
from stele.cli.text import clean, short_id
from stele.client import tag_names as names
from stele.client.client import Client
from stele.errors import SteleError
from stele.schema.runs import Run

__all__ = ["Comparison", "compare_runs", "show_comparison"]

DIFF_FILE = "environment/git.diff"
PACKAGES_FILE = "environment/requirements.txt"
MACHINE_FILE = "environment/environment.json"

_CODE_TAGS = {
    "commit": names.GIT_COMMIT,
    "branch": names.GIT_BRANCH,
    "uncommitted changes": names.GIT_DIRTY,
    "repository": names.GIT_REPOSITORY,
    "program": names.SOURCE_NAME,
}
_MACHINE_TAGS = {"python": names.PYTHON_VERSION, "host": names.HOST, "gpus": names.GPU}
_OTHER_TAGS = {names.RUN_NAME, names.LOGGED_ARTIFACTS, names.LOGGED_IMAGES}
_MOST_DIFF_LINES = 4_000
_TITLE_CHARACTERS = 24

Values = dict[str, list[Any]]
"""One value per run, by name; None where a run has none."""


class Summary(Struct):
    """What a run is; times in milliseconds."""

    run_id: str
    run_name: str
    status: str
    start_time: int
    duration: int | None


class Comparison(Struct):
    """Runs side by side. ``changes`` and ``code_changes`` are against the first run.

    Attributes:
        runs: In the order of the command line.
        params: Values.
        metrics: Latest values.
        changes: By metric, the differences.
        tags: Values.
        code: Commit, branch and the like.
        code_changes: Per run, how its uncommitted changes differ: a unified diff of two diffs; None where nothing
            differs or nothing was recorded.
        environment: Python, machine and the like.
        packages: Versions.
    """

    runs: list[Summary]
    params: Values
    metrics: Values
    changes: Values = field(default_factory=dict)
    tags: Values = field(default_factory=dict)
    code: Values = field(default_factory=dict)
    code_changes: list[str | None] = field(default_factory=list)
    environment: Values = field(default_factory=dict)
    packages: Values = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        sections = (self.params, self.metrics, self.tags, self.code, self.environment, self.packages)
        return not any(sections) and not any(self.code_changes)


def compare_runs(client: Client, runs: Sequence[Run], *, everything: bool = False) -> Comparison:
    """Put runs side by side.

    Args:
        client: Where their files are.
        runs: Two or more.
        everything: Keep also what is the same.
    """
    files = [_Files(client, run) for run in runs]
    metrics = _side_by_side([run.data.metrics for run in runs], everything)
    tags = [run.data.tags for run in runs]
    machines = [_named(tag, _MACHINE_TAGS) | file.machine() for tag, file in zip(tags, files, strict=True)]
    return Comparison(
        runs=[_summary(run) for run in runs],
        params=_side_by_side([run.data.params for run in runs], everything),
        metrics=metrics,
        changes={key: _changes(values) for key, values in metrics.items()},
        tags=_side_by_side([_own(tag) for tag in tags], everything),
        code=_side_by_side([_named(tag, _CODE_TAGS) for tag in tags], everything, order=list(_CODE_TAGS)),
        code_changes=_code_changes(runs, [file.text(DIFF_FILE) for file in files]),
        environment=_side_by_side(machines, everything),
        packages=_side_by_side([file.packages() for file in files], everything),
    )


class _Files:
    """What was recorded about the environment of a run; nothing where it cannot be read."""

    def __init__(self, client: Client, run: Run) -> None:
        self._client = client
        self._run_id = run.info.run_id

    def text(self, path: str) -> str | None:
        try:
            return self._client.repository(self._run_id).open_read(path).read().decode("utf-8", "replace")
        except SteleError:
            return None

    def packages(self) -> dict[str, str]:
        lines = (self.text(PACKAGES_FILE) or "").splitlines()
        return {name: version for name, equals, version in (line.partition("==") for line in lines) if equals}

    def machine(self) -> dict[str, Any]:
        try:
            found = msgspec.json.decode(self.text(MACHINE_FILE) or "{}", type=dict[str, Any])
        except msgspec.MsgspecError:
            return {}
        plain = {
            name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in found.items()
        }
        return {name.replace("_", " "): value for name, value in plain.items() if value not in (None, "")}


def _summary(run: Run) -> Summary:
    info = run.info
    span = None if info.end_time is None else info.end_time - info.start_time
    return Summary(info.run_id, info.run_name, info.status, info.start_time, span)


def _named(tags: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, Any]:
    return {name: tags[tag] for name, tag in wanted.items() if tags.get(tag)}


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    elsewhere = {*_CODE_TAGS.values(), *_MACHINE_TAGS.values(), *_OTHER_TAGS}
    return {key: value for key, value in tags.items() if key not in elsewhere}


def _side_by_side(found: Sequence[Mapping[str, Any]], everything: bool, order: Sequence[str] | None = None) -> Values:
    keys = {key for values in found for key in values}
    rows = {key: [values.get(key) for values in found] for key in order or sorted(keys) if key in keys}
    return {key: values for key, values in rows.items() if everything or not _same(values)}


def _same(values: Sequence[Any]) -> bool:
    return all(value == values[0] or (value != value and values[0] != values[0]) for value in values)  # NaN is NaN


def _changes(values: Sequence[float | None]) -> list[float | None]:
    first = values[0]
    changes = [None if value is None or first is None else value - first for value in values[1:]]
    return [None, *(None if change is None or math.isnan(change) else change for change in changes)]


def _code_changes(runs: Sequence[Run], diffs: Sequence[str | None]) -> list[str | None]:
    first = diffs[0]
    if first is None:
        return [None for _ in runs]
    return [None, *(_diff_of_diffs(runs[0], first, run, diff) for run, diff in zip(runs[1:], diffs[1:], strict=True))]


def _diff_of_diffs(first: Run, before: str, run: Run, after: str | None) -> str | None:
    if after is None or after == before:
        return None
    old, new = before.splitlines(), after.splitlines()
    titles = f"{first.info.run_id}/{DIFF_FILE}", f"{run.info.run_id}/{DIFF_FILE}"
    if len(old) + len(new) > _MOST_DIFF_LINES:  # difflib would take minutes
        return (
            f"--- {titles[0]}\n+++ {titles[1]}\n{len(old)} and {len(new)} lines differ; download both to compare them."
        )
    return "\n".join(difflib.unified_diff(old, new, *titles, lineterm=""))


def show_comparison(comparison: Comparison) -> None:
    """Print what differs."""
    columns = [Column("Run", "id"), Column("Name"), Column("Status", "status"), Column("Started", "time")]
    columns.append(Column("Duration", "span"))
    show_table(
        columns, [[run.run_id, run.run_name, run.status, run.start_time, run.duration] for run in comparison.runs]
    )
    titles = _titles(comparison.runs)
    _show_values("Params", "Param", comparison.params, titles)
    _show_metrics(comparison, titles)
    _show_values("Tags", "Tag", comparison.tags, titles)
    _show_values("Source code", "", comparison.code, titles)
    for title, change in zip(titles, comparison.code_changes, strict=True):
        if change:
            heading(f"Uncommitted changes of {title} against those of {titles[0]}")
            for line in change.splitlines():
                say(clean(line.replace("\t", "    ")), style=_diff_style(line))
    _show_values("Environment", "", comparison.environment, titles)
    _show_values("Packages", "Package", comparison.packages, titles)
    if comparison.is_empty:
        click.echo("\nThe runs do not differ in params, metrics, tags, source code and environment.")


def _titles(runs: Sequence[Summary]) -> list[str]:
    """What stands above the column of a run: its name when no other has it, else its id."""
    taken = [run.run_name for run in runs]
    return [
        run.run_name if taken.count(run.run_name) == 1 and 0 < len(run.run_name) <= _TITLE_CHARACTERS
        else short_id(run.run_id)
        for run in runs
    ]  # fmt: skip


def _show_values(title: str, first: str, values: Values, titles: Sequence[str]) -> None:
    if values:
        heading(title)
        columns = [Column(first or "Fact"), *map(Column, titles)]
        show_table(columns, [[key, *row] for key, row in values.items()])


def _show_metrics(comparison: Comparison, titles: Sequence[str]) -> None:
    if not comparison.metrics:
        return
    heading("Metrics")
    columns = [Column("Metric"), Column(titles[0], "number")]
    for title in titles[1:]:
        columns += [Column(title, "number"), Column("Change", "change")]
    rows = []
    for key, values in comparison.metrics.items():
        row = [key, values[0]]
        for value, change in zip(values[1:], comparison.changes[key][1:], strict=True):
            row += [value, change]
        rows.append(row)
    show_table(columns, rows)


def _diff_style(line: str) -> str:
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
