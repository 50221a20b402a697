"""Doubles that were rounded: integers divided by a power of ten, which compress to their digits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stele.stores.sql.points import Ints

__all__ = ["MOST_DIGITS", "Decimals", "as_decimals", "as_doubles"]

Doubles = npt.NDArray[np.float64]

MOST_DIGITS = 9
"""Most digits behind the point."""

_EXACT = 2.0**53
_TRIED_FIRST = 64


class Decimals(NamedTuple):
    """Numbers as integers divided by 10 to the power of ``digits``."""

    digits: int
    integers: Ints


def as_decimals(values: Doubles) -> Decimals | None:
    """The integers of which :func:`as_doubles` makes the same values, bit for bit; None where there are none."""
    sample = values[:: max(1, len(values) // _TRIED_FIRST)]
    for digits in range(MOST_DIGITS + 1):
        if _integers(sample, digits) is not None:
            integers = _integers(values, digits)
            if integers is not None:
                return Decimals(digits, integers)
    return None


def _integers(values: Doubles, digits: int) -> Ints | None:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(values * 10.0**digits)
        if not (np.abs(scaled) < _EXACT).all():  # nor is NaN
            return None
    integers = scaled.astype(np.int64)
    same = as_doubles(integers, digits).view(np.int64) == values.view(np.int64)  # which tells -0.0 from 0.0
    return integers if same.all() else None


def as_doubles(integers: npt.NDArray[np.integer], digits: int) -> Doubles:
    """The values of integers."""
    values: Doubles = integers / 10.0**digits
    return values
