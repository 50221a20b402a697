"""Files that hold a table, a window of rows at a time, in bounded memory and time.

CSV is read from its beginning, line by line, up to a bound of bytes; Parquet knows where its rows are; the JSON of
``log_table`` is read whole, if it is not too long.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from stele import limits
from stele.artifacts import ArtifactRepository
from stele.artifacts.base import file_path
from stele.errors import InvalidParameterValue, NotImplementedHere, shown
from stele.schema.artifacts import ReadArtifactTable, ReadArtifactTableResponse, TableCell, TableColumn

__all__ = ["read_table"]

_CSV_BYTES = 64 * 1024 * 1024
_JSON_BYTES = 16 * 1024 * 1024
_ANSWER_BYTES = 4 * 1024 * 1024
_BLOCK_BYTES = 1024 * 1024
_TYPED_ROWS = 1_000
_PARQUET_ROWS = 1_024

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(nan|inf|infinity)\s*", re.IGNORECASE)
_TRUTH = re.compile(r"true|false", re.IGNORECASE)


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
    return read(_File(repository, path, request.file_version or None), request)


class _File(io.RawIOBase):
    """A file of a repository, to be read from any place. What was read is counted.

    Args:
        repository: Where it is.
        path: Which one.
        version: None is the current one.
    """

    def __init__(self, repository: ArtifactRepository, path: str, version: int | None) -> None:
        super().__init__()
        self._repository = repository
        self.path = path
        with repository.open_read(path, version=version) as reader:
            # By its number, so that a writer in between does not mix two contents.
            self._version = version if reader.info.version is None else reader.info.version
            self.size = reader.info.file_size or 0
        self._place = 0

    def whole(self) -> bytes:
        """All bytes at once."""
        return self._repository.open_read(self.path, version=self._version).read()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self.size - self._place)
        if length <= 0:
            return 0
        with self._repository.open_read(self.path, offset=self._place, length=length, version=self._version) as reader:
            data = b"".join(reader)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


class _Window:
    """The rows that were asked for, and how many there are."""

    def __init__(self, request: ReadArtifactTable) -> None:
        self._start = request.offset
        self._end = request.offset + request.limit
        self._left = _ANSWER_BYTES
        self.rows: list[list[TableCell]] = []
        self.total = 0

    @property
    def is_full(self) -> bool:
        """Whether the last row that was asked for has been counted."""
        return self.total >= self._end

    def take(self, row: list[Any]) -> None:
        """Count the next row of the table, and keep it when it was asked for and there is room."""
        if self._start <= self.total < self._end and self._left > 0:
            cells = [_cell(value) for value in row]
            self._left -= sum(len(cell) if isinstance(cell, str) else 8 for cell in cells)
            if self._left > 0 or not self.rows:
                self.rows.append(cells)
        self.total += 1


def _cell(value: Any) -> TableCell:
    if value is None or isinstance(value, str | bool | float):
        return value
    if isinstance(value, int):
        return value if limits.INT64_MIN <= value <= limits.INT64_MAX else str(value)
    try:
        return msgspec.json.encode(value).decode().strip('"')
    except (TypeError, ValueError, UnicodeDecodeError, RecursionError):
        return str(value)


def _answer(window: _Window, columns: list[TableColumn], scanned: int, *, complete: bool) -> ReadArtifactTableResponse:
    return ReadArtifactTableResponse(
        columns=columns, rows=window.rows, total=window.total, complete=complete, scanned_bytes=scanned
    )


# --- CSV


class _Beginning(io.RawIOBase):
    """The beginning of a file."""

    def __init__(self, file: _File, most: int) -> None:
        super().__init__()
        self._file = file
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read = self._file.readinto(memoryview(buffer)[: self._left])
        self._left -= read
        return read


def _read_csv(file: _File, request: ReadArtifactTable, delimiter: str = ",") -> ReadArtifactTableResponse:
    complete = file.size <= _CSV_BYTES
    beginning = io.BufferedReader(_Beginning(file, _CSV_BYTES), _BLOCK_BYTES)
    lines = csv.reader(io.TextIOWrapper(beginning, "utf-8-sig", "replace", newline=""), delimiter=delimiter)
    window = _Window(request)
    sample: list[list[str]] = []
    try:
        header = next(lines, [])
        for row in _whole_rows(lines, complete=complete):
            window.take(_filled(row, header))
            if len(sample) < _TYPED_ROWS:
                sample.append(row)
    except csv.Error as e:
        raise InvalidParameterValue(f"The file {shown(file.path)} is not CSV: {e}.") from e
    columns = [
        TableColumn(name, _type_of(row[place] for row in sample if place < len(row)))
        for place, name in enumerate(header)
    ]
    return _answer(window, columns, file.tell(), complete=complete)


def _whole_rows(lines: Iterator[list[str]], *, complete: bool) -> Iterator[list[str]]:
    """The rows that are not blank; without the last one when the file goes on, because it may be cut off."""
    rows = filter(None, lines)
    last = next(rows, None)
    for row in rows:
        if last is not None:
            yield last
        last = row
    if complete and last is not None:
        yield last


def _filled(row: list[str], header: list[str]) -> list[str]:
    """The row with as many cells as there are columns."""
    return row[: len(header)] + [""] * (len(header) - len(row))


def _type_of(texts: Iterable[str]) -> str:
    found = [text for text in texts if text]
    if found and all(map(_NUMBER.fullmatch, found)):
        return "number"
    return "boolean" if found and all(map(_TRUTH.fullmatch, found)) else "text"


# --- JSON


def _read_json(file: _File, request: ReadArtifactTable) -> ReadArtifactTableResponse:
    if file.size > _JSON_BYTES:
        raise InvalidParameterValue(
            f"The table {shown(file.path)} has {file.size} bytes, at most {_JSON_BYTES} can be shown of JSON."
        )
    try:
        value = msgspec.json.decode(file.whole())
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as e:
        raise InvalidParameterValue(f"The file {shown(file.path)} is not valid JSON: {e}.") from e
    names, rows = _table_of(value, file.path)
    window = _Window(request)
    for row in rows:
        window.take(row)
    sample = rows[:_TYPED_ROWS]
    columns = [TableColumn(name, _kind_of([row[place] for row in sample])) for place, name in enumerate(names)]
    return _answer(window, columns, file.size, complete=True)


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


def _read_parquet(file: _File, request: ReadArtifactTable) -> ReadArtifactTableResponse:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as e:
        raise NotImplementedHere("The server cannot read Parquet: pip install 'stele[export]' where it runs.") from e
    try:
        source = pq.ParquetFile(pa.PythonFile(file, mode="r"))
        window = _Window(request)
        fields = list(source.schema_arrow)
        for row in _parquet_rows(source, request.offset, window):
            window.take(row)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        raise InvalidParameterValue(f"The file {shown(file.path)} is not Parquet that can be read: {e}.") from e
    window.total = source.metadata.num_rows
    columns = [TableColumn(field.name, _arrow_kind(pa, field.type)) for field in fields]
    return _answer(window, columns, file.size, complete=True)


def _parquet_rows(source: Any, offset: int, window: _Window) -> Iterator[list[Any]]:
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


_READERS: dict[str, Callable[[_File, ReadArtifactTable], ReadArtifactTableResponse]] = {
    "csv": _read_csv,
    "tsv": lambda file, request: _read_csv(file, request, "\t"),
    "parquet": _read_parquet,
    "json": _read_json,
}
