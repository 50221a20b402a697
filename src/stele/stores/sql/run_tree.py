"""Runs below runs: the tree that the tag ``mlflow.parentRunId`` makes of a selection, and what of it is unfolded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from stele.schema.run_table import PARENT_TAG, RunColumn
from stele.stores.sql.parts import parts
from stele.stores.sql.run_columns import RunReader
from stele.stores.sql.run_frames import Mask, Places
from stele.stores.sql.run_order import in_order
from stele.stores.sql.run_selection import Selection
from stele.stores.sql.run_values import NONE
from stele.stores.sql.tables import runs

__all__ = ["Tree", "tree_of"]

_ROOT = -1


@dataclass(frozen=True)
class Tree:
    """The tree of a selection.

    Args:
        kept: Places of the runs that match, and of those above them, in order.
        matched: Which runs match.
        parents: The place of the run above each; -1 for none.
        children: How many runs in scope are directly below each.
    """

    kept: Places
    matched: Mask
    parents: Places
    children: npt.NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """The memory it takes, with what is made of it."""
        return 2 * self.kept.nbytes + self.matched.nbytes + self.parents.nbytes + 2 * self.children.nbytes

    @cached_property
    def kept_children(self) -> npt.NDArray[np.int64]:
        """How many of ``kept`` are directly below each run."""
        return _counted(self.parents, self.kept)

    @cached_property
    def _families(self) -> tuple[Places, Places]:
        """``kept`` by the run above, in order for each, and these runs."""
        above = self.parents[self.kept]
        by_parent = np.argsort(above, kind="stable")
        return self.kept[by_parent], above[by_parent]

    def below(self, place: int) -> Places:
        """The runs of ``kept`` directly below one, or the topmost ones below -1; in order."""
        members, above = self._families
        start, end = np.searchsorted(above, [place, place + 1])
        return members[start:end]

    def unfolded(self, expanded: Sequence[int]) -> tuple[Places, npt.NDArray[np.int64]]:
        """The rows of the table, and how deep each stands.

        Args:
            expanded: Places of the runs below which to look.
        """
        wanted = np.asarray(expanded, np.intp)
        found: list[tuple[Places, int]] = []
        stack = [self._stretches(_ROOT, wanted)]
        while stack:
            stretch = next(stack[-1], None)
            if stretch is None:
                stack.pop()
                continue
            found.append((stretch, len(stack) - 1))
            if len(stretch) and stretch[-1] in wanted:
                stack.append(self._stretches(int(stretch[-1]), wanted))
        places = [stretch for stretch, _ in found] or [np.zeros(0, np.intp)]
        depths = [np.full(len(stretch), depth) for stretch, depth in found] or [np.zeros(0, np.int64)]
        return np.concatenate(places), np.concatenate(depths)

    def _stretches(self, place: int, wanted: Places) -> Iterator[Places]:
        """The runs below one, each part ending with the next one that is expanded."""
        members = self.below(place)
        ends = np.flatnonzero(np.isin(members, wanted)) + 1
        yield from np.split(members, ends)


def tree_of(selection: Selection) -> Tree:
    """The tree of the runs that were selected."""
    return selection.remembered("tree", lambda: _tree(selection))


def _tree(selection: Selection) -> Tree:
    reader = selection.reader
    scope = selection.scope()
    above = reader.kept.get(("parents",), lambda: _parents(reader), metrics=False)
    parents = np.where(scope & (above != _ROOT) & scope[above], above, _ROOT)
    matched = selection.matching(scope)
    kept = matched.copy()
    fresh = np.flatnonzero(matched)
    while len(fresh):
        fresh = np.unique(parents[fresh])
        fresh = fresh[fresh != _ROOT]
        fresh = fresh[~kept[fresh]]
        kept[fresh] = True
    ordered = in_order(reader, selection.query.order, np.flatnonzero(kept))
    return Tree(ordered, matched, parents, _counted(parents, np.flatnonzero(scope)))


def _counted(parents: Places, places: Places) -> npt.NDArray[np.int64]:
    above = parents[places]
    return np.bincount(above[above != _ROOT], minlength=len(parents))


def _parents(reader: RunReader) -> Places:
    """The place of the run above each, -1 for none; runs that stand above themselves have none."""
    texts = reader.texts(RunColumn("tag", PARENT_TAG))
    numbers: dict[str, int] = {}
    for part in parts(texts.words):
        query = select(runs.c.run_id, runs.c.run).where(runs.c.run_id.in_(part))
        numbers |= {row.run_id: row.run for row in reader.connection.execute(query)}
    by_word = np.array([*(numbers.get(word, 0) for word in texts.words), 0], np.int64)
    places, known = reader.frame.places(by_word)
    by_code = np.where(known, places, _ROOT)
    by_code[-1] = _ROOT  # of those without the tag
    parents = np.where(texts.codes == NONE, _ROOT, by_code[texts.codes])
    return _without_circles(parents)


def _without_circles(parents: Places) -> Places:
    """The same, but nothing is above the runs that are on a circle or below one."""
    size = len(parents)
    jumps = np.append(np.where(parents == _ROOT, size, parents), size)  # the last place is above all
    for _ in range(max(size, 1).bit_length()):
        jumps = jumps[jumps]  # twice as far
    return np.where(jumps[:size] == size, parents, _ROOT)
