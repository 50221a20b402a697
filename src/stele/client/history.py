"""Series of many runs as one long table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from stele.client.client import Client
from stele.errors import DoesNotExist, InvalidParameterValue, MissingDependency, shown
from stele.schema.runs import Run
from stele.schema.series import PointSeries, Series, XAxis

if TYPE_CHECKING:
    import numpy as np
    import pandas
    import polars
    import pyarrow

__all__ = ["Names", "Times", "metric_history", "to_arrow", "to_columns", "to_numpy"]

OutputFormat = Literal["pandas", "polars", "arrow", "numpy"]

_BUCKETS = {
    "first_x": "first_x",
    "last_x": "last_x",
    "counts": "points",
    "nans": "nans",
    "infinities": "infinities",
    "min": "min",
    "max": "max",
    "mean": "mean",
    "last": "last",
    "timestamps": "timestamp",
}
"""Columns of the table by those of the answer."""


def metric_history(
    runs: Any,
    keys: str | Iterable[str] | None = None,
    *,
    x: XAxis = "step",
    start: int | None = None,
    end: int | None = None,
    buckets: int | None = None,
    output_format: OutputFormat = "pandas",
) -> pandas.DataFrame | polars.DataFrame | pyarrow.Table | dict[str, np.ndarray[Any, Any]]:
    """The points of metrics of many runs, as one table with a row per point.

    The columns are ``run_id``, ``key``, ``step``, ``timestamp`` (UTC) and ``value``; with ``x="relative"`` there is
    ``relative`` too, in milliseconds. With ``buckets`` each row stands for the points of one interval instead:
    ``run_id``, ``key``, ``first_x``, ``last_x``, ``points``, ``nans``, ``infinities``, ``min``, ``max``, ``mean`` (of
    finite values), ``last`` (the value with the greatest step) and ``timestamp`` (when that was logged). So a chart of
    millions of points is read in milliseconds, and no spike is lost.

    Rows are ordered by run, key, and then step or first x. Runs that do not exist and metrics that a run does not have
    are left out.

    Args:
        runs: A run or its id, several of them, or what :func:`search_runs` returned.
        keys: A metric or several; None means all that the runs have.
        x: The axis of range and buckets: ``step``, ``time`` (milliseconds since 1970) or ``relative`` (milliseconds
            since the start of the run).
        start: Only points from here on.
        end: Only points up to here, this one included.
        buckets: A series with more points than this in the range is summed up in at most so many intervals, 1 to
            10 000, of one width as far as that needs no point to be read: those of long series end where stored blocks
            do. One with fewer points has a row per point.
        output_format: ``pandas``, ``polars`` or ``arrow`` for a table; ``numpy`` for a dictionary of arrays, times in
            milliseconds.

    Raises:
        InvalidParameterValue: An argument is not allowed.
        MissingDependency: The library for this kind of table is not installed.
    """
    if output_format not in list(_TABLES):  # a list takes what cannot be hashed, too
        raise InvalidParameterValue(f"output_format {shown(output_format)} is not one of {', '.join(sorted(_TABLES))}.")
    client = Client()
    run_ids, known_keys = _resolved(runs)
    names = _all_keys(client, run_ids, known_keys) if keys is None else _listed(keys)
    found = sorted(client.get_series(run_ids, names, x, start, end, buckets), key=_rank(run_ids, names))
    try:
        return _TABLES[output_format](to_columns(found, x, buckets))
    except ImportError as e:
        package = {"arrow": "pyarrow"}.get(output_format, output_format)
        raise MissingDependency(package, f'for output_format="{output_format}"') from e


def _resolved(runs: Any) -> tuple[list[str], dict[str, Iterable[str]]]:
    """The ids that an argument means, and the keys of the metrics of those runs whose keys it tells."""
    if hasattr(runs, "columns"):  # a table of any library
        titles = [str(title) for title in getattr(runs, "column_names", runs.columns)]
        if "run_id" not in titles:
            raise InvalidParameterValue(f"runs is a table without a column run_id; it has {shown(titles)}.")
        column = runs["run_id"]
        ids = column.to_pylist() if hasattr(column, "to_pylist") else list(column)
        keys = [title.removeprefix("metrics.") for title in titles if title.startswith("metrics.")]
        return list(dict.fromkeys(ids)), dict.fromkeys(ids, keys) if keys else {}
    try:
        # A column of pandas has info(), too.
        is_one = isinstance(runs, str) or hasattr(getattr(runs, "info", None), "run_id")
        items = [runs] if is_one else list(runs)
        ids = [run if isinstance(run, str) else run.info.run_id for run in items]
    except (TypeError, AttributeError) as e:
        raise InvalidParameterValue(f"runs {shown(runs)} is no run, no run id, and no list or table of them.") from e
    # What an active run holds is from its start.
    known: dict[str, Iterable[str]] = {item.info.run_id: item.data.metrics for item in items if type(item) is Run}
    return list(dict.fromkeys(ids)), known


def _all_keys(client: Client, run_ids: Sequence[str], known: dict[str, Iterable[str]]) -> list[str]:
    found = (known.get(run_id) or _keys_of(client, run_id) for run_id in run_ids)
    return list(dict.fromkeys(key for keys in found for key in keys))


def _keys_of(client: Client, run_id: str) -> Iterable[str]:
    try:
        return client.get_run(run_id).data.metrics
    except DoesNotExist:  # it is left out, as it is where keys are named
        return ()


def _listed(keys: Any) -> list[str]:
    if isinstance(keys, str):
        return [keys]
    listed = list(keys) if isinstance(keys, Iterable) else [keys]
    if not all(isinstance(key, str) for key in listed):
        raise InvalidParameterValue(f"keys {shown(keys)} is no name of a metric and no list of them.")
    return listed


def _rank(run_ids: Sequence[str], keys: Sequence[str]) -> Callable[[Series], tuple[int, int]]:
    """The order of the rows; pieces of one series keep theirs, because sorting is stable."""
    runs = {run_id: place for place, run_id in enumerate(run_ids)}
    names = {key: place for place, key in enumerate(keys)}
    return lambda series: (runs[series.run_id], names[series.key])


class Names(NamedTuple):
    """A column of texts of which there are few; the rows of a series have the same one."""

    texts: list[str]
    places: list[int]
    """Which of the texts each series has."""
    lengths: Sequence[int]
    """How many rows each series has."""

    def codes(self) -> Any:
        """Which of the texts each row has; int32."""
        import numpy as np

        return np.repeat(np.array(self.places, np.int32), self.lengths)

    def objects(self) -> Any:
        """The text of each row."""
        import numpy as np

        column = np.empty(sum(self.lengths), object)
        end = 0
        for place, length in zip(self.places, self.lengths, strict=True):
            start, end = end, end + length
            column[start:end] = self.texts[place]  # half the time of taking them one by one
        return column


class Times(NamedTuple):
    """A column of times in milliseconds since 1970."""

    milliseconds: Any


def to_columns(series: Sequence[Series], x: XAxis = "step", buckets: int | None = None) -> dict[str, Any]:
    """The table as arrays of numpy, with :class:`Names` and :class:`Times` among them; arguments as in the request."""
    import numpy as np

    lengths = [len(item.steps if isinstance(item, PointSeries) else item.first_x) for item in series]
    columns: dict[str, Any] = {
        name: _names([getattr(item, name) for item in series], lengths) for name in ("run_id", "key")
    }
    rows = [_point_rows(item, x) if buckets is None else _bucket_rows(item, x) for item in series]
    names = _point_names(x) if buckets is None else list(_BUCKETS.values())
    for place, name in enumerate(names):
        kind = np.float64 if name in ("value", "min", "max", "mean", "last") else np.int64
        values = np.concatenate([np.empty(0, kind), *(row[place] for row in rows)])
        is_time = name == "timestamp" or (x == "time" and name in ("first_x", "last_x"))
        columns[name] = Times(values) if is_time else values
    return columns


def _names(texts: Sequence[str], lengths: Sequence[int]) -> Names:
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return Names(list(places), [places[text] for text in texts], lengths)


def _point_names(x: XAxis) -> list[str]:
    return ["step", "timestamp", *(["relative"] if x == "relative" else []), "value"]


def _point_rows(series: Series, x: XAxis) -> list[Any]:
    import numpy as np

    assert isinstance(series, PointSeries)
    steps, times, values = (np.asarray(item.data) for item in (series.steps, series.timestamps, series.values))
    return [steps, times, *([times - series.origin] if x == "relative" else []), values]


def _bucket_rows(series: Series, x: XAxis) -> list[Any]:
    """The columns of :data:`_BUCKETS`; a point is a bucket of its own."""
    import numpy as np

    if not isinstance(series, PointSeries):
        return [np.asarray(getattr(series, name).data) for name in _BUCKETS]
    steps, times, values = (np.asarray(item.data) for item in (series.steps, series.timestamps, series.values))
    places = steps if x == "step" else times - (series.origin if x == "relative" else 0)
    order = np.argsort(places, kind="stable")
    places, values = places[order], values[order]
    mean = np.where(np.isfinite(values), values, np.nan)
    counts = np.ones(len(values), np.int64)
    return [places, places, counts, np.isnan(values), np.isinf(values), values, values, mean, values, times[order]]


def to_numpy(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns as arrays; texts as objects, times in milliseconds since 1970."""
    arrays = {}
    for name, column in columns.items():
        if isinstance(column, Names):
            column = column.objects()
        arrays[name] = column.milliseconds if isinstance(column, Times) else column
    return arrays


