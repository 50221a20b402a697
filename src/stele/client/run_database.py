"""Runs and points as tables of a DuckDB database, for queries that can change nothing and read no file.

The database is a file in a directory of its own that goes with it, so that points take disk and not memory.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import msgspec

from stele.client.client import Client
from stele.client.history import to_columns, to_numpy
from stele.client.run_tables import (
    POINTS,
    RUN_TABLES,
    Kind,
    RunKeys,
    in_groups,
    run_keys,
    run_pages,
    run_tables,
    series_of,
)
from stele.client.sql_tree import hidden_queries, tables_in, wanted_values
from stele.errors import InvalidParameterValue, MissingDependency
from stele.schema.enums import ViewType

__all__ = ["RunDatabase"]

_LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",  # no files, no ATTACH, no extensions
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # no variables of this process
}
_ZONED = re.compile(r"TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ")
_TABLES = {**RUN_TABLES, "points": POINTS}
_TYPES: dict[Kind, str] = {"text": "VARCHAR", "integer": "BIGINT", "real": "DOUBLE", "time": "TIMESTAMP_MS"}
_ARRAYS: dict[Kind, str] = {"text": "O", "integer": "i8", "real": "f8", "time": "M8[ms]"}
_POINTS_AT_ONCE = 1_000_000
_ROWS_AT_ONCE = 10_000
_MEMORY = "1GB"

Answer = tuple[list[tuple[str, str]], Iterator[tuple[Any, ...]]]
"""Names and DuckDB types of the columns, and the rows, which are read as they are asked for."""


class RunDatabase:
    """A database that is filled with what a query names.

    Args:
        client: Where the runs are.
        experiments: Names of the experiments by their ids.
        condition: A filter of runs; an empty text finds all.

    Raises:
        MissingDependency: DuckDB is not installed.
    """

    def __init__(self, client: Client, experiments: Mapping[str, str], condition: str = "") -> None:
        try:
            import duckdb
        except ImportError as e:
            raise MissingDependency("duckdb", "to ask with SQL", "sql") from e
        self._client = client
        self._experiments = experiments
        self._condition = condition
        self._error: type[Exception] = duckdb.Error
        self._folder = tempfile.TemporaryDirectory(prefix="stele-sql-")
        spill = {"memory_limit": _MEMORY, "temp_directory": f"{self._folder.name}/spill"}
        self._connection: Any = duckdb.connect(f"{self._folder.name}/runs.duckdb", config=_LOCKED | spill)
        self._connection.execute("SET TimeZone = 'UTC'")  # now() is compared with our times, which are in UTC
        self._connection.execute("SET lock_configuration = true")
        for table, columns in _TABLES.items():
            types = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in columns.items())
            self._connection.execute(f"CREATE TABLE {table} ({types})")

    def ask(self, query: str) -> Answer:
        """The answer to one SELECT.

        Raises:
            InvalidParameterValue: It is no single SELECT, or DuckDB cannot answer it.
        """
        tree = self._tree(query)
        named = set(tables_in(tree))
        if not named.isdisjoint(_TABLES):
            runs = self._fill_runs(named, wanted_values(tree, "points", "run_id"))
            if "points" in named:
                self._fill_points(runs, wanted_values(tree, "points", "key"))
        with self._explained():
            done = self._connection.execute(query)
            columns = [(column[0], str(column[1])) for column in done.description]
            if any(_ZONED.search(kind) for _, kind in columns):
                done = self._connection.execute(self._without_zones(query, [kind for _, kind in columns]))
            return columns, self._rows(done)

    def _without_zones(self, query: str, kinds: list[str]) -> str:
        """A query for the same with plain times, in UTC; to give others to Python, DuckDB needs pytz."""
        [(text,)] = self._connection.execute("SELECT json_deserialize_sql(json_serialize_sql(?))", [query]).fetchall()
        plain = ((f"#{n}", kind, _ZONED.sub("TIMESTAMP", kind)) for n, kind in enumerate(kinds, 1))
        selected = (column if kind == cast else f"{column}::{cast}" for column, kind, cast in plain)
        return f"SELECT {', '.join(selected)} FROM ({text})"  # noqa: S608 - the query itself

    def _rows(self, done: Any) -> Iterator[tuple[Any, ...]]:
        while True:
            with self._explained():
                rows = done.fetchmany(_ROWS_AT_ONCE)
            if not rows:
                return
            yield from rows

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (self._error, ValueError, OverflowError) as e:
            raise InvalidParameterValue(f"DuckDB: {e}") from e

    def _tree(self, query: str) -> Any:
        with self._explained():
            [(text,)] = self._connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
        tree = msgspec.json.decode(text)
        if tree["error"]:
            raise InvalidParameterValue(f"The query is no SELECT that DuckDB understands: {tree['error_message']}")
        if len(tree["statements"]) != 1:
            raise InvalidParameterValue(f"The text holds {len(tree['statements'])} queries, one is allowed.")
        if hidden := hidden_queries(tree):
            raise InvalidParameterValue(f"{hidden[0]}() hides which tables are read. Write the query itself.")
        return tree

    def _fill_runs(self, named: set[str], wanted: set[str] | None) -> list[RunKeys]:
        """Fill the tables that are named; returns the runs whose points are wanted."""
        found: list[RunKeys] = []
        for page in run_pages(self._client, list(self._experiments), self._condition, ViewType.ACTIVE_ONLY):
            found += [run for run in run_keys(page) if wanted is None or run[0] in wanted]
            for table, columns in run_tables(page, self._experiments).items():
                if table in named:
                    self._insert(table, columns)
        return found

    def _fill_points(self, runs: Iterable[RunKeys], keys: set[str] | None) -> None:
        if keys is not None:
            runs = [(run_id, tuple(key for key in names if key in keys)) for run_id, names in runs]
        for group in in_groups(series_of(self._client, runs), _POINTS_AT_ONCE):
            self._insert("points", to_numpy(to_columns(group)))

    def _insert(self, table: str, columns: Mapping[str, Any]) -> None:
        kinds = _TABLES[table]
        # DuckDB takes a NaN of numpy for NULL; our numbers are never missing.
        selected = ", ".join(f"coalesce({n}, 'NaN')" if kind == "real" else n for n, kind in kinds.items())
        self._connection.register("incoming", _arrays(columns, kinds))
        try:
            self._connection.execute(f"INSERT INTO {table} SELECT {selected} FROM incoming")  # noqa: S608 - our names
        except self._error as e:
            raise InvalidParameterValue(
                f"The table {table} does not fit: {e} Take --experiment, --filter, or WHERE key = '...'."
            ) from e
        finally:
            self._connection.unregister("incoming")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._folder.cleanup()


def _arrays(columns: Mapping[str, Any], kinds: Mapping[str, Kind]) -> dict[str, Any]:
    import numpy as np

    return {name: np.asarray(columns[name], _ARRAYS[kind]) for name, kind in kinds.items()}
