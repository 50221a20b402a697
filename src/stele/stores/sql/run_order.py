"""Puts runs of a frame in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stele.schema.run_table import RunColumn
from stele.search.tree import Field, OrderKey
from stele.stores.sql.run_columns import RunReader
from stele.stores.sql.run_frames import Places
from stele.stores.sql.run_values import NONE, Numbers
from stele.stores.sql.search_order import MISSING, NAN

__all__ = ["in_order"]

_NEWEST_FIRST = OrderKey(Field("attribute", "start_time"), ascending=False)


def in_order(reader: RunReader, order: Sequence[OrderKey], places: Places) -> Places:
    """The places in order; equals stay as they are, which is newest first when they ascend.

    Whatever the direction, NaN comes after all numbers and a missing value last. A param whose values are all numbers
    is ordered by number.
    """
    if not order or list(order) == [_NEWEST_FIRST]:
        return places
    terms = [term[places] for key in order for term in _terms(reader, key)]
    return places[np.lexsort(terms[::-1])]


def _terms(reader: RunReader, key: OrderKey) -> Iterator[npt.NDArray[Any]]:
    """What to sort by, upwards: a rank where runs may have no value, then the value."""
    field, sign = key.field, 1 if key.ascending else -1
    column = RunColumn(field.entity, field.key, field.aggregate or "last")  # type: ignore[arg-type]  # as the grammar
    if not reader.is_text(column):
        yield from _number_terms(reader.numbers(column), sign)
        return
    if field.entity == "param" and reader.is_numeric(column):
        yield from _number_terms(reader.numbers(column), sign)
        return
    texts = reader.texts(column)
    if (missing := texts.codes == NONE).any():
        yield np.where(missing, MISSING, 0)
    yield texts.codes * sign


def _number_terms(numbers: Numbers, sign: int) -> Iterator[npt.NDArray[Any]]:
    nan = np.isnan(numbers.values)
    if nan.any():
        yield np.where(nan, np.where(numbers.present, NAN, MISSING), 0)
    yield np.where(nan, 0.0, numbers.values) * sign
