"""The runs of some experiments as columns in memory, and what was found out about them.

A table of 100 000 runs is asked for window by window, and then in another order, grouped, and as a histogram. All these
read the same few narrow columns, so a column is fetched once through its index and kept until the counts of
:mod:`stele.stores.sql.changes` say that it may have changed. Places in a frame are those of a listing, newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from stele.stores.sql.bounded_cache import BoundedCache
from stele.stores.sql.changes import Changes, changes_of
from stele.stores.sql.raw_columns import IntegerArray, integer_columns
from stele.stores.sql.search_dialect import dialect_of
from stele.stores.sql.tables import runs

__all__ = ["Frame", "FrameMemory", "Kept", "Mask", "Places", "frame_of"]

T = TypeVar("T")

Mask = npt.NDArray[np.bool_]
"""Whether something is true, for each place."""
Places = npt.NDArray[np.intp]

_MOST_BYTES = 256 * 2**20
_SPARSE = 16
_serials = count()


@dataclass(frozen=True)
class Frame:
    """The runs of some experiments in some stages, newest first, as they were at one count of changes.

    Args:
        experiments: Experiment ids.
        stages: Stages of the runs.
        changes: The count of changes of everything but metrics.
        numbers: ``runs.run`` by place.
        statuses: Numbers of :class:`~stele.schema.enums.RunStatus`.
        starts: Milliseconds since 1970.
        ends: Likewise, ``NO_INTEGER`` for none.
        serial: Tells frames of this process apart.
    """

    experiments: tuple[int, ...]
    stages: tuple[int, ...]
    changes: Hashable
    numbers: IntegerArray
    statuses: IntegerArray
    starts: IntegerArray
    ends: IntegerArray
    serial: int = field(default_factory=lambda: next(_serials))

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def nbytes(self) -> int:
        """The memory it takes, with what finds places."""
        return (4 + _SPARSE) * self.numbers.nbytes

    @cached_property
    def _lookup(self) -> tuple[int, Places] | None:
        """The least number, and the place of every number from it on; None where they are too far apart for that."""
        if not len(self) or (span := int(np.ptp(self.numbers)) + 1) > _SPARSE * len(self):
            return None
        least = int(self.numbers.min())
        places = np.full(span, -1, np.intp)
        places[self.numbers - least] = np.arange(len(self))
        return least, places

    @cached_property
    def _by_number(self) -> tuple[Places, IntegerArray]:
        places = np.argsort(self.numbers, kind="stable")
        return places, self.numbers[places]

    def places(self, numbers: IntegerArray) -> tuple[Places, Mask]:
        """The place of each run, and which of them are in the frame; the place of another one means nothing."""
        if not len(self):
            return np.zeros(len(numbers), np.intp), np.zeros(len(numbers), bool)
        if self._lookup is not None:  # a tenth of the time of a search
            least, by_number = self._lookup
            within = (numbers >= least) & (numbers < least + len(by_number))
            found = by_number[np.where(within, numbers - least, 0)]
            return found, within & (found >= 0)
        places, ordered = self._by_number
        found = np.minimum(np.searchsorted(ordered, numbers), len(ordered) - 1)
        return places[found], ordered[found] == numbers

    def mask(self, numbers: IntegerArray) -> Mask:
        """Which places hold one of these runs."""
        places, known = self.places(numbers)
        mask = np.zeros(len(self), bool)
        mask[places[known]] = True
        return mask


class Kept:
    """What was found out about one frame, shared by the requests of a store.

    Args:
        memory: Where it is kept.
        frame: The frame.
        changes: What it depends on.
    """

    def __init__(self, memory: FrameMemory, frame: Frame, changes: Changes) -> None:
        self._memory = memory
        self._frame = frame
        self._metrics = changes.metrics

    def get(self, key: Hashable, make: Callable[[], T], *, metrics: bool) -> T:
        """What is kept under a key, made if it is not there.

        Args:
            key: Tells what it is, among all of the frame.
            make: Makes an object that is never changed, an array or something with ``nbytes``.
            metrics: Whether it depends on metrics as well.
        """
        whole = (self._frame.serial, self._metrics if metrics else None, key)
        found = self._memory.parts.get(whole)
        if found is None:
            found = make()
            self._memory.parts.keep(whole, found)
        return cast("T", found)


def _bytes(part: Any) -> int:
    return 256 + int(part.nbytes)


class FrameMemory:
    """The frames that a store has read last, and what was found out about them, in at most 256 MiB each."""

    def __init__(self) -> None:
        self.frames: BoundedCache[Hashable, Frame] = BoundedCache(_MOST_BYTES, _bytes)
        self.parts: BoundedCache[Hashable, Any] = BoundedCache(_MOST_BYTES, _bytes)


def frame_of(
    connection: Connection, memory: FrameMemory, experiments: Sequence[int], stages: tuple[int, ...]
) -> tuple[Frame, Changes]:
    """The runs of experiments, from memory when nothing has changed: one statement, or two.

    ``latest_metrics`` must be up to date.
    """
    ids = tuple(sorted(set(experiments)))
    changes = changes_of(connection, ids)  # first: what is read later is at least as new
    found = memory.frames.get((ids, stages))
    if found is None or found.changes != changes.runs:
        found = _read(connection, ids, stages, changes)
        memory.frames.keep((ids, stages), found)
    return found, changes


def _read(connection: Connection, ids: tuple[int, ...], stages: tuple[int, ...], changes: Changes) -> Frame:
    c = runs.c
    stage = c.stage == stages[0] if len(stages) == 1 else c.stage.in_(stages)
    own = c.experiment_id == ids[0] if len(ids) == 1 else dialect_of(connection).numbers(c.experiment_id, ids)
    query = select(c.run, c.status, c.start_time, c.end_time).where(own, stage).order_by(c.start_time.desc(), c.run_id)
    numbers, statuses, starts, ends = integer_columns(connection, query)
    return Frame(ids, stages, changes.runs, numbers, statuses, starts, ends)
