"""Doubles that were rounded: integers divided by a power of ten, which compress to their digits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stele.stores.sql.points import Ints

__all__ = ["Decimals", "as_decimals"]

Doubles = npt.NDArray[np.float64]

_MOST_DIGITS = 9
_EXACT = 2.0**53
_TRIED_FIRST = 64
_POWERS = np.float_power(10.0, np.arange(_MOST_DIGITS + 1))[:, None]


class Decimals(NamedTuple):
    """Numbers as integers divided by 10 to the power of ``digits``."""

    digits: int
    integers: Ints


def as_decimals(values: Doubles) -> Decimals | None:
    """The values as decimals that are the same, bit for bit, with the fewest digits; None where there are none."""
    for digits in _possible_digits(values[:: max(1, len(values) // _TRIED_FIRST)]):
        integers, same = _scaled(values, 10.0**digits)
        if same.all():
            return Decimals(digits, integers.astype(np.int64))
    return None


def _possible_digits(sample: Doubles) -> list[int]:
    """How many digits are enough for some of the values: all numbers of digits at once, since most values need more."""
    _, same = _scaled(sample, _POWERS)
    return np.nonzero(same.all(axis=1))[0].tolist()


def _scaled(values: Doubles, powers: float | Doubles) -> tuple[Doubles, npt.NDArray[np.bool_]]:
    """The nearest integers of values times powers of ten, and where dividing them gives the same value again."""
    with np.errstate(over="ignore", invalid="ignore"):
        integers = np.rint(values * powers) + 0.0  # an integer has no -0.0
        exact = np.abs(integers) < _EXACT  # NaN is not
        return integers, exact & ((integers / powers).view(np.int64) == values.view(np.int64))
