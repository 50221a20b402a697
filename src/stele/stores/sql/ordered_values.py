"""One metric value as the ordered columns of three databases hold it: MySQL's DOUBLE knows neither NaN nor infinity."""

from __future__ import annotations

import math

from stele.stores.sql.tables import FINITE, MAX_DOUBLE, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY

__all__ = ["ordered", "restored"]


def ordered(value: float) -> tuple[float | None, int]:
    """The value, and its ``special``: NULL for NaN, the largest double for infinity."""
    if math.isnan(value):
        return None, NAN
    if math.isinf(value):
        return math.copysign(MAX_DOUBLE, value), POSITIVE_INFINITY if value > 0 else NEGATIVE_INFINITY
    return value, FINITE


def restored(value: float | None, special: int) -> float:
    """The inverse of :func:`ordered`."""
    if special == FINITE:
        assert value is not None
        return value
    return {NAN: math.nan, POSITIVE_INFINITY: math.inf, NEGATIVE_INFINITY: -math.inf}[special]
