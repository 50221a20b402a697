"""Reading points: segments and what the ingest log holds beyond them, as one set.

Segments and log are read by one statement, which every database answers from one state: so a reader never sees points
twice, or not at all, while a compaction moves them. Nothing here relies on segments being disjoint; where they are,
which is nearly always, their points are decoded into place and not looked at again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    bindparam,
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
from stele.stores.sql.points import Ints, Points, concatenated, count_before, sorted_distinct
from stele.stores.sql.tables import ingest_log, run_forks, runs, segments

__all__ = [
    "LOG",
    "Segment",
    "cells_of_segments",
    "decoded",
    "log_columns",
    "read_points",
    "segment_columns",
    "shown_segments",
    "visible",
]

LOG = -1
"""``sealed`` of a row that comes from the ingest log."""

_UNCUT: ColumnElement[int] = literal_column(str(limits.INT64_MAX))


class Segment(NamedTuple):
    """A row of ``segments``, or of ``ingest_log`` with ``sealed`` = LOG; ``summary`` and ``data`` where asked for.

    Points of a later step than ``cut`` are not the run's: it was forked from the one that they belong to.
    """

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


def _inherited(run: Any) -> list[ColumnElement[bool]]:
    """Which segments of other runs show the beginning of a forked one, together with ``run_forks``."""
    s, f = segments.c, run_forks.c
    then = or_(s.hidden_epoch == 0, s.hidden_epoch > f.parent_epoch)
    return [
        f.run == run,
        f.hidden_epoch == 0,
        s.run == f.parent,
        s.epoch <= f.parent_epoch,
        then,
        s.first_step <= f.step,
    ]


def segment_columns(*, summary: Any = None, data: Any = None, cut: Any = _UNCUT) -> Select[Any]:
    """A query for segments as :class:`Segment`."""
    s = segments.c
    wide = [null() if column is None else column for column in (summary, data)]
    return select(s.id, s.sealed, s.first_key, s.last_key, s.first_step, s.last_step, s.points, cut, *wide)


def shown_segments(run: Any, *conditions: ColumnElement[bool], summary: Any = None, data: Any = None) -> list[Any]:
    """Queries for the segments that show a run, its own and those of the runs that it was forked from."""
    own = segment_columns(summary=summary, data=data).where(*visible(run), *conditions)
    inherited = segment_columns(summary=summary, data=data, cut=run_forks.c.step).where(*_inherited(run), *conditions)
    return [own, inherited]


def log_columns(run: Any, until: Any) -> Select[Any]:
    """A query for the log of a run as :class:`Segment`.

    Args:
        run: Row number of the run.
        until: The last row wanted.
    """
    c = ingest_log.c
    nothing: list[ColumnElement[Any]] = [literal_column("0")] * 4
    columns = [c.id, literal_column(str(LOG)), *nothing, c.points, _UNCUT, null(), c.records]
    return select(*columns).where(c.run == run, c.id <= until)


def _query(*keys: ColumnElement[bool]) -> CompoundSelect[Any]:
    run: BindParameter[int] = bindparam("run")
    steps = segments.c.first_step <= bindparam("last_step"), segments.c.last_step >= bindparam("first_step")
    found = shown_segments(run, *steps, *keys, data=segments.c.data)
    return union_all(*found, log_columns(run, bindparam("until")))


# Through the index (run, first_key, last_key, ...): of the run's segments only those of the key are looked up.
_OF_ONE_KEY = Prepared(_query(segments.c.first_key <= bindparam("key"), segments.c.last_key >= bindparam("key")))
_OF_MANY_KEYS = _query(
    segments.c.first_key <= bindparam("high"),
    segments.c.last_key >= bindparam("low"),
    or_(segments.c.first_key != segments.c.last_key, segments.c.first_key.in_(bindparam("keys", expanding=True))),
)


def read_points(
    connection: Connection,
    run: int,
    key_ids: Iterable[int],
    first_step: int | None = None,
    last_step: int | None = None,
    *,
    until: int | None = None,
) -> dict[int, Points]:
    """The points of some series of a run in canonical order, each once.

    Args:
        connection: Where to read.
        run: Row number of the run.
        key_ids: Numbers of the keys; each is in the result, with no points when it has none.
        first_step: Only points of this step and later ones.
        last_step: Only points up to this step.
        until: Only what the ingest log holds up to this row.

    Raises:
        DataLoss: A segment is damaged; the message names it.
        MissingDependency: A segment was written with a library that is not installed here.
    """
    wanted = list(dict.fromkeys(key_ids))
    bounds = {
        "run": run,
        "first_step": limits.INT64_MIN if first_step is None else first_step,
        "last_step": limits.INT64_MAX if last_step is None else last_step,
        "until": limits.INT64_MAX if until is None else until,
    }
    result: dict[int, Points] = {}
    for part in parts(wanted):
        found = _found(connection, part, bounds)
        pieces = _by_key(connection, run, found, part)
        for key in part:
            points = _assembled(connection, run, *pieces[key])
            result[key] = _between_steps(points, first_step, last_step)
    return result


def _found(connection: Connection, keys: Sequence[int], bounds: dict[str, int]) -> list[Segment]:
    if len(keys) == 1:
        rows = _OF_ONE_KEY(connection, {**bounds, "key": keys[0]}).all()
    else:
        rows = connection.execute(_OF_MANY_KEYS, {**bounds, "low": min(keys), "high": max(keys), "keys": keys}).all()
    return list(map(Segment._make, rows))


def _by_key(
    connection: Connection, run: int, found: Iterable[Segment], keys: Collection[int]
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
            content = decoded(connection, run, segment)
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


def decoded(connection: Connection, run: int, segment: Segment) -> KeyedPoints:
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
        raise _damaged(connection, run, segment.id, e) from e
    return KeyedPoints(keys, np.append(0, np.cumsum(counts)), points)


def _damaged(connection: Connection, run: int, segment: int, cause: Corrupt) -> DataLoss:
    """The error for a segment that cannot be read."""
    run_id = connection.scalar(select(runs.c.run_id).where(runs.c.run == run))
    return DataLoss(
        f"Segment {segment} of run {shown(run_id)} is damaged: {cause}. Its points cannot be read; "
        "restore the database from a backup."
    )


def cells_of_segments(
    connection: Connection, run: int, sealed: Sequence[Segment], joined: int = 1
) -> tuple[Cells, Ints]:
    """The cells of sealed segments, one segment after the other, and how many each has.

    Args:
        connection: Where the run can be looked up.
        run: Row number of the run.
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
                raise _damaged(connection, run, segment.id, e) from e
        raise


def _assembled(connection: Connection, run: int, sealed: list[Segment], loose: list[Points]) -> Points:
    """One series from its sealed segments and its other points."""
    sealed.sort(key=lambda segment: (segment.first_step, segment.last_step, segment.id))
    late = sorted_distinct(concatenated(loose))
    count = sum(segment.points for segment in sealed)
    room = Points.empty(count + len(late))
    points = room[:count]
    ascending, start = True, 0
    for segment in sealed:
        end = start + segment.points
        try:
            decode_points(segment.data, points[start:end])
        except Corrupt as e:
            raise _damaged(connection, run, segment.id, e) from e
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


def _between_steps(points: Points, first: int | None, last: int | None) -> Points:
    if first is None and last is None:
        return points
    start = 0 if first is None else int(np.searchsorted(points.steps, first, "left"))
    end = len(points) if last is None else int(np.searchsorted(points.steps, last, "right"))
    return points[start:end]
