"""Tables in files, read and written in pieces: CSV, Parquet, JSON lines, and the JSON bodies of a scoring server.

With pyarrow CSV is read and written several times as fast as without; Parquet needs it.
"""

from __future__ import annotations

import io
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from stele.errors import InvalidParameterValue, MissingDependency, shown
from stele.models.json_values import frame_rows
from stele.serving.payloads import JSON, Payload, Table, parse_body, rows_of_records

__all__ = ["FORMATS", "TableWriter", "format_of", "open_writer", "read_payloads"]

FORMATS = ("csv", "parquet", "jsonl", "json")
ROWS_AT_ONCE = 65_536
# Larger pieces take more memory and are slower, as they no longer fit into the processor's cache.
_BLOCK_BYTES = 2 * 1024 * 1024
_MAX_JSON_BYTES = 1024 * 1024 * 1024

Moved = Callable[[int], None]


def format_of(path: Path | None, given: str | None, default: str) -> str:
    """The format of a file: as it was named, else by the ending of its name.

    Raises:
        InvalidParameterValue: It is none of :data:`FORMATS`.
    """
    endings = {"ndjson": "jsonl", "pq": "parquet"}
    found = given or (path.suffix.removeprefix(".").lower() if path is not None else default)
    found = endings.get(found, found)
    if found not in FORMATS:
        name = shown(str(path)) if path is not None else shown(found)
        raise InvalidParameterValue(f"The format of {name} is unknown. Known are {', '.join(FORMATS)}.")
    return found


def read_payloads(file: IO[bytes], kind: str, types: dict[str, str], moved: Moved) -> Iterator[Payload]:
    """The rows of a file, so many at once.

    Args:
        file: Open for reading in binary; Parquet wants one that can be searched.
        kind: One of :data:`FORMATS`. ``json`` is a body as ``/invocations`` takes it, and is read whole.
        types: Arrow's names of the types of columns that are known, for CSV.
        moved: Told how many bytes more have been read.

    Raises:
        InvalidParameterValue: The content is not of this format.
        MissingDependency: It is Parquet and pyarrow is not installed.
    """
    return _READERS[kind](file, types, moved)


def _csv(file: IO[bytes], types: dict[str, str], moved: Moved) -> Iterator[Payload]:
    counted = cast("IO[bytes]", _Counted(file, moved))
    try:
        import pyarrow as pa
        from pyarrow import csv
    except ImportError:
        yield from _csv_of_pandas(counted)
        return
    convert = csv.ConvertOptions(
        column_types={name: pa.type_for_alias(kind) for name, kind in types.items()}, strings_can_be_null=True
    )
    try:
        reader = csv.open_csv(counted, csv.ReadOptions(block_size=_BLOCK_BYTES), convert_options=convert)
        for batch in reader:
            yield Payload(Table(pa.Table.from_batches([batch]).to_pandas(self_destruct=True, split_blocks=True)))
    except pa.ArrowInvalid as e:
        if "straddling" in str(e):
            advice = "Write such rows as Parquet or JSON lines."
            raise InvalidParameterValue(f"A row of the CSV has more than {_BLOCK_BYTES} bytes. {advice}") from e
        raise InvalidParameterValue(f"The CSV cannot be read: {e}") from e


def _csv_of_pandas(file: IO[bytes]) -> Iterator[Payload]:
    import pandas as pd

    try:
        for frame in pd.read_csv(file, chunksize=ROWS_AT_ONCE, encoding="utf-8"):
            yield Payload(Table(frame.reset_index(drop=True)))
    except (ValueError, pd.errors.ParserError) as e:
        raise InvalidParameterValue(f"The CSV cannot be read: {e}") from e


def _parquet(file: IO[bytes], types: dict[str, str], moved: Moved) -> Iterator[Payload]:
    pa, parquet = _pyarrow("to read Parquet")
    try:
        source = parquet.ParquetFile(file)
        bytes_a_row = _size(file) / max(1, source.metadata.num_rows)
        for batch in source.iter_batches(batch_size=ROWS_AT_ONCE):
            yield Payload(Table(pa.Table.from_batches([batch]).to_pandas(self_destruct=True, split_blocks=True)))
            moved(int(batch.num_rows * bytes_a_row))
    except pa.ArrowInvalid as e:
        raise InvalidParameterValue(f"The Parquet file cannot be read: {e}") from e


