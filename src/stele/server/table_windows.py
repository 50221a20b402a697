"""What every form of tables needs: a file that is read from any place, and the rows of a window."""

from __future__ import annotations

import io
from typing import Any

import msgspec

from stele import limits
from stele.artifacts import ArtifactRepository
from stele.schema.artifacts import ReadArtifactTable, ReadArtifactTableResponse, TableCell, TableColumn

__all__ = ["TYPED_ROWS", "RepositoryFile", "Window", "answer"]

TYPED_ROWS = 1_000
"""By how many of its first rows the type of a column is told."""

_ANSWER_BYTES = 4 * 1024 * 1024


class RepositoryFile(io.RawIOBase):
    """A file of a repository, to be read from any place.

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
            self.sha256 = reader.info.sha256
        self._place = 0

    def whole(self) -> bytes:
        """All bytes at once."""
        return self._repository.open_read(self.path, version=self._version).read()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        """The place."""
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read what fits into a buffer."""
        length = min(len(buffer), self.size - self._place)
        if length <= 0:
            return 0
        with self._repository.open_read(self.path, offset=self._place, length=length, version=self._version) as reader:
            data = b"".join(reader)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


class Window:
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


def answer(window: Window, columns: list[TableColumn], scanned: int, *, complete: bool) -> ReadArtifactTableResponse:
    """The answer with the rows of a window; ``scanned`` bytes were read for ``total``."""
    return ReadArtifactTableResponse(
        columns=columns, rows=window.rows, total=window.total, complete=complete, scanned_bytes=scanned
    )
