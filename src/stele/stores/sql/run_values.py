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
    def of(cls, codes: npt.NDArray[np.int32], words: list[str]) -> Texts:
        """The column of these texts, each once, in any order; one that no run has is left out.

        Args:
            codes: The place of each run's text, ``NONE`` where there is none.
            words: All texts.
        """
        used = np.unique(codes[codes != NONE]).tolist()
        ordered = sorted(used, key=words.__getitem__)
        rank = np.full(len(words) + 1, NONE, np.int32)  # the last one is that of NONE
        rank[ordered] = np.arange(len(ordered), dtype=np.int32)
        return cls(rank[codes], [words[place] for place in ordered])

    def code(self, word: str | None) -> int:
        """The code of a text; -2, which no run has, for one that no run has."""
        return NONE if word is None else self._codes.get(word, -2)

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {word: code for code, word in enumerate(self.words)}

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers that texts are; a run whose text is none has none."""
        found = [number_in(word) for word in self.words]
        by_word = np.array([*(np.nan if each is None else each for each in found), np.nan])
        is_number = np.array([*(each is not None for each in found), False], bool)
        return Numbers(by_word[self.codes], is_number[self.codes])

    @cached_property
    def nbytes(self) -> int:
        """The memory it takes, about."""
        return self.codes.nbytes + sum(64 + len(word) for word in self.words)
