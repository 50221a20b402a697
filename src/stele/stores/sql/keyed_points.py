"""The points of many keys of one run, sorted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stele.stores.sql.points import Ints, Points, canonical_values, concatenated, repeats, value_order
from stele.stores.sql.records import Records

__all__ = ["KeyedPoints"]


@dataclass(frozen=True, slots=True, eq=False)
class KeyedPoints:
    """Points sorted by key, then in canonical order, each once.

    Attributes:
        keys: Key numbers, ascending, each once.
        bounds: Where the points of each key begin, and at last how many points there are; one longer than ``keys``.
        points: The points of all keys.
    """

    keys: Ints
    bounds: Ints
    points: Points

    def __len__(self) -> int:
        return len(self.points)

    def items(self) -> Iterator[tuple[int, Points]]:
        """Each key number with its points."""
        bounds = self.bounds.tolist()
        for i, key in enumerate(self.keys.tolist()):
            yield key, self.points[bounds[i] : bounds[i + 1]]

    def of(self, key: int) -> Points:
        """The points of a key; none when it is not there."""
        place = int(np.searchsorted(self.keys, key))
        if place == len(self.keys) or self.keys[place] != key:
            return Points.empty()
        return self.points[int(self.bounds[place]) : int(self.bounds[place + 1])]

    def filtered(self, keep: npt.NDArray[np.bool_]) -> KeyedPoints:
        """The points at which ``keep`` is true."""
        bounds = np.append(0, np.cumsum(keep))[self.bounds]
        present = np.flatnonzero(np.diff(bounds))
        return KeyedPoints(self.keys[present], np.append(bounds[present], bounds[-1]), self.points[keep])

    @property
    def counts(self) -> Ints:
        """How many points each key has."""
        return np.diff(self.bounds)

    @classmethod
    def of_records(cls, records: Records) -> KeyedPoints:
        """The points of packed records."""
        steps, timestamps = (np.ascontiguousarray(records[name]) for name in ("step", "timestamp"))
        values = canonical_values(records["value"])
        return cls.sorted(records["key"].astype(np.int64), Points(steps, timestamps, values))

    @classmethod
    def merged(cls, parts: Sequence[KeyedPoints]) -> KeyedPoints:
        """The points of all parts."""
        if len(parts) == 1:
            return parts[0]
        keys = [np.repeat(part.keys, part.counts) for part in parts]
        return cls.sorted(
            np.concatenate(keys) if keys else np.empty(0, np.int64), concatenated([part.points for part in parts])
        )

    @classmethod
    def sorted(cls, keys: Ints, points: Points) -> KeyedPoints:
        """Points in any order, repetitions included, and the key of each."""
        order = _key_order(keys)
        keys, points = keys[order], points[order]
        same_key = keys[1:] == keys[:-1]
        unsorted = same_key & (points.steps[1:] <= points.steps[:-1])
        if unsorted.any():
            keys, points = _resorted(keys, points, np.unique(keys[1:][unsorted]))
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, np.int64)
        return cls(keys[starts], np.append(starts, len(keys)), points)


def _key_order(keys: Ints) -> Ints:
    """Indexes that sort key numbers, equal ones in their order."""
    if not len(keys) or (keys[1:] >= keys[:-1]).all():
        return np.arange(len(keys))
    low = keys.min()
    if keys.max() - low < 65_536:  # numpy sorts 16 bits by counting, ten times faster
        return np.argsort((keys - low).astype(np.uint16), kind="stable")
    return np.argsort(keys, kind="stable")


def _resorted(keys: Ints, points: Points, late: Ints) -> tuple[Ints, Points]:
    """Points that are sorted by key, with those of some keys put in order and their repetitions dropped."""
    places = np.flatnonzero(np.isin(keys, late))
    tied, tied_keys = points[places], keys[places]
    order = np.lexsort((*value_order(tied.values), tied.timestamps, tied.steps, tied_keys))
    tied, tied_keys = tied[order], tied_keys[order]
    for column, ordered in zip(points.columns, tied.columns, strict=True):
        column[places] = ordered
    repeated = repeats(tied) & (tied_keys[1:] == tied_keys[:-1])
    if not repeated.any():
        return keys, points
    keep = np.ones(len(keys), bool)
    keep[places[1:][repeated]] = False
    return keys[keep], points[keep]
