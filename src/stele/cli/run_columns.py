"""What a listing of runs shows: the columns that were asked for, else those that tell the runs apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from stele.cli.output import Column, Kind, note, show_table
from stele.errors import shown
from stele.schema.runs import Run

__all__ = ["chosen_columns", "default_columns", "show_runs", "values_of"]

_FIELDS: dict[str, tuple[str, Kind]] = {
    "run_id": ("Run", "id"),
    "name": ("Name", "text"),
    "status": ("Status", "status"),
    "stage": ("Stage", "stage"),
    "start_time": ("Started", "time"),
    "end_time": ("Ended", "time"),
    "duration": ("Duration", "span"),
    "experiment": ("Experiment", "text"),
    "experiment_id": ("Experiment id", "id"),
    "user": ("User", "text"),
    "artifact_uri": ("Artifact uri", "text"),
}
_ALIASES = {
    "id": "run_id", "run_name": "name", "started": "start_time", "ended": "end_time", "user_id": "user",
    "lifecycle_stage": "stage", "experiment_name": "experiment",
}  # fmt: skip
_KINDS: dict[str, Kind] = {"metrics": "number", "params": "text", "tags": "text"}
_DIRECTIONS = (" ASC", " DESC")
_ALWAYS = ("run_id", "name", "status", "start_time", "duration")
_METRICS_FIRST = 3


def chosen_columns(names: str) -> list[str]:
    """The columns of a list by comma.

    Raises:
        BadParameter: There is no such column.
    """
    return [_checked(name.strip()) for name in names.split(",") if name.strip()]


def _checked(name: str) -> str:
    name = _ALIASES.get(name, name)
    kind, point, key = name.partition(".")
    if name not in _FIELDS and not (kind in _KINDS and point and key):
        raise click.BadParameter(
            f"{shown(name)} is no column. Columns are {', '.join(_FIELDS)}, metrics.x, params.x, tags.x.",
            param_hint="--columns",
        )
    return name


def values_of(run: Run, columns: Iterable[str], experiments: Mapping[str, str]) -> dict[str, Any]:
    """The values of some columns by their names; ``experiments`` has names by id."""
    return {name: _value(run, name, experiments) for name in columns}


def _value(run: Run, name: str, experiments: Mapping[str, str]) -> Any:
    info = run.info
    kind, _, key = name.partition(".")
    if key:
        return getattr(run.data, kind).get(key)
    if name == "duration":
        return None if info.end_time is None else info.end_time - info.start_time
    if name == "experiment":
        return experiments.get(info.experiment_id, info.experiment_id)
    return getattr(info, {"name": "run_name", "user": "user_id", "stage": "lifecycle_stage"}.get(name, name))


def default_columns(
    runs: Sequence[Run], order_by: Sequence[str], experiments: Mapping[str, str], view: str
) -> list[str]:
    """The columns when none were asked for.

    Args:
        runs: One or more.
        order_by: The clauses they are ordered by; what they order by is shown first.
        experiments: Names by id; with several of them the column is shown.
        view: Which lifecycle stages the listing shows.
    """
    stage = [] if view.lower() == "active_only" else ["stage"]
    experiment = ["experiment"] if len(experiments) > 1 else []
    return [*_ALWAYS, *stage, *experiment, *_telling(runs, order_by)]


def show_runs(runs: Sequence[Run], names: Sequence[str], experiments: Mapping[str, str]) -> None:
    """Print a table of runs; on a narrow terminal without the last metrics, params and tags."""
    rows = [list(values_of(run, names, experiments).values()) for run in runs]
    optional = sum(1 for name in names if "." in name)
    left_out = show_table([_column(name) for name in names], rows, optional=optional)
    if left_out:
        note(f"Too narrow for {len(left_out)} more columns, such as {left_out[0]}: --columns chooses, --json has all.")


def _column(name: str) -> Column:
    kind, _, key = name.partition(".")
    return Column(key, _KINDS[kind]) if key else Column(*_FIELDS[name])


def _telling(runs: Sequence[Run], order_by: Sequence[str]) -> list[str]:
    """What the runs are ordered by, the metrics and the params that tell them apart, and the other metrics."""
    ordered = list(filter(None, map(_ordered_by, order_by)))
    metrics = Counter(f"metrics.{key}" for run in runs for key in run.data.metrics)
    params = dict.fromkeys(f"params.{key}" for run in runs for key in run.data.params)
    varied = [name for name in params if len(runs) == 1 or len({_value(run, name, {}) for run in runs}) > 1]
    few = [name for name, _ in metrics.most_common() if not name.startswith("metrics.system/")]
    few.sort(key=lambda name: len(runs) > 1 and len({_value(run, name, {}) for run in runs}) == 1)
    return list(dict.fromkeys([*ordered, *few[:_METRICS_FIRST], *varied, *few[_METRICS_FIRST:]]))


def _ordered_by(clause: str) -> str | None:
    """The metric, param or tag that a clause orders by, if it is one."""
    text = clause.strip()
    for direction in _DIRECTIONS:
        if text.upper().endswith(direction):
            text = text[: -len(direction)].rstrip()
    kind, _, key = text.partition(".")
    kind = f"{kind.rstrip('s')}s"
    key = key.strip('`"')
    return f"{kind}.{key}" if kind in _KINDS and key else None
