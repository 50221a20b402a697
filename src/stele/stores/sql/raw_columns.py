"""Fetches narrow columns of very many rows, with as few Python objects as the driver allows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, func, select

__all__ = ["NO_INTEGER", "integer_columns", "raw_rows"]

NO_INTEGER = int(np.iinfo(np.int64).min)
"""Stands for NULL in columns of integers."""


def raw_rows(connection: Connection, query: Select[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query for numbers and texts, as the driver gives them: half the time for 100 000 of them."""
    result = connection.execute(query)
    cursor: Any = result.cursor
    rows: list[tuple[Any, ...]] = list(cursor.fetchall())
    result.close()
    return rows


def integer_columns(connection: Connection, query: Select[Any]) -> list[npt.NDArray[np.int64]]:
    """The columns of a query for integers, in the order of its rows; ``NO_INTEGER`` for NULL."""
    width = len(query.selected_columns)
    if connection.dialect.name == "sqlite":
        # One text for each column, which takes a third of the time of a tuple for each row.
        inner = query.subquery()
        texts = connection.execute(select(*(func.group_concat(func.coalesce(c, NO_INTEGER)) for c in inner.c))).one()
        return [np.fromstring(text or "", np.int64, sep=",") for text in texts]
    rows = raw_rows(connection, query)
    flat = np.fromiter(_integers(rows), np.int64, len(rows) * width).reshape(len(rows), width)
    return [np.ascontiguousarray(flat[:, place]) for place in range(width)]


def _integers(rows: list[tuple[Any, ...]]) -> Iterator[int]:
    return (NO_INTEGER if item is None else item for item in chain.from_iterable(rows))
