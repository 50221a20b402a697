"""Which points make blocks, which fall into one, which share one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from series_oracle import rows_of, small_blocks

from stele.stores.sql.block_cuts import SealedBlock, cut_blocks, pieces_of
from stele.stores.sql.keyed_points import KeyedPoints
from stele.stores.sql.points import Points, concatenated, sorted_distinct

PLACES = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60), st.integers(0, 1)), max_size=80)


@pytest.fixture(autouse=True, scope="module")
def blocks_of_8():
    with pytest.MonkeyPatch.context() as patch:
        small_blocks(patch)
        yield


def points_of(places) -> Points:
    steps, times = np.array(places, np.int64).reshape(-1, 2).T
    return sorted_distinct(Points(steps.copy(), times.copy(), steps * 0.5))


def stored_blocks(places) -> tuple[dict[int, list[SealedBlock]], dict[int, Points]]:
    """Sealed blocks of at most 8 points, by key, and their content by row."""
    blocks: dict[int, list[SealedBlock]] = {}
    contents: dict[int, Points] = {}
    for key in {place[0] for place in places}:
        points = points_of([place[1:] for place in places if place[0] == key])
        for start in range(0, len(points), 8):
            part = points[start : start + 8]
            rows = rows_of(part)
            number = len(contents) + 1
            contents[number] = part
            blocks.setdefault(key, []).append(SealedBlock(number, rows[0][:2], rows[-1][:2]))
    return blocks, contents


@given(stored=PLACES, fresh=PLACES, opened=st.integers(0, 20))
def test_points_stay_and_blocks_stay_apart(stored, fresh, opened):
    blocks, contents = stored_blocks(stored)
    points = KeyedPoints.sorted(np.array([place[0] for place in fresh], np.int64), points_of_each(fresh))
    here = {key: found for key, found in blocks.items() if len(points.of(key))}
    pieces = pieces_of(points, here)
    touched = [piece.block.id for piece in pieces if piece.block is not None][:opened]
    made, replaced = cut_blocks(points, pieces, {number: contents[number] for number in touched})
    assert set(replaced) <= set(touched)
    left = {number: content for number, content in contents.items() if number not in replaced}
    keys = {number: key for key, found in blocks.items() for number, *_ in found}
    for key in {*blocks, *(place[0] for place in fresh)}:
        expected = points_of([place[1:] for place in stored + fresh if place[0] == key])
        old = [content for number, content in left.items() if keys[number] == key]
        new = [part for block in made for each, part in by_key(block) if each == key]
        assert rows_of(sorted_distinct(concatenated(old + new))) == rows_of(expected)
        # Sealed blocks of a key do not overlap, and none is longer than it may be.
        sealed = old + [part for block in made if block.sealed for each, part in by_key(block) if each == key]
        assert all(1 <= len(part) <= 16 for part in sealed)
        ends = sorted((rows_of(part)[0][:2], rows_of(part)[-1][:2]) for part in sealed)
        assert all(before[1] < behind[0] for before, behind in pairwise(ends))


def points_of_each(places) -> Points:
    steps, times = np.array([place[1:] for place in places], np.int64).reshape(-1, 2).T
    return Points(steps.copy(), times.copy(), steps * 0.5)


def by_key(block):
    bounds = np.append(0, np.cumsum(block.counts)).tolist()
    assert bounds[-1] == len(block.points)
    for key, (start, end) in zip(block.keys.tolist(), pairwise(bounds), strict=True):
        yield key, block.points[start:end]


def test_a_resent_batch_replaces_nothing():
    blocks, contents = stored_blocks([(1, step, 0) for step in range(24)])
    points = KeyedPoints.sorted(np.ones(10, np.int64), points_of([(step, 0) for step in range(4, 14)]))
    assert cut_blocks(points, pieces_of(points, blocks), contents) == ([], [])
