"""Finding runs over all pages, as a table or as a list."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, overload

from stele.client.client import Client
from stele.client.experiments import current_experiment_id, search_experiments
from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.schema.enums import ViewType
from stele.schema.runs import Run

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = ["runs_to_columns", "search_runs", "to_frame"]

OutputFormat = Literal["pandas", "list", "polars", "arrow"]
_TIMES = ("start_time", "end_time")


@overload
def search_runs(
    experiment_ids: list[str] | None = ...,
    filter_string: str = ...,
    run_view_type: int = ...,
    max_results: int = ...,
    order_by: list[str] | None = ...,
    *,
    output_format: Literal["list"],
    search_all_experiments: bool = ...,
    experiment_names: list[str] | None = ...,
) -> list[Run]: ...


@overload
def search_runs(
    experiment_ids: list[str] | None = ...,
    filter_string: str = ...,
    run_view_type: int = ...,
    max_results: int = ...,
    order_by: list[str] | None = ...,
    output_format: OutputFormat = ...,
    search_all_experiments: bool = ...,
    experiment_names: list[str] | None = ...,
) -> Any: ...


def search_runs(
    experiment_ids: list[str] | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: list[str] | None = None,
    output_format: OutputFormat = "pandas",
    search_all_experiments: bool = False,
    experiment_names: list[str] | None = None,
) -> list[Run] | pandas.DataFrame | polars.DataFrame | pyarrow.Table:
    """The runs that a filter finds.

    Args:
        experiment_ids: Where to look. Without ids and names it is the current experiment.
        filter_string: Condition such as ``metrics.auc > 0.9 AND params.model = 'forest'``.
        run_view_type: A value of ``ViewType``.
        max_results: How many at most.
        order_by: Clauses such as ``metrics.auc DESC``; by default the newest come first.
        output_format: ``pandas``, ``polars`` or ``arrow`` for a table with the columns ``run_id``, ``experiment_id``,
            ``status``, ``artifact_uri``, ``start_time`` and ``end_time`` (UTC) and one for each ``metrics.x``,
            ``params.x`` and ``tags.x``; ``list`` for the runs themselves.
        search_all_experiments: Look in all experiments when neither ids nor names are given.
        experiment_names: Where to look, by name; unknown names find nothing.

    Raises:
        InvalidParameterValue: An argument is not allowed, or the filter cannot be understood.
        MissingDependency: The library for this kind of table is not installed.
    """
    if output_format not in ("pandas", "list", "polars", "arrow"):
        raise InvalidParameterValue(f"output_format {shown(output_format)} is not one of arrow, list, pandas, polars.")
    client = Client()
    ids = _experiment_ids(client, experiment_ids, experiment_names, search_all_experiments)
    runs = client.all_runs(ids, filter_string, run_view_type, max_results, order_by) if ids else []
    return runs if output_format == "list" else to_frame(runs_to_columns(runs), output_format)


def _experiment_ids(
    client: Client, ids: list[str] | None, experiment_names: list[str] | None, everywhere: bool
) -> list[str]:
    if ids and experiment_names:
        raise InvalidParameterValue("search_runs takes experiment_ids or experiment_names, not both.")
    if ids is not None and not isinstance(ids, (str, int)):
        return [str(experiment_id) for experiment_id in ids] or _default_ids(everywhere)
    if ids is not None:
        return [str(ids)]
    if experiment_names is not None:
        found = [client.get_experiment_by_name(name) for name in experiment_names]
        return [experiment.experiment_id for experiment in found if experiment is not None]
    return _default_ids(everywhere)


def _default_ids(everywhere: bool) -> list[str]:
    if everywhere:
        return [experiment.experiment_id for experiment in search_experiments()]
    return [current_experiment_id()]


def runs_to_columns(runs: Iterable[Run]) -> dict[str, list[Any]]:
    """Column name -> one value per run; times in milliseconds, a missing metric is NaN, another missing value None."""
    runs = list(runs)
    columns: dict[str, list[Any]] = {
        name: [getattr(run.info, name) for run in runs]
        for name in ("run_id", "experiment_id", "status", "artifact_uri", *_TIMES)
    }
    _spread(columns, "metrics", [run.data.metrics for run in runs], math.nan)
    _spread(columns, "params", [run.data.params for run in runs], None)
    _spread(columns, "tags", [run.data.tags for run in runs], None)
    return columns


def _spread(columns: dict[str, list[Any]], prefix: str, rows: list[dict[str, Any]], missing: float | None) -> None:
    for key in dict.fromkeys(key for row in rows for key in row):
        columns[f"{prefix}.{key}"] = [row.get(key, missing) for row in rows]


def to_frame(columns: dict[str, list[Any]], output_format: str) -> Any:
    """The columns as a table of a library.

    Raises:
        MissingDependency: The library is not installed.
    """
    try:
        return _FRAMES[output_format](columns)
    except ImportError as e:
        package = {"arrow": "pyarrow"}.get(output_format, output_format)
        purpose = f'for output_format="{output_format}"; output_format="list" needs nothing'
        raise MissingDependency(package, purpose) from e


def _to_pandas(columns: dict[str, list[Any]]) -> Any:
    import pandas as pd

    frame = pd.DataFrame(columns)
    for name in _TIMES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
    return frame


def _to_polars(columns: dict[str, list[Any]]) -> Any:
    import polars as pl

    kinds = {name: _kind(name, pl.Datetime("ms", "UTC"), pl.Float64(), pl.String()) for name in columns}
    milliseconds = {name: pl.Series(columns[name], dtype=pl.Int64()) for name in _TIMES if name in columns}
    return pl.DataFrame(
        {**columns, **milliseconds}, schema_overrides={n: k for n, k in kinds.items() if n not in _TIMES}
    ).with_columns(series.cast(kinds[name]).alias(name) for name, series in milliseconds.items())


def _to_arrow(columns: dict[str, list[Any]]) -> Any:
    import pyarrow as pa

    kinds = {name: _kind(name, pa.timestamp("ms", "UTC"), pa.float64(), pa.string()) for name in columns}
    return pa.table({name: pa.array(values, type=kinds[name]) for name, values in columns.items()})


def _kind(name: str, time: Any, number: Any, text: Any) -> Any:
    if name in _TIMES:
        return time
    return number if name.startswith("metrics.") else text


_FRAMES: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "pandas": _to_pandas,
    "polars": _to_polars,
    "arrow": _to_arrow,
}
