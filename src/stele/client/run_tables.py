"""Runs and what was logged to them as flat tables, the same for Parquet files and for SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from stele.client.client import Client
from stele.limits import DEFAULT_PAGE
from stele.schema.runs import Run
from stele.schema.series import Series

__all__ = ["POINTS", "RUN_TABLES", "Kind", "RunKeys", "in_groups", "run_keys", "run_pages", "run_tables", "series_of"]

Kind = Literal["text", "integer", "real", "time"]
"""``time`` is in milliseconds since 1970, as an integer or None."""

RUN_TABLES: Mapping[str, Mapping[str, Kind]] = {
    "runs": {
        "run_id": "text",
        "experiment_id": "integer",
        "experiment": "text",
        "name": "text",
        "status": "text",
        "stage": "text",
        "user_id": "text",
        "start_time": "time",
        "end_time": "time",
        "artifact_uri": "text",
    },
    "params": {"run_id": "text", "key": "text", "value": "text"},
    "tags": {"run_id": "text", "key": "text", "value": "text"},
    "latest_metrics": {"run_id": "text", "key": "text", "step": "integer", "timestamp": "time", "value": "real"},
}
"""Table -> column -> what it holds."""

POINTS: Mapping[str, Kind] = RUN_TABLES["latest_metrics"]
"""Column -> what it holds, in the table of all points."""

RunKeys = tuple[str, tuple[str, ...]]
"""The id of a run and the keys of its metrics."""


def run_pages(client: Client, experiment_ids: Sequence[str], condition: str, view: int) -> Iterator[list[Run]]:
    """The runs of each experiment, page by page.

    Raises:
        InvalidParameterValue: The filter cannot be understood.
    """
    for experiment_id in experiment_ids:
        token: str | None = None
        while True:
            page = client.search_runs([experiment_id], condition, view, DEFAULT_PAGE, page_token=token)
            if page:
                yield page
            token = page.token
            if token is None:
                break


def run_tables(runs: Iterable[Run], experiments: Mapping[str, str]) -> dict[str, dict[str, list[Any]]]:
    """The rows of some runs in each of :data:`RUN_TABLES`, as columns.

    Args:
        runs: The runs.
        experiments: Names by id.
    """
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in RUN_TABLES}
    for run in runs:
        i, data = run.info, run.data
        name = experiments.get(i.experiment_id, "")
        facts = (i.run_name, i.status, i.lifecycle_stage, i.user_id, i.start_time, i.end_time, i.artifact_uri)
        rows["runs"].append((i.run_id, int(i.experiment_id), name, *facts))
        rows["params"] += [(i.run_id, param.key, param.value) for param in data.param_list]
        rows["tags"] += [(i.run_id, tag.key, tag.value) for tag in data.tag_list]
        rows["latest_metrics"] += [(i.run_id, m.key, m.step, m.timestamp, m.value) for m in data.metric_list]
    return {
        table: {name: [row[place] for row in rows[table]] for place, name in enumerate(columns)}
        for table, columns in RUN_TABLES.items()
    }


def run_keys(runs: Iterable[Run]) -> list[RunKeys]:
    """What :func:`series_of` needs to know of runs."""
    return [(run.info.run_id, tuple(metric.key for metric in run.data.metric_list)) for run in runs]


def series_of(client: Client, runs: Iterable[RunKeys]) -> Iterator[Series]:
    """Every point of every metric of some runs; runs with the same metrics share a request."""
    for keys, group in groupby(runs, key=lambda run: run[1]):
        if keys:
            yield from client.get_series([run_id for run_id, _ in group], keys)


def in_groups(series: Iterable[Series], points: int) -> Iterator[list[Series]]:
    """Series that come one after the other, in groups of at least so many points."""
    group: list[Series] = []
    count = 0
    for item in series:
        group.append(item)
        count += item.points
        if count >= points:
            yield group
            group, count = [], 0
    if group:
        yield group
