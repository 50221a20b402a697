"""Records of metric points in fixed pieces, mapped from files or, when the disk is full, in memory.

A record is 32 bytes, little-endian: number of the series (4 bytes), step (8), milliseconds since 1970 (8), value (8),
and last a mark (4). Whoever writes a record writes the mark after everything else. Pieces begin as zeros and no mark is
zero, so a record with its mark is complete however the process ended. Series 0 is a record that says nothing.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Records = npt.NDArray[np.void]
    Numbers = npt.NDArray[np.int64]

__all__ = [
    "INDEX_MASK",
    "INDEX_SHIFT",
    "MARKS",
    "MARK_OFFSET",
    "RECORD_BYTES",
    "RECORD_SHIFT",
    "SEGMENT_BYTES",
    "SEGMENT_RECORDS",
    "Segments",
    "pack_mark",
    "pack_payload",
    "packed",
]

RECORD_SHIFT = 5
RECORD_BYTES = 1 << RECORD_SHIFT
INDEX_SHIFT = 17
SEGMENT_RECORDS = 1 << INDEX_SHIFT
SEGMENT_BYTES = SEGMENT_RECORDS << RECORD_SHIFT
INDEX_MASK = SEGMENT_RECORDS - 1

MARKS = 2**32 - 1
"""Record ``n`` has the mark ``n % MARKS + 1``: never zero, and unlike those of its neighbours."""
MARK_OFFSET = 28
pack_payload = struct.Struct("<Iqqd").pack_into
pack_mark = struct.Struct("<I").pack_into

_FIELDS = [("series", "<u4"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8"), ("mark", "<u4")]
_SUFFIX = ".points"

Buffer = mmap.mmap | bytearray


class Segments:
    """The pieces of one journal by index: piece ``i`` holds the records from ``i * SEGMENT_RECORDS`` on.

    Args:
        directory: Where the files lie; None keeps every piece in memory.

    Attributes:
        buffers: The pieces that exist. Threads that write records read it without a lock.
        strides: For pieces that were thinned: every how many points of a series one was kept.
        memory: How many pieces are in memory although there is a directory, because the disk refused them.
    """

    def __init__(self, directory: Path | None) -> None:
        self.buffers: dict[int, Buffer] = {}
        self.strides: dict[int, int] = {}
        self.memory = 0
        self._directory = directory
        self._lock = threading.Lock()

    @classmethod
    def load(cls, directory: Path) -> Segments:
        """The pieces that a process left behind."""
        segments = cls(directory)
        for path in sorted(directory.glob(f"*{_SUFFIX}"), key=_stride_of):  # a thinned piece hides the one it replaces
            index = int(path.name.partition("-")[0])
            if path.stat().st_size == SEGMENT_BYTES:  # else it was being made: no record is in it
                with path.open("rb") as file:
                    segments.buffers[index] = mmap.mmap(file.fileno(), SEGMENT_BYTES, access=mmap.ACCESS_READ)
                segments.strides[index] = _stride_of(path)
        return segments

    def create(self, index: int) -> Buffer:
        """The piece with an index, made by the first thread that asks; in memory when the disk refuses it."""
        with self._lock:
            buffer = self.buffers.get(index)
            if buffer is None:
                buffer = self._map(self._path(index, 1), bytes(SEGMENT_BYTES))
                self.buffers[index] = buffer
            return buffer

    def _map(self, path: Path | None, content: bytes) -> Buffer:
        """A piece with a content. It is written out, because a hole in a file would need room when it is too late."""
        if path is not None:
            try:
                with path.open("w+b", buffering=0) as file:
                    if file.write(content) == SEGMENT_BYTES:
                        return mmap.mmap(file.fileno(), SEGMENT_BYTES)
            except OSError:
                pass
            with contextlib.suppress(OSError):
                path.unlink()
            self.memory += 1
        return bytearray(content)

    def remove(self, index: int) -> None:
        """Forget a piece whose records are all stored."""
        buffer = self.buffers.pop(index)
        stride = self.strides.pop(index, 1)
        if isinstance(buffer, mmap.mmap):
            with contextlib.suppress(BufferError):  # a reader still looks at it; it goes with the last reference
                buffer.close()
            path = self._path(index, stride)
            with contextlib.suppress(OSError):
                if path is not None:
                    path.unlink()
        else:
            self.memory -= self._directory is not None

    def replace(self, indexes: list[int], content: bytes, stride: int) -> None:
        """Put one piece in the place of several neighbours; a crash in between leaves points twice, never none."""
        first = indexes[0]
        merged = self._map(self._path(first, stride), content)
        for index in indexes:
            self.remove(index)
        self.buffers[first], self.strides[first] = merged, stride

    def end(self) -> int:
        """The number behind the last complete record, 0 when there is none."""
        import numpy as np

        for index, buffer in sorted(self.buffers.items(), reverse=True):
            try:
                marks = np.frombuffer(buffer, "<u4")[MARK_OFFSET // 4 :: 1 << (RECORD_SHIFT - 2)]
            except ValueError:  # its records are stored and the sender has just closed it
                continue
            written = np.flatnonzero(marks)
            if len(written):
                return (index << INDEX_SHIFT) + int(written[-1]) + 1
        return 0

    def read(self, start: int, stop: int) -> tuple[Records, Numbers, Numbers]:
        """Copies of the complete records with numbers from ``start`` to before ``stop``.

        Returns:
            The records, their numbers, and the numbers of those that are not complete. Records of pieces that do not
            exist are in neither.
        """
        import numpy as np

        parts, numbers, missing = [np.empty(0, _FIELDS)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for index in sorted(self.buffers):
            base = index << INDEX_SHIFT
            low, high = max(start - base, 0), min(stop - base, SEGMENT_RECORDS)
            if low >= high:
                continue
            part = np.frombuffer(self.buffers[index], _FIELDS)[low:high].copy()
            place = np.arange(base + low, base + high)
            complete = part["mark"] == place % MARKS + 1
            parts.append(part[complete])
            numbers.append(place[complete])
            if self.strides.get(index, 1) == 1:  # the end of a thinned piece is empty and stays so
                missing.append(place[~complete])
        return np.concatenate(parts), np.concatenate(numbers), np.concatenate(missing)

    def bytes(self) -> int:
        """How much room the pieces take."""
        return len(self.buffers) * SEGMENT_BYTES

    def close(self) -> None:
        """Give back the maps; the files stay."""
        for buffer in self.buffers.values():
            if isinstance(buffer, mmap.mmap):
                with contextlib.suppress(BufferError):
                    buffer.close()
        self.buffers.clear()

    def _path(self, index: int, stride: int) -> Path | None:
        return None if self._directory is None else self._directory / f"{index:08}-{stride}{_SUFFIX}"


def _stride_of(path: Path) -> int:
    return int(path.name.removesuffix(_SUFFIX).partition("-")[2])


def packed(records: Any, index: int) -> bytes:
    """The content of the piece with an index that holds these records, at most ``SEGMENT_RECORDS`` of them."""
    import numpy as np

    content = np.zeros(SEGMENT_RECORDS, _FIELDS)
    content[: len(records)] = records
    base = index << INDEX_SHIFT
    content["mark"][: len(records)] = np.arange(base, base + len(records)) % MARKS + 1
    return content.tobytes()
