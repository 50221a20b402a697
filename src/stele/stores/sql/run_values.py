"""Columns of a frame: numbers, or texts by number, one for each run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from stele.stores.sql.run_frames import Mask
from stele.stores.sql.texts import number_in

__all__ = ["NONE", "Numbers", "Texts"]

NONE = -1
"""The code of a run without a text."""


@dataclass(frozen=True)
class Numbers:
    """A number for each run.

    Args:
        values: NaN where there is none.
        present: Where there is one, NaN included.
    """

    values: npt.NDArray[np.float64]
    present: Mask

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        return self.values.nbytes + self.present.nbytes


@dataclass(frozen=True)
class Texts:
    """A text for each run.

    Args:
        codes: Its place in ``words``, ``NONE`` where there is none.
        words: Every text once, in the order of their code points.
    """

    codes: npt.NDArray[np.int32]
    words: list[str]

    @classmethod
    def of(cls, size: int, places: npt.NDArray[np.intp], values: list[str]) -> Texts:
        """The column of these texts at these places.

        Args:
            size: Runs of the frame.
            places: Each once.
            values: Its text.
        """
        seen: dict[str, int] = {}
        raw = np.fromiter((seen.setdefault(value, len(seen)) for value in values), np.int32, len(values))
        words = sorted(seen)
        rank = np.empty(len(words), np.int32)
        rank[[seen[word] for word in words]] = np.arange(len(words), dtype=np.int32)
        codes = np.full(size, NONE, np.int32)
        codes[places] = rank[raw]
        return cls(codes, words)

    def code(self, word: str | None) -> int:
        """The code of a text; -2, which no run has, for one that no run has."""
        return NONE if word is None else self._codes.get(word, -2)

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {word: code for code, word in enumerate(self.words)}

    @cached_property
    def numbers(self) -> npt.NDArray[np.float64] | None:
        """The number that each word is; None unless every one is a number."""
        found = [number_in(word) for word in self.words]
        return None if None in found else np.array(found, np.float64)

    @cached_property
    def as_numbers(self) -> Numbers:
        """The numbers that texts are, a run without one as one whose text is none."""
        found = [number_in(word) for word in self.words]
        by_word = np.array([*(np.nan if each is None else each for each in found), np.nan])
        is_number = np.array([*(each is not None for each in found), False], bool)
        return Numbers(by_word[self.codes], is_number[self.codes])

    @cached_property
    def nbytes(self) -> int:
        """The memory it takes, about."""
        return self.codes.nbytes + sum(64 + len(word) for word in self.words)
