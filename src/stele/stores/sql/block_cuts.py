"""How points become blocks: what fills one of its own, what falls into one that is there, and what shares one.

Sealed blocks of a key do not overlap. A point that falls between the beginnings of two of them belongs to the earlier
one, so that blocks grow and split, and never crumble; only what lies behind the end of the last one begins new blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from stele.stores.sql.column_blocks import BLOCK_POINTS, SEALED_POINTS
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.points import Ints, Points, concatenated, count_before, counts_before, sorted_distinct

__all__ = ["NewBlock", "Piece", "SealedBlock", "cut_blocks", "pieces_of"]


class SealedBlock(NamedTuple):
    """A stored block of one key: its row, and step and timestamp of its first and its last point."""

    id: int
    first: tuple[int, int]
    last: tuple[int, int]


class Piece(NamedTuple):
    """Neighbouring points of one key, as places in all points, and the block that they fall into.

    Without a block they lie behind the last one.
    """

    key: int
    start: int
    end: int
    block: SealedBlock | None


class NewBlock(NamedTuple):
    """What :func:`~stele.stores.sql.column_blocks.encode_block` takes; sealed is a block of one key that stays."""

    keys: Ints
    counts: Ints
    points: Points
    sealed: bool


def pieces_of(points: KeyedPoints, sealed: Mapping[int, Sequence[SealedBlock]]) -> list[Piece]:
    """The pieces that need a block of their own or belong to one that is there; all other points share blocks.

    Args:
        points: New points.
        sealed: By key the blocks that are there, sorted. Those may be left out that end before the first new point.
    """
    result: list[Piece] = []
    many = points.keys[points.counts >= BLOCK_POINTS].tolist()
    for key in sorted({*many, *sealed}):
        place = int(np.searchsorted(points.keys, key))
        start = int(points.bounds[place])
        own = points.of(key)
        result += [
            Piece(key, start + piece.start, start + piece.end, piece.block)
            for piece in _pieces(key, own, sealed.get(key, ()))
        ]
    return result


def _pieces(key: int, points: Points, blocks: Sequence[SealedBlock]) -> Iterator[Piece]:
    if not blocks:
        yield Piece(key, 0, len(points), None)
        return
    steps, timestamps = np.array([block.first for block in blocks[1:]], np.int64).reshape(-1, 2).T
    behind = count_before(points, *blocks[-1].last, inclusive=True)
    bounds = np.concatenate([[0], np.minimum(counts_before(points, steps, timestamps), behind), [behind]])
    for place in np.flatnonzero(np.diff(bounds)).tolist():
        yield Piece(key, int(bounds[place]), int(bounds[place + 1]), blocks[place])
    if behind < len(points):
        yield Piece(key, behind, len(points), None)


def cut_blocks(
    points: KeyedPoints, pieces: Sequence[Piece], contents: Mapping[int, Points]
) -> tuple[list[NewBlock], list[int]]:
    """The blocks of some points.

    Args:
        points: New points.
        pieces: Theirs, from :func:`pieces_of`.
        contents: The points of stored blocks, by row. What falls into a block that is not here goes into a shared one.

    Returns:
        New blocks, and the rows of the stored blocks whose points they contain.
    """
    blocks: list[NewBlock] = []
    replaced: list[int] = []
    shared = np.ones(len(points), bool)
    for piece in pieces:
        own = points.points[piece.start : piece.end]
        if piece.block is None:
            full = len(own) - len(own) % BLOCK_POINTS
            shared[piece.start : piece.start + full] = False
            blocks += _of_one_key(piece.key, own[:full])
        elif piece.block.id in contents:
            shared[piece.start : piece.end] = False
            stored = contents[piece.block.id]
            merged = sorted_distinct(concatenated([stored, own]))
            if len(merged) > len(stored):  # else all of them were there
                replaced.append(piece.block.id)
                blocks += _of_one_key(piece.key, merged)
    left = points if shared.all() else points.filtered(shared)
    return blocks + _of_many_keys(left), replaced


def _of_one_key(key: int, points: Points) -> Iterator[NewBlock]:
    """The points in as few blocks as hold them, all of about one length."""
    count = -(-len(points) // SEALED_POINTS)
    for start, end in pairwise(np.linspace(0, len(points), count + 1).astype(int).tolist()):
        yield NewBlock(np.array([key]), np.array([end - start]), points[start:end], sealed=True)


def _of_many_keys(points: KeyedPoints) -> list[NewBlock]:
    blocks: list[NewBlock] = []
    for start in range(0, len(points), BLOCK_POINTS):
        end = min(start + BLOCK_POINTS, len(points))
        bounds: Ints = np.clip(points.bounds, start, end)
        counts = bounds[1:] - bounds[:-1]
        present = np.flatnonzero(counts)
        blocks.append(NewBlock(points.keys[present], counts[present], points.points[start:end], sealed=False))
    return blocks
