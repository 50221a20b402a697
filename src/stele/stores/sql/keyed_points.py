"""The points of many keys of one run, sorted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from stele.stores.sql.points import Ints, Points, concatenated, repeats, value_order
from stele.stores.sql.records import Grid, unpack

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
    def of_log(cls, rows: Iterable[bytes], key: int | None = None) -> KeyedPoints:
        """The points of rows of the ingest log; of one key when it is given."""
        grids, keys, points = unpack(rows, key)
        parts = [cls._of_grid(grid) for grid in grids]
        return cls.merged([*parts, cls.sorted(keys, points)] if len(keys) else parts)

    @classmethod
    def _of_grid(cls, grid: Grid) -> KeyedPoints:
        """The points of metrics that were logged together."""
        order = np.argsort(grid.keys)
        keys, count = grid.keys[order], len(grid.steps)
        columns = np.tile(grid.steps, len(keys)), np.tile(grid.timestamps, len(keys)), grid.values[order].reshape(-1)
        if _ascend(grid.steps) and _ascend(keys):
            return cls(keys, np.arange(len(keys) + 1) * count, Points(*columns))
        return cls.sorted(np.repeat(keys, count), Points(*columns))

    @classmethod
    def merged(cls, parts: Sequence[KeyedPoints]) -> KeyedPoints:
        """The points of all parts; those whose steps mostly come later should stand behind the others."""
        parts = [part for part in parts if len(part)]
        if len(parts) == 1:
            return parts[0]
        by_key = sorted(parts, key=lambda part: int(part.keys[0]))
        if all(part.keys[-1] < following.keys[0] for part, following in pairwise(by_key)):
            counts = _joined([part.counts for part in by_key])
            points = concatenated([part.points for part in by_key])
            return cls(_joined([part.keys for part in by_key]), np.append(0, np.cumsum(counts)), points)
        keys = _joined([np.repeat(part.keys, part.counts) for part in parts])
        return cls.sorted(keys, concatenated([part.points for part in parts]))

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


def _joined(columns: Sequence[Ints]) -> Ints:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)


def _ascend(numbers: Ints) -> bool:
    return bool((numbers[1:] > numbers[:-1]).all())


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
