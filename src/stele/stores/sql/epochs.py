"""Epochs of a run: what was logged between two rewinds, and which of it is still shown.

A rewind begins an epoch. Segments of the epochs before that lie behind its step get its number as ``hidden_epoch`` and
are no longer read; one that lies across the step is parted. A fork begins an epoch too, so that what its parent logs
later is told from what the two share. The ingest log is always of the current epoch: beginning one empties it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, select, update

from stele import limits
from stele.stores.sql.block_cuts import NewBlock, cut_blocks
from stele.stores.sql.cells import CELL_POINTS, Cells, as_cells, grouped
from stele.stores.sql.compaction import current_epoch, segment_row
from stele.stores.sql.core import now_ms
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.keys import Keys
from stele.stores.sql.parts import parts
from stele.stores.sql.points import ALL_STEPS
from stele.stores.sql.pyramid import CellSeries, read_cells
from stele.stores.sql.series_reader import Segment, decoded, read_points, segment_columns, shown_segments, visible
from stele.stores.sql.series_summaries import joined, rows_of, stored
from stele.stores.sql.summaries import apply_whole_log, packed_latest, summaries_of
from stele.stores.sql.tables import ingest_log, latest_metrics, rewinds, run_forks, runs, segments

__all__ = ["begin_epoch", "refresh_summaries"]

KEEP_ALL = limits.INT64_MAX
"""The step of an epoch that hides nothing, as a fork begins it."""

_SEGMENTS_AT_ONCE = 50
_POINTS_AT_ONCE = 500_000


def begin_epoch(connection: Connection, keys: Keys, run: int, step: int, principal: str) -> int:
    """Begin an epoch of a run whose row the caller has locked, hiding what lies behind a step.

    The run's log is applied; the summaries are else as before, and :func:`refresh_summaries` brings them up to date.

    Args:
        connection: In a transaction.
        keys: The store's key numbers.
        run: Row number of the run.
        step: The last step that stays, or :data:`KEEP_ALL`.
        principal: Who does it.

    Returns:
        The number of the epoch.
    """
    apply_whole_log(connection, keys, run)
    before = current_epoch(connection, run)
    epoch = before + 1
    _empty_log(connection, run, before)
    if step != KEEP_ALL:
        _hide(connection, run, step, epoch)
    row = {"run": run, "epoch": epoch, "step": step, "principal": principal, "creation_time": now_ms()}
    connection.execute(rewinds.insert(), row)
    return epoch


def _empty_log(connection: Connection, run: int, epoch: int) -> None:
    """Move the rest of the log into segments that the next compaction will merge."""
    c, s = ingest_log.c, segments.c
    before = func.coalesce(func.sum(c.points).over(order_by=c.id, rows=(None, -1)), 0)
    counted = select(c.id, before.label("before")).where(c.run == run).subquery()
    while last := connection.scalar(select(func.max(counted.c.id)).where(counted.c.before < _POINTS_AT_ONCE)):
        rows = connection.scalars(select(c.records).where(c.run == run, c.id <= last).order_by(c.id))
        blocks, _ = cut_blocks(KeyedPoints.of_log(rows), [], {})
        newest = connection.scalar(
            select(s.generation).where(s.run == run, s.sealed == 0).order_by(s.generation.desc()).limit(1)
        )
        connection.execute(
            segments.insert(),
            [segment_row(run, block, epoch=epoch, generation=int(newest or 0) + 1) for block in blocks],
        )
        connection.execute(delete(ingest_log).where(c.run == run, c.id <= last))


def _hide(connection: Connection, run: int, step: int, epoch: int) -> None:
    s = segments.c
    across = [*visible(run), s.first_step <= step, s.last_step > step]
    while found := connection.execute(
        segment_columns(data=s.data).add_columns(s.epoch, s.generation).where(*across).limit(_SEGMENTS_AT_ONCE)
    ).all():
        rows = [row for each in found for row in _parted(connection, run, each, step, epoch)]
        connection.execute(delete(segments).where(s.id.in_([each.id for each in found])))
        connection.execute(segments.insert(), rows)
    behind = [*visible(run), s.first_step > step]
    connection.execute(update(segments).where(*behind).values(hidden_epoch=epoch))
    _cut_inherited(connection, run, step, epoch)


def _cut_inherited(connection: Connection, run: int, step: int, epoch: int) -> None:
    """Share less with the runs that this one was forked from."""
    f = run_forks.c
    reaching = [f.run == run, f.hidden_epoch == 0, f.step > step]
    rows = connection.execute(select(f.parent, f.parent_epoch).where(*reaching)).all()
    if rows:
        connection.execute(update(run_forks).where(*reaching).values(hidden_epoch=epoch))
        connection.execute(run_forks.insert().values([(run, *row, step, epoch, 0) for row in rows]))


def _parted(connection: Connection, run: int, row: Any, step: int, hidden_epoch: int) -> list[dict[str, Any]]:
    """The two rows that a segment across a step becomes."""
    points = decoded(connection, Segment._make(row[: len(Segment._fields)]))
    stays = points.points.steps <= step
    result = []
    for part, hidden in ((points.filtered(stays), 0), (points.filtered(~stays), hidden_epoch)):
        block = NewBlock(part.keys, part.counts, part.points, sealed=bool(row.sealed))
        result.append(segment_row(run, block, epoch=row.epoch, generation=row.generation, hidden_epoch=hidden))
    return result


def refresh_summaries(connection: Connection, keys: Keys, run: int, key_ids: set[int]) -> None:
    """Make the summaries of some series of a run again, from what is shown of them, and its document.

    The run's row is locked and its log applied and empty. At most some hundred thousand points are in memory at once.
    """
    known = summaries_of(connection, [run])[run]
    summaries = [
        _summary(key, cells)
        for some in _together(connection, run, sorted(key_ids))
        for key, cells in _cells_of(connection, run, some)
        if len(cells)
    ]
    fresh = stored(run, {name: [each[name] for each in summaries] for name in summaries[0]} if summaries else _NONE)
    known, _ = joined(known[~np.isin(known["key_id"], list(key_ids))], fresh)
    c = latest_metrics.c
    for part in parts(sorted(key_ids)):
        connection.execute(delete(latest_metrics).where(c.run == run, c.key_id.in_(part)))
    if len(fresh):
        connection.execute(latest_metrics.insert(), rows_of(fresh))
    packed = packed_latest(connection, keys, known)
    connection.execute(update(runs).where(runs.c.run == run).values(latest=packed, record_stamp=runs.c.record_stamp))


_NONE: dict[str, list[Any]] = {"key_id": []}


def _together(connection: Connection, run: int, key_ids: list[int]) -> list[list[int]]:
    """Some keys of a run, in order, in groups that are read at once: by how many points lie in their segments."""
    found = [
        (segment.first_key, segment.points)
        for part in parts(key_ids)
        for segment in shown_segments(connection, [run], part, ALL_STEPS, data=False)
    ]
    # A segment of several keys counts for the first of them that is wanted.
    places = np.searchsorted(key_ids, [key for key, _ in found])
    weights = np.bincount(places, [points for _, points in found], minlength=len(key_ids) + 1)[: len(key_ids)]
    groups: list[list[int]] = [[]]
    weight = 0.0
    for key, points in zip(key_ids, weights.tolist(), strict=True):
        if groups[-1] and weight + points > _POINTS_AT_ONCE:
            groups.append([])
            weight = 0.0
        groups[-1].append(key)
        weight += points
    return groups


def _cells_of(connection: Connection, run: int, key_ids: list[int]) -> Iterator[tuple[int, Cells]]:
    """The points of some keys in a few cells each."""
    if len(key_ids) == 1:  # it may be a long one, of which summaries are kept
        [found] = read_cells(connection, [CellSeries(run, key_ids[0], most_cells=1)])
        yield key_ids[0], as_cells(found)
        return
    for key, points in read_points(connection, run, key_ids).items():
        yield key, grouped(points, CELL_POINTS)


def _summary(key: int, cells: Cells) -> dict[str, Any]:
    """The summary of the points in some cells, at least one, by column."""
    least, greatest = float(np.fmin.reduce(cells["min"])), float(np.fmax.reduce(cells["max"]))
    points, nans = int(cells["points"].sum()), int(cells["nans"].sum())
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(cells["sum"].sum())
        # An infinity is in no cell's sum, but among the extremes; two opposite ones have no sum.
        total += sum(bound for bound in (least, greatest) if np.isinf(bound))
    first, last = cells[0], cells[-1]
    return {
        "key_id": key,
        "step": int(last["last_step"]),
        "timestamp": int(last["last_timestamp"]),
        "points": points,
        "nan_points": nans,
        "first_step": int(first["first_step"]),
        "first_timestamp": int(first["first_timestamp"]),
        "first_value": float(first["first"]),
        "value": float(last["last"]),
        "min_value": least,
        "max_value": greatest,
        "sum_value": total,
    }
