"""Seeded points as training writes them, as columns and as batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stele.schema.ingest import Ingest, IngestSeries

__all__ = ["SHAPES", "Columns", "batches", "mix", "noise", "rounded", "wide", "write_columns"]

Doubles = npt.NDArray[np.float64]

_START = 1_700_000_000_000
_STEP_MS = 100


class Columns(NamedTuple):
    """Series of equal steps and times.

    Attributes:
        steps: Ascending; int64.
        timestamps: Milliseconds since 1970, ascending with some jitter; int64.
        values: By key; each as long as the steps.
    """

    steps: npt.NDArray[np.int64]
    timestamps: npt.NDArray[np.int64]
    values: dict[str, Doubles]

    @property
    def points(self) -> int:
        """How many points of all keys."""
        return len(self.steps) * len(self.values)

    def parted(self, count: int) -> list[Columns]:
        """The steps in so many parts of about the same length."""
        bounds = [len(self.steps) * place // count for place in range(count + 1)]
        parts = [slice(first, last) for first, last in pairwise(bounds)]
        return [
            Columns(self.steps[part], self.timestamps[part], {key: value[part] for key, value in self.values.items()})
            for part in parts
        ]


def mix(points: int, seed: int = 1) -> Columns:
    """Five metrics of a training: loss, accuracy, learning rate, norm of gradients, memory ("W1")."""
    dice = np.random.default_rng(seed)
    count = points // 5
    progress = np.arange(count) / max(count, 1)
    values = {
        "loss": _as_float32(np.exp(-3 * progress) + dice.normal(0, 0.05, count)),
        "accuracy": np.round(1 - np.exp(-3 * progress) + dice.normal(0, 0.01, count), 4),
        "learning_rate": 0.5 * (1 + np.cos(np.pi * progress)),
        "gradient_norm": _as_float32(np.abs(dice.normal(1, 0.3, count))),
        "memory_gb": np.round(np.cumsum(dice.choice([-0.1, 0, 0.1], count)) + 500, 1),
    }
    return _timed(dice, values)


def noise(points: int, seed: int = 1) -> Columns:
    """One metric whose values have 53 random bits: nothing is worse to compress."""
    dice = np.random.default_rng(seed)
    return _timed(dice, {"noise": np.abs(dice.normal(1, 0.3, points))})


def rounded(points: int, seed: int = 1) -> Columns:
    """One metric of four digits."""
    dice = np.random.default_rng(seed)
    curve = 1 - np.exp(-3 * np.arange(points) / max(points, 1))
    return _timed(dice, {"accuracy": np.round(curve + dice.normal(0, 0.01, points), 4)})


def wide(keys: int, steps: int, seed: int = 1) -> Columns:
    """Many metrics of few steps."""
    dice = np.random.default_rng(seed)
    return _timed(dice, {f"layer{key}": _as_float32(dice.normal(0, 1, steps)) for key in range(keys)})


SHAPES = {"mix of 5 metrics": mix, "worst noise": noise, "rounded values": rounded}


def batches(run_id: str, columns: Columns, *, points: int = 1_000, client_id: str = "bench") -> Iterator[Ingest]:
    """Batches of about so many points, in the order in which a training logs them.

    All keys of some steps are in one batch; where one step has more keys than that, a batch has some keys of it.
    """
    keys = list(columns.values)
    steps_each = max(points // len(keys), 1)
    keys_each = min(points, len(keys))
    sequence = 0
    for first in range(0, len(columns.steps), steps_each):
        part = slice(first, first + steps_each)
        steps, timestamps = columns.steps[part].tolist(), columns.timestamps[part].tolist()
        for start in range(0, len(keys), keys_each):
            sequence += 1
            series = [
                IngestSeries(run_id, key, steps, timestamps, columns.values[key][part].tolist())
                for key in keys[start : start + keys_each]
            ]
            yield Ingest(client_id=client_id, sequence=sequence, series=series)


def write_columns(columns: Columns, path: Path) -> None:
    """Write a file of numpy that MLflow's side reads: ``steps``, ``timestamps``, and a column for each key."""
    values: dict[str, Any] = dict(columns.values)
    np.savez(path, steps=columns.steps, timestamps=columns.timestamps, **values)


def _as_float32(values: Doubles) -> Doubles:
    """What ``loss.item()`` gives of a tensor."""
    return values.astype(np.float32).astype(np.float64)


def _timed(dice: np.random.Generator, values: dict[str, Doubles]) -> Columns:
    count = len(next(iter(values.values())))
    jitter = dice.integers(_STEP_MS - 5, _STEP_MS + 5, count)
    return Columns(np.arange(count, dtype=np.int64), _START + np.cumsum(jitter), values)