def _to_pandas(columns: dict[str, Any]) -> Any:
    import pandas as pd

    def of(column: Any) -> Any:
        if isinstance(column, Names):
            return pd.Categorical.from_codes(column.codes(), column.texts)
        if isinstance(column, Times):
            return pd.DatetimeIndex(column.milliseconds.view("M8[ms]")).tz_localize("UTC")
        return column

    return pd.DataFrame({name: of(column) for name, column in columns.items()})


def _to_polars(columns: dict[str, Any]) -> Any:
    import polars as pl

    def of(column: Any) -> Any:
        if isinstance(column, Names):
            return pl.Series(column.texts, dtype=pl.String).gather(column.codes())
        if isinstance(column, Times):
            return pl.Series(column.milliseconds).cast(pl.Datetime("ms", "UTC"))
        return pl.Series(column)

    return pl.DataFrame({name: of(column) for name, column in columns.items()})


def to_arrow(columns: dict[str, Any]) -> Any:
    """The columns as a ``pyarrow.Table``."""
    import pyarrow as pa

    def of(column: Any) -> Any:
        if isinstance(column, Names):
            return pa.DictionaryArray.from_arrays(column.codes(), pa.array(column.texts, pa.string()))
        if isinstance(column, Times):
            return pa.array(column.milliseconds).cast(pa.timestamp("ms", "UTC"))
        return pa.array(column)

    return pa.table({name: of(column) for name, column in columns.items()})


_TABLES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "arrow": to_arrow,
    "numpy": to_numpy,
    "pandas": _to_pandas,
    "polars": _to_polars,
}
