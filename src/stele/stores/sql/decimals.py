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
_POWERS = 10.0 ** np.arange(MOST_DIGITS + 1)[:, None]


class Decimals(NamedTuple):
    """Numbers as integers divided by 10 to the power of ``digits``."""

    digits: int
    integers: Ints


def as_decimals(values: Doubles) -> Decimals | None:
    """The integers of which :func:`as_doubles` makes the same values, bit for bit; None where there are none."""
    for digits in _possible_digits(values[:: max(1, len(values) // _TRIED_FIRST)]):
        integers = _integers(values, digits)
        if integers is not None:
            return Decimals(digits, integers)
    return None


def _possible_digits(sample: Doubles) -> list[int]:
    """How many digits are enough for some of the values: all numbers of digits at once, since most values need more."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(sample * _POWERS)
        restored = (scaled + 0.0) / _POWERS  # an integer has no -0.0
        exact = (np.abs(scaled) < _EXACT) & (restored.view(np.int64) == sample.view(np.int64))
    found: list[int] = exact.all(axis=1).nonzero()[0].tolist()
    return found


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
