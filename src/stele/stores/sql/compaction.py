"""Moving the points of a run from its ingest log into segments.

Points of a key that fill a block become a sealed segment, which is not written again unless late points fall into it.
The others share blocks of many keys, sorted into generations: a compaction merges the newest ones as long as they are
not more than twice as long as what it has, so each point is rewritten a few times at most.

Reading, decoding and encoding happen outside the transaction that writes. It locks the run, removes exactly the rows
that were read, and inserts what they became; when another process was faster, some are missing, and nothing is done.
Nothing but speed relies on one compactor a run, see :meth:`~stele.stores.sql.database.Database.claim`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, delete, func, select

from stele.stores.sql.block_cuts import NewBlock, Piece, SealedBlock, cut_blocks, pieces_of
from stele.stores.sql.cell_codec import pack_cells
from stele.stores.sql.column_blocks import encode_block
from stele.stores.sql.database import Database
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.parts import parts
from stele.stores.sql.points import Points
from stele.stores.sql.series_reader import Segment, cells_of_segments, decoded, segment_columns, visible
from stele.stores.sql.tables import ingest_log, rewinds, runs, segments

__all__ = ["compact_once", "current_epoch", "segment_row"]

LOG_POINTS_AT_ONCE = 524_288
"""About as many points of the log as one compaction takes."""

MERGED_POINTS = 4_194_304
"""Most points that are merged at once, 100 MB of memory. Generations that would exceed it are left as they are."""

REOPENED_BLOCKS = 128
"""Most sealed blocks that one compaction merges late points into; those of the others wait in shared blocks."""


class _Overtaken(Exception):
    """What was read is no longer there."""


class _Input(NamedTuple):
    """What a compaction reads at first."""

    epoch: int
    until: int
    """The last row of the log that is taken."""
    log: list[bytes]
    points: int
    """Of the log."""
    unsealed: list[Segment]
    generation: int
    """Of the unsealed segments that will be written."""


def current_epoch(connection: Connection, run: int) -> int:
    """The number of the last rewind of a run, 0 when there was none; what is in its log belongs to this epoch."""
    return int(connection.scalar(select(func.max(rewinds.c.epoch)).where(rewinds.c.run == run)) or 0)


def compact_once(db: Database, run: int, *, whole: bool = False) -> int:
    """Move a portion of a run's log into segments.

    Only points that the summaries have seen are moved, so apply the log first.

    Args:
        db: The database.
        run: Row number of the run.
        whole: Merge all generations of unsealed segments, however long they are.

    Returns:
        How many points of the log were moved, or when it was empty, how many points of segments were merged; 0 when
        there was nothing to do, or another process did it.

    Raises:
        DataLoss: A segment that should be merged is damaged. Nothing was changed.
    """
    found = db.read(lambda connection: _input(connection, run, whole=whole))
    if not found.log and not found.unsealed:
        return 0
    points = db.read(lambda connection: _points(connection, run, found))
    pieces, contents = db.read(lambda connection: _with_sealed(connection, run, found.epoch, points))
    blocks, replaced = cut_blocks(points, pieces, contents)
    rows = [segment_row(run, block, epoch=found.epoch, generation=found.generation) for block in blocks]
    read = [segment.id for segment in found.unsealed] + replaced
    try:
        db.write(lambda connection: _replace(connection, run, found, read, rows))
    except _Overtaken:
        return 0
    return found.points or len(points)


def _input(connection: Connection, run: int, *, whole: bool) -> _Input:
    epoch = current_epoch(connection, run)
    c = ingest_log.c
    applied = select(runs.c.applied_id).where(runs.c.run == run).scalar_subquery()
    until = points = 0
    sizes = select(c.id, c.points).where(c.run == run, c.id <= applied).order_by(c.id)
    for row_id, count in connection.execute(sizes).all():
        if points and points + count > LOG_POINTS_AT_ONCE:
            break
        until, points = row_id, points + count
    log = connection.scalars(select(c.records).where(c.run == run, c.id <= until)).all() if points else []
    merged, left = _generations(connection, run, epoch, points, whole=whole)
    if not log and len(merged) < 2:
        merged = []
    s = segments.c
    query = segment_columns(data=s.data).where(*_unsealed(run, epoch), s.generation.in_(merged))
    # From old to new, as steps mostly rise: then the points of each key are in order as they come.
    query = query.order_by(s.generation, s.id)
    unsealed = [Segment._make(row) for row in connection.execute(query)] if merged else []
    return _Input(epoch, until, list(log), points, unsealed, left + 1)


def _unsealed(run: int, epoch: int) -> list[Any]:
    return [*visible(run), segments.c.epoch == epoch, segments.c.sealed == 0]


def _generations(connection: Connection, run: int, epoch: int, points: int, *, whole: bool) -> tuple[list[int], int]:
    """The generations to merge with some new points, and the newest one that stays, 0 when none does."""
    c = segments.c
    query = select(c.generation, func.sum(c.points)).where(*_unsealed(run, epoch)).group_by(c.generation)
    merged: list[int] = []
    for generation, size in connection.execute(query.order_by(c.generation.desc())).all():
        if (not whole and size > 2 * points) or points + size > MERGED_POINTS:
            return merged, generation
        merged.append(generation)
        points += int(size)
    return merged, 0


def _points(connection: Connection, run: int, found: _Input) -> KeyedPoints:
    """The points to be moved."""
    contents = [decoded(connection, segment) for segment in found.unsealed]
    return KeyedPoints.merged([*contents, KeyedPoints.of_log(found.log)])


def _with_sealed(
    connection: Connection, run: int, epoch: int, points: KeyedPoints
) -> tuple[list[Piece], dict[int, Points]]:
    """The pieces of the points, and the content of the sealed blocks that they fall into."""
    s = segments.c
    first_steps = points.points.steps[points.bounds[:-1]]
    begin = dict(zip(points.keys.tolist(), first_steps.tolist(), strict=True))
    query = select(s.id, s.first_key, s.last_step).where(
        *visible(run),
        s.epoch == epoch,
        s.sealed == 1,
        s.first_key.between(int(points.keys[0]), int(points.keys[-1])),
        s.last_step >= int(first_steps.min()),
    )
    ahead = [
        row.id for row in connection.execute(query) if row.last_step >= begin.get(row.first_key, row.last_step + 1)
    ]
    pieces = pieces_of(points, _sealed_blocks(connection, run, ahead))
    touched = [piece.block.id for piece in pieces if piece.block is not None][:REOPENED_BLOCKS]
    contents: dict[int, Points] = {}
    for part in parts(touched):
        rows = connection.execute(segment_columns(data=s.data).where(s.run == run, s.id.in_(part)))
        contents |= {row.id: decoded(connection, Segment._make(row)).points for row in rows}
    return pieces, contents


def _sealed_blocks(connection: Connection, run: int, wanted: Sequence[int]) -> dict[int, list[SealedBlock]]:
    """Sealed blocks by key, sorted."""
    s = segments.c
    blocks: dict[int, list[SealedBlock]] = {}
    for part in parts(wanted):
        query = segment_columns(summary=s.summary).where(s.run == run, s.id.in_(part)).order_by(s.first_key)
        found = [Segment._make(row) for row in connection.execute(query)]
        cells, counts = cells_of_segments(connection, found)
        ends = np.cumsum(counts)
        firsts, lasts = cells[ends - counts], cells[ends - 1]
        for segment, first, last in zip(found, firsts, lasts, strict=True):
            begin = int(first["first_step"]), int(first["first_timestamp"])
            end = int(last["last_step"]), int(last["last_timestamp"])
            blocks.setdefault(segment.first_key, []).append(SealedBlock(segment.id, begin, end))
    for each in blocks.values():
        each.sort(key=lambda block: (block.first, block.last))
    return blocks


def segment_row(run: int, block: NewBlock, *, epoch: int, generation: int, hidden_epoch: int = 0) -> dict[str, Any]:
    """A block as a row of ``segments``."""
    return {
        "run": run,
        "generation": 0 if block.sealed else generation,
        "first_key": int(block.keys[0]),
        "last_key": int(block.keys[-1]),
        "first_step": int(block.points.steps.min()),
        "last_step": int(block.points.steps.max()),
        "points": len(block.points),
        "sealed": int(block.sealed),
        "epoch": epoch,
        "hidden_epoch": hidden_epoch,
        "summary": pack_cells(block.points) if block.sealed else None,
        "data": encode_block(block.keys, block.counts, block.points),
    }


def _replace(
    connection: Connection, run: int, found: _Input, read: Sequence[int], rows: Sequence[dict[str, Any]]
) -> None:
    """Remove what was read and insert what it became, all or nothing."""
    locked = connection.scalar(select(runs.c.run).where(runs.c.run == run).with_for_update())
    if locked is None or current_epoch(connection, run) != found.epoch:
        raise _Overtaken
    log = delete(ingest_log).where(ingest_log.c.run == run, ingest_log.c.id <= found.until)
    if found.log and connection.execute(log).rowcount != len(found.log):
        raise _Overtaken
    for part in parts(read):
        gone = delete(segments).where(*visible(run), segments.c.epoch == found.epoch, segments.c.id.in_(part))
        if connection.execute(gone).rowcount != len(part):
            raise _Overtaken
    if rows:
        connection.execute(segments.insert(), rows)
