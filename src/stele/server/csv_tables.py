"""CSV by the window: where its rows begin is found out once for each content, and remembered.

A file is read from its beginning, line by line, up to a bound of bytes. Of every thousandth row the place is noted, so
that a window further down is read from there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from stele.errors import InvalidParameterValue, shown
from stele.schema.artifacts import ReadArtifactTable, ReadArtifactTableResponse, TableColumn
from stele.server.table_windows import TYPED_ROWS, RepositoryFile, Window, answer
from stele.stores.sql.bounded_cache import BoundedCache

__all__ = ["read_csv"]

_MOST_BYTES = 64 * 1024 * 1024
_BLOCK_BYTES = 1024 * 1024
_ROWS_APART = 1_000

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(nan|inf|infinity)\s*", re.IGNORECASE)
_TRUTH = re.compile(r"true|false", re.IGNORECASE)


class _Index(NamedTuple):
    """What is known of a file.

    Attributes:
        columns: Names and types.
        places: In bytes, of the rows 0, 1000, 2000, ...
        total: Rows.
        scanned: Bytes that were read.
        complete: Whether that is the whole file.
    """

    columns: list[TableColumn]
    places: list[int]
    total: int
    scanned: int
    complete: bool


_indexes: BoundedCache[tuple[str, str], _Index] = BoundedCache(
    100_000, lambda index: len(index.places) + len(index.columns)
)
"""By the digest of the content and the delimiter."""


def read_csv(file: RepositoryFile, request: ReadArtifactTable, delimiter: str = ",") -> ReadArtifactTableResponse:
    """A window of a CSV file in UTF-8 whose first line names the columns.

    Raises:
        InvalidParameterValue: It is not CSV.
    """
    source: BinaryIO = io.BufferedReader(file, _BLOCK_BYTES)
    try:
        index = _index_of(file, source, delimiter)
        window = Window(request)
        if request.offset < index.total:
            nearest = request.offset // _ROWS_APART
            window.total = nearest * _ROWS_APART
            for row in filter(None, csv.reader(_Lines(source, index.places[nearest]), delimiter=delimiter)):
                if window.is_full or window.total == index.total:
                    break
                window.take(_filled(row, len(index.columns)))
    except csv.Error as e:
        raise InvalidParameterValue(f"The file {shown(file.path)} is not CSV: {e}.") from e
    window.total = index.total
    return answer(window, index.columns, index.scanned, complete=index.complete)


def _index_of(file: RepositoryFile, source: BinaryIO, delimiter: str) -> _Index:
    if file.sha256 is None:  # a file that somebody put there by other means may change unnoticed
        return _scanned(source, file.size, delimiter)
    key = (file.sha256, delimiter)
    index = _indexes.get(key)
    if index is None:
        index = _scanned(source, file.size, delimiter)
        _indexes.keep(key, index)
    return index


def _scanned(source: BinaryIO, size: int, delimiter: str) -> _Index:
    lines = _Lines(source, 0)
    reader = csv.reader(lines, delimiter=delimiter)
    header = next(reader, [])
    places: list[int] = []
    sample: list[list[str]] = []
    total, place = 0, lines.place
    for row in reader:
        if row:
            if total % _ROWS_APART == 0:
                places.append(place)
            if total < TYPED_ROWS:
                sample.append(row)
            total += 1
        place = lines.place
    complete = lines.place >= size
    if not complete and total:
        total -= 1  # the last row may be cut off within quotes
    columns = [
        TableColumn(name, _type_of(row[number] for row in sample if number < len(row)))
        for number, name in enumerate(header)
    ]
    return _Index(columns, places, total, lines.place, complete)


class _Lines(Iterator[str]):
    """The lines of a file from a place on, as far as it is read; ``place`` is behind the last one."""

    def __init__(self, source: BinaryIO, place: int) -> None:
        source.seek(place)
        self._source = source
        self.place = place

    def __next__(self) -> str:
        if self.place >= _MOST_BYTES:
            raise StopIteration
        line = self._source.readline(_BLOCK_BYTES)
        if not line:
            raise StopIteration
        if len(line) == _BLOCK_BYTES and not line.endswith(b"\n"):
            raise csv.Error(f"a line has more than {_BLOCK_BYTES} bytes")
        text = line.decode("utf-8-sig" if self.place == 0 else "utf-8", "replace")
        self.place += len(line)
        return text


def _filled(row: list[str], width: int) -> list[str]:
    """The row with as many cells as there are columns."""
    return row[:width] + [""] * (width - len(row))


def _type_of(texts: Iterable[str]) -> str:
    found = [text for text in texts if text]
    if found and all(map(_NUMBER.fullmatch, found)):
        return "number"
    return "boolean" if found and all(map(_TRUTH.fullmatch, found)) else "text"
