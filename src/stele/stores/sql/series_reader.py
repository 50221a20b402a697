"""Reading points: segments and what the ingest log holds beyond them, as one set.

Segments and log are read by one statement, which every database answers from one state: so a reader never sees points
twice, or not at all, while a compaction moves them. Nothing here relies on segments being disjoint; where they are,
which is nearly always, their points are decoded into place and not looked at again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from stele import limits
from stele.errors import DataLoss, shown
from stele.stores.sql.cell_codec import unpack_cells
from stele.stores.sql.cells import Cells
from stele.stores.sql.column_blocks import decode_keys, decode_points
from stele.stores.sql.column_codec import Corrupt
from stele.stores.sql.dialect import Prepared
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.parts import parts
from stele.stores.sql.points import ALL_STEPS, Ints, Points, Steps, concatenated, count_before, sorted_distinct
from stele.stores.sql.tables import ingest_log, run_forks, runs, segments

__all__ = [
    "LOG",
    "SERIES_AT_ONCE",
    "Segment",
    "cells_of_segments",
    "decoded",
    "inherited",
    "points_of",
    "read_points",
    "segment_columns",
    "shown_segments",
    "visible",
]

LOG = -1
"""``sealed`` of a row that comes from the ingest log."""

SERIES_AT_ONCE = 16
"""Series of several runs that one statement finds; the log of their runs comes with them."""

_UNCUT: ColumnElement[int] = literal_column(str(limits.INT64_MAX))


class Segment(NamedTuple):
    """A row of ``segments``, or of ``ingest_log`` with ``sealed`` = LOG; ``summary`` and ``data`` where asked for.

    ``run`` shows it. Points of a later step than ``cut`` are not the run's: it was forked from the one that they belong
    to.
    """

    run: int
    id: int
    sealed: int
    first_key: int
    last_key: int
    first_step: int
    last_step: int
    points: int
    cut: int
    summary: bytes
    data: bytes

    def is_whole(self) -> bool:
        """Whether all of its points count."""
        return self.last_step <= self.cut

    def trimmed(self, points: Points) -> Points:
        """Those of its points that count."""
        return points if self.is_whole() else points[points.steps <= self.cut]


def visible(run: Any) -> list[ColumnElement[bool]]:
    """Which segments show the points of a run itself."""
    return [segments.c.run == run, segments.c.hidden_epoch == 0]


def inherited() -> list[ColumnElement[bool]]:
    """Which segments show what runs share with those that they were forked from; ``run_forks.run`` tells the run."""
    s, f = segments.c, run_forks.c
    return [
        f.hidden_epoch == 0,
        s.run == f.parent,
        s.epoch <= f.parent_epoch,
        or_(s.hidden_epoch == 0, s.hidden_epoch > f.parent_epoch),
        s.first_step <= f.step,
    ]


def segment_columns(
    *, summary: Any = None, data: Any = None, run: Any = segments.c.run, cut: Any = _UNCUT
) -> Select[Any]:
    """A query for segments as :class:`Segment`."""
    s = segments.c
    wide = [null() if column is None else column for column in (summary, data)]
    return select(run, s.id, s.sealed, s.first_key, s.last_key, s.first_step, s.last_step, s.points, cut, *wide)


def _shown(data: Any) -> Prepared:
    """A query for what shows some series: segments, those of the runs that theirs were forked from, and the log."""
    s, f, log = segments.c, run_forks.c, ingest_log.c
    asked: BindParameter[Any] = bindparam("runs", expanding=True)
    # Through the index (run, first_key, last_key, ...): of a run's segments only those of the keys are looked up.
    overlap = [
        s.first_step <= bindparam("last_step"),
        s.last_step >= bindparam("first_step"),
        s.first_key <= bindparam("high"),
        s.last_key >= bindparam("low"),
        or_(s.first_key != s.last_key, s.first_key.in_(bindparam("keys", expanding=True))),
    ]
    own = segment_columns(data=data).where(s.run.in_(asked), s.hidden_epoch == 0, *overlap)
    shared = segment_columns(data=data, run=f.run, cut=f.step).where(f.run.in_(asked), *inherited(), *overlap)
    nothing: list[ColumnElement[Any]] = [literal_column("0")] * 4
    columns = [log.run, log.id, literal_column(str(LOG)), *nothing, log.points, _UNCUT, null(), log.records]
    logged = select(*columns).where(log.run.in_(asked), log.id <= bindparam("until"))
    return Prepared(union_all(own, shared, logged))


# No segment has what is asked for without data: it is NULL, of the type that the records of the log have.
_SHOWN = {True: _shown(segments.c.data), False: _shown(case((segments.c.sealed == LOG, segments.c.data)))}


def shown_segments(
    connection: Connection,
    run_numbers: Collection[int],
    key_ids: Collection[int],
    steps: Steps,
    *,
    until: int | None = None,
    data: bool = True,
) -> list[Segment]:
    """What shows some series of some runs, as one statement finds it.

    Args:
        connection: Where to read.
        run_numbers: Row numbers of the runs, at least one.
        key_ids: Numbers of the keys, at least one.
        steps: Only what may have points of these steps.
        until: Only what the ingest log holds up to this row.
        data: Whether to read the points of segments; those of the log always are.
    """
    asked = {
        "runs": run_numbers,
        "keys": key_ids,
        "low": min(key_ids),
        "high": max(key_ids),
        "first_step": steps.low,
        "last_step": steps.high,
        "until": limits.INT64_MAX if until is None else until,
    }
    return list(map(Segment._make, _SHOWN[data].rows(connection, asked)))


def read_points(
    connection: Connection,
    run: int,
    key_ids: Iterable[int],
    steps: Steps = ALL_STEPS,
    *,
    until: int | None = None,
) -> dict[int, Points]:
    """The points of some series of a run in canonical order, each once.

    Args:
        connection: Where to read.
        run: Row number of the run.
        key_ids: Numbers of the keys; each is in the result, with no points when it has none.
        steps: Only points of these steps.
        until: Only what the ingest log holds up to this row.

    Raises:
        DataLoss: A segment is damaged; the message names it.
        MissingDependency: A segment was written with a library that is not installed here.
    """
    result: dict[int, Points] = {}
    for part in parts(dict.fromkeys(key_ids)):
        found = shown_segments(connection, [run], part, steps, until=until)
        result |= zip(part, points_of(connection, found, part, steps), strict=True)
    return result


def points_of(
    connection: Connection, found: Iterable[Segment], key_ids: Sequence[int], steps: Steps
) -> Iterator[Points]:
    """The points of each of some series of a run that have such steps, given all that shows the series.

    Raises:
        DataLoss: A segment is damaged; the message names it.
        MissingDependency: A segment was written with a library that is not installed here.
    """
    pieces = _by_key(connection, found, key_ids)
    for key in key_ids:
        yield steps.of(_assembled(connection, *pieces[key]))


def _by_key(
    connection: Connection, found: Iterable[Segment], keys: Collection[int]
) -> dict[int, tuple[list[Segment], list[Points]]]:
    """Per key its sealed segments, and its points elsewhere, unsorted pieces of them."""
    pieces: dict[int, tuple[list[Segment], list[Points]]] = {key: ([], []) for key in keys}
    log: list[bytes] = []
    for segment in found:
        if segment.sealed == LOG:
            log.append(segment.data)
        elif segment.sealed and segment.first_key in pieces and segment.is_whole():
            pieces[segment.first_key][0].append(segment)
        elif not segment.sealed or segment.first_key in pieces:
            content = decoded(connection, segment)
            for key in _shared(content.keys, keys):
                pieces[key][1].append(segment.trimmed(content.of(key)))
    if log:
        # A log of many keys is not sorted for one.
        content = KeyedPoints.of_log(log, next(iter(keys)) if len(keys) == 1 else None)
        for key in _shared(content.keys, keys):
            pieces[key][1].append(content.of(key))
    return pieces


def _shared(present: Ints, wanted: Collection[int]) -> list[int]:
    if len(wanted) == 1:
        return list(wanted)
    return list(set(present.tolist()).intersection(wanted))


def decoded(connection: Connection, segment: Segment) -> KeyedPoints:
    """All points of a segment.

    Raises:
        DataLoss: It is damaged.
        MissingDependency: It was written with a library that is not installed here.
    """
    points = Points.empty(segment.points)
    try:
        decode_points(segment.data, points)
        if segment.first_key == segment.last_key:
            return KeyedPoints(np.array([segment.first_key]), np.array([0, segment.points]), points)
        keys, counts = decode_keys(segment.data)
    except Corrupt as e:
        raise _damaged(connection, segment, e) from e
    return KeyedPoints(keys, np.append(0, np.cumsum(counts)), points)


def _damaged(connection: Connection, segment: Segment, cause: Corrupt) -> DataLoss:
    """The error for a segment that cannot be read."""
    run_id = connection.scalar(select(runs.c.run_id).where(runs.c.run == segment.run))
    return DataLoss(
        f"Segment {segment.id} of run {shown(run_id)} is damaged: {cause}. Its points cannot be read; "
        "restore the database from a backup."
    )


def cells_of_segments(connection: Connection, sealed: Sequence[Segment], joined: int = 1) -> tuple[Cells, Ints]:
    """The cells of sealed segments, one segment after the other, and how many each has.

    Args:
        connection: Where their run can be looked up.
        sealed: Segments with their summaries.
        joined: How many neighbouring cells of a segment become one.

    Raises:
        DataLoss: A summary is damaged.
    """
    try:
        return unpack_cells([segment.summary for segment in sealed], joined)
    except Corrupt:
        for segment in sealed:
            try:
                unpack_cells([segment.summary])
            except Corrupt as e:
                raise _damaged(connection, segment, e) from e
        raise


def _assembled(connection: Connection, sealed: list[Segment], loose: list[Points]) -> Points:
    """One series from its sealed segments and its other points."""
    late = sorted_distinct(concatenated(loose))
    if not sealed:
        return late
    sealed.sort(key=lambda segment: (segment.first_step, segment.last_step, segment.id))
    count = sum(segment.points for segment in sealed)
    room = Points.empty(count + len(late))
    points = room[:count]
    ascending, start = True, 0
    for segment in sealed:
        end = start + segment.points
        try:
            decode_points(segment.data, points[start:end])
        except Corrupt as e:
            raise _damaged(connection, segment, e) from e
        ascending = ascending and (not start or _rank(points, start - 1) < _rank(points, start))
        start = end
    if not ascending:
        return sorted_distinct(concatenated([points, late]))
    if not len(late):
        return points
    # Only what stands behind the first of them moves, and nothing when that is nothing.
    place = count_before(points, int(late.steps[0]), int(late.timestamps[0]))
    if place < count:
        late = sorted_distinct(concatenated([points[place:], late]))
    end = place + len(late)
    for column, tail in zip(room.columns, late.columns, strict=True):
        column[place:end] = tail
    return room[:end]


def _rank(points: Points, place: int) -> tuple[int, int, float, bool, bool]:
    """What decides about the order of a point."""
    value = float(points.values[place])
    nan = value != value
    return (
        int(points.steps[place]),
        int(points.timestamps[place]),
        0.0 if nan else value,
        nan,
        math.copysign(1.0, value) > 0,
    )