def _json_lines(file: IO[bytes], types: dict[str, str], moved: Moved) -> Iterator[Payload]:
    number = 0
    decoder = msgspec.json.Decoder()
    while lines := list(islice(file, ROWS_AT_ONCE // 4)):
        records = []
        for line in lines:
            number += 1
            if not line.strip():
                continue
            try:
                record = decoder.decode(line)
            except msgspec.DecodeError as e:
                raise InvalidParameterValue(f"Line {number} is no JSON: {e}") from e
            if not isinstance(record, dict):
                raise InvalidParameterValue(
                    f"Line {number} is {shown(record)}; each line must be an object with a row."
                )
            records.append(record)
        yield Payload(rows_of_records(records))
        moved(sum(map(len, lines)))


def _json(file: IO[bytes], types: dict[str, str], moved: Moved) -> Iterator[Payload]:
    body = file.read(_MAX_JSON_BYTES + 1)
    if len(body) > _MAX_JSON_BYTES:
        raise InvalidParameterValue(
            "JSON is read whole, and this is more than 1 GiB. Write the rows as CSV, Parquet or JSON lines."
        )
    moved(len(body))
    yield parse_body(JSON, body)


_READERS: dict[str, Callable[[IO[bytes], dict[str, str], Moved], Iterator[Payload]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "jsonl": _json_lines,
    "json": _json,
}


class _Counted(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], moved: Moved) -> None:
        super().__init__()
        self._file = file
        self._moved = moved

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._moved(len(piece))
        return piece

    def readinto(self, buffer: Any) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _size(file: IO[bytes]) -> int:
    here = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(here)
    return size


class TableWriter(ABC):
    """Writes frames one behind the other. ``close`` makes the file whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @abstractmethod
    def write(self, frame: Any) -> None:
        """Add the rows of a pandas data frame."""

    def close(self) -> None:  # noqa: B027 - most formats need no end
        """Write what ends the file."""


class _ArrowWriter(TableWriter):
    """CSV or Parquet through pyarrow."""

    def __init__(self, file: IO[bytes], kind: str) -> None:
        super().__init__(file)
        self._kind = kind
        self._writer: Any = None
        self._schema: Any = None

    def write(self, frame: Any) -> None:
        pa, parquet = _pyarrow("to write Parquet")
        table = pa.Table.from_pandas(frame, schema=self._schema, preserve_index=False)
        if self._writer is None:
            self._schema = table.schema
            self._writer = (
                _csv_writer(self._file, self._schema)
                if self._kind == "csv"
                else parquet.ParquetWriter(self._file, self._schema)
            )
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _csv_writer(file: IO[bytes], schema: Any) -> Any:
    from pyarrow import csv

    return csv.CSVWriter(file, schema, write_options=csv.WriteOptions(quoting_style="needed"))


class _PandasCsvWriter(TableWriter):
    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._begun = False

    def write(self, frame: Any) -> None:
        self._file.write(frame.to_csv(index=False, header=not self._begun).encode())
        self._begun = True


class _JsonLinesWriter(TableWriter):
    def write(self, frame: Any) -> None:
        names = [str(name) for name in frame.columns]
        records = [dict(zip(names, row, strict=True)) for row in frame_rows(frame)]
        self._file.write(msgspec.json.Encoder().encode_lines(records))


class _JsonWriter(TableWriter):
    """``{"predictions": [...]}`` as a scoring server answers; a row is its value when it has one, else an object."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._separator = b'{"predictions": ['

    def write(self, frame: Any) -> None:
        names = [str(name) for name in frame.columns]
        single = names == ["prediction"]
        for row in frame_rows(frame):
            self._file.write(
                self._separator + msgspec.json.encode(row[0] if single else dict(zip(names, row, strict=True)))
            )
            self._separator = b", "

    def close(self) -> None:
        self._file.write(b"]}\n" if self._separator == b", " else self._separator + b"]}\n")


def open_writer(file: IO[bytes], kind: str) -> TableWriter:
    """A writer of one of :data:`FORMATS`.

    Raises:
        MissingDependency: It is Parquet and pyarrow is not installed.
    """
    if kind == "jsonl":
        return _JsonLinesWriter(file)
    if kind == "json":
        return _JsonWriter(file)
    if kind == "csv" and not _has_pyarrow():
        return _PandasCsvWriter(file)
    _pyarrow("to write Parquet")
    return _ArrowWriter(file, kind)


def _has_pyarrow() -> bool:
    try:
        _pyarrow("")
    except MissingDependency:
        return False
    return True


def _pyarrow(purpose: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as e:
        raise MissingDependency("pyarrow", purpose, "export") from e
    return pyarrow, sys.modules["pyarrow.parquet"]
