"""What the machine itself can do: no design gets past these figures without doing something else."""

from __future__ import annotations

import mmap
import os
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.measure import median_ms
from benchmarks.results import Limit

__all__ = ["mapped_records", "memcpy_ms", "raw_blobs", "raw_rows", "synced_writes"]

POINT_BYTES = 24
"""Step, timestamp and value."""

_ROUNDS = 3


@cache
def raw_rows() -> Limit:
    """Points/s when each is a row that ``executemany`` inserts into SQLite."""
    count = 300_000
    with _database("CREATE TABLE points (key INTEGER, step INTEGER, value REAL)") as connection:

        def insert() -> None:
            rows = ((number % 5, number, number * 0.5) for number in range(count))
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO points VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")

        return Limit(_a_second(count, insert), "SQLite executemany, a row a point")


@cache
def raw_blobs() -> Limit:
    """Points/s when 1000 of them are one blob, and each blob a transaction of SQLite that is on disk at its end."""
    blob, count = os.urandom(1000 * POINT_BYTES), 300
    with _database("CREATE TABLE batches (id INTEGER PRIMARY KEY, data BLOB)") as connection:

        def insert() -> None:
            for _ in range(count):
                connection.execute("INSERT INTO batches (data) VALUES (?)", (blob,))

        return Limit(_a_second(1000 * count, insert), "SQLite, 1000 points a blob and a commit")


@cache
def synced_writes() -> Limit:
    """How often a second 4 KiB can be appended to a file and be on disk."""
    page, count = os.urandom(4096), 300
    with tempfile.NamedTemporaryFile() as file:

        def append() -> None:
            for _ in range(count):
                os.write(file.fileno(), page)
                os.fdatasync(file.fileno())

        return Limit(_a_second(count, append), "write + fdatasync")


@cache
def mapped_records() -> Limit:
    """How often a second Python can pack 32 bytes into a mapped file."""
    count, record = 200_000, struct.Struct("<qqqd")
    with tempfile.TemporaryFile() as file:
        file.truncate(count * record.size)
        with mmap.mmap(file.fileno(), 0) as memory:

            def write() -> None:
                for place in range(0, count * 32, 32):
                    record.pack_into(memory, place, 1, place, 3, 0.5)

            return Limit(_a_second(count, write), "struct.pack_into a mapped file")


def memcpy_ms(points: int) -> Limit:
    """Milliseconds to copy the three columns of so many points in memory."""
    source = np.ones(points * POINT_BYTES // 8)
    target = np.empty_like(source)
    return Limit(median_ms(lambda: np.copyto(target, source), 9), "memcpy")


def _a_second(count: int, work: Callable[[], None]) -> float:
    return count / (median_ms(work, _ROUNDS) / 1000)


@contextmanager
def _database(table: str) -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "raw.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(table)
        yield connection
        connection.close()
