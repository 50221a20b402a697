"""Files that hold a table, a window of rows at a time, in bounded memory and time.

Parquet knows where its rows are; of CSV that is found out once (``csv_tables.py``); the JSON of ``log_table`` is read
whole, if it is not too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from stele import limits
from stele.artifacts import ArtifactRepository
from stele.artifacts.base import file_path
from stele.errors import InvalidParameterValue, NotImplementedHere, shown
from stele.schema.artifacts import ReadArtifactTable, ReadArtifactTableResponse, TableColumn
from stele.server.csv_tables import read_csv
from stele.server.table_windows import TYPED_ROWS, RepositoryFile, Window, answer

__all__ = ["read_table"]

_JSON_BYTES = 16 * 1024 * 1024
_PARQUET_ROWS = 1_024


def read_table(repository: ArtifactRepository, request: ReadArtifactTable) -> ReadArtifactTableResponse:
    """A window of a table.

    Args:
        repository: The files of the run or model.
        request: Which file, and which rows of it.

    Raises:
        DoesNotExist: No such file or version.
        InvalidParameterValue: The window or the path is not allowed, or the file holds no table.
        NotImplementedHere: It is Parquet, and the server has no pyarrow.
    """
    path = file_path(request.path)
    limits.check_max_results(request.limit, limits.MAX_TABLE_ROWS, "limit")
    for name, number in (("offset", request.offset), ("file_version", request.file_version)):
        if limits.check_int64(number, name) < 0:
            raise InvalidParameterValue(f"{name} {number} is negative.")
    read = _READERS.get(path.rpartition(".")[2].lower())
    if read is None:
        raise InvalidParameterValue(
            f"The file {shown(path)} is no table: its name ends in none of .{', .'.join(_READERS)}."
        )
    return read(RepositoryFile(repository, path, request.file_version or None), request)


# --- JSON


def _read_json(file: RepositoryFile, request: ReadArtifactTable) -> ReadArtifactTableResponse:
    if file.size > _JSON_BYTES:
        raise InvalidParameterValue(
            f"The table {shown(file.path)} has {file.size} bytes, at most {_JSON_BYTES} can be shown of JSON."
        )
    try:
        value = msgspec.json.decode(file.whole())
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as e:
        raise InvalidParameterValue(f"The file {shown(file.path)} is not valid JSON: {e}.") from e
    names, rows = _table_of(value, file.path)
    window = Window(request)
    for row in rows:
        window.take(row)
    sample = rows[:TYPED_ROWS]
    columns = [TableColumn(name, _kind_of([row[place] for row in sample])) for place, name in enumerate(names)]
    return answer(window, columns, file.size, complete=True)


def _table_of(value: Any, path: str) -> tuple[list[str], list[list[Any]]]:
    """Names of the columns, and rows of one length."""
    if isinstance(value, dict) and isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        names = [str(name) for name in value["columns"]]
        if all(isinstance(row, list) and len(row) == len(names) for row in value["data"]):
            return names, value["data"]
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        return names, [[row.get(name) for name in names] for row in value]
    raise InvalidParameterValue(
        f"The file {shown(path)} holds no table: neither columns and data, as log_table writes them, nor a list "
        "of objects."
    )


def _kind_of(values: list[Any]) -> str:
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, bool) for value in present):
        return "boolean"
    if present and all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return "number"
    return "text" if all(isinstance(value, str) for value in present) else "other"


# --- Parquet


def _read_parquet(file: RepositoryFile, request: ReadArtifactTable) -> ReadArtifactTableResponse:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as e:
        raise NotImplementedHere("The server cannot read Parquet: pip install 'stele[export]' where it runs.") from e
    try:
        source = pq.ParquetFile(pa.PythonFile(file, mode="r"))
        window = Window(request)
        fields = list(source.schema_arrow)
        for row in _parquet_rows(source, request.offset, window):
            window.take(row)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        raise InvalidParameterValue(f"The file {shown(file.path)} is not Parquet that can be read: {e}.") from e
    window.total = source.metadata.num_rows
    columns = [TableColumn(field.name, _arrow_kind(pa, field.type)) for field in fields]
    return answer(window, columns, file.size, complete=True)


def _parquet_rows(source: Any, offset: int, window: Window) -> Iterator[list[Any]]:
    """The rows of the window; what lies before is counted, not read."""
    groups: list[int] = []
    for number in range(source.num_row_groups):
        rows = source.metadata.row_group(number).num_rows
        if not groups and window.total + rows <= offset:
            window.total += rows
        else:
            groups.append(number)
    if not groups:
        return
    for batch in source.iter_batches(_PARQUET_ROWS, groups):
        if window.total + batch.num_rows <= offset:
            window.total += batch.num_rows
            continue
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield list(row)
        if window.is_full:
            return


def _arrow_kind(pa: Any, kind: Any) -> str:
    tests: tuple[tuple[str, Callable[[Any], bool]], ...] = (
        ("boolean", pa.types.is_boolean),
        ("number", lambda kind: pa.types.is_integer(kind) or pa.types.is_floating(kind)),
        ("time", pa.types.is_temporal),
        ("text", lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind)),
    )
    return next((name for name, matches in tests if matches(kind)), "other")


_READERS: dict[str, Callable[[RepositoryFile, ReadArtifactTable], ReadArtifactTableResponse]] = {
    "csv": read_csv,
    "tsv": partial(read_csv, delimiter="\t"),
    "parquet": _read_parquet,
    "json": _read_json,
}
