"""What series must hold and show, computed the obvious way; and blocks so small that a few points make several."""

from __future__ import annotations

import math
import uuid
from typing import Any

import numpy as np
from sqlalchemy import select

from stele.schema import experiments as e
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.stores.sql import SqlStore, block_cuts, cell_codec, compaction, pyramid
from stele.stores.sql.cells import Cells
from stele.stores.sql.points import Points
from stele.stores.sql.tables import KIND_METRIC, MAX_DOUBLE, runs

Row = tuple[int, int, float]
"""Step, timestamp and value."""


def small_blocks(monkeypatch: Any) -> None:
    """Blocks of 8 to 16 points, cells of 4, and no more than 3 blocks opened again at once."""
    monkeypatch.setattr(block_cuts, "BLOCK_POINTS", 8)
    monkeypatch.setattr(block_cuts, "SEALED_POINTS", 16)
    monkeypatch.setattr(pyramid, "BLOCK_POINTS", 8)
    monkeypatch.setattr(pyramid, "FEW_POINTS", 6)
    for module in (cell_codec, pyramid):
        monkeypatch.setattr(module, "CELL_POINTS", 4)
    monkeypatch.setattr(compaction, "REOPENED_BLOCKS", 3)


def rank(row: Row) -> tuple:
    """The canonical order."""
    step, timestamp, value = row
    return step, timestamp, 0.0 if math.isnan(value) else value, math.isnan(value), math.copysign(1.0, value)


class Oracle:
    """The points of one run, by key, as a set."""

    def __init__(self) -> None:
        self.series: dict[str, dict[tuple, Row]] = {}

    def log(self, metrics: list[Metric]) -> None:
        for metric in metrics:
            row = (metric.step, metric.timestamp, metric.value)
            self.series.setdefault(metric.key, {})[(*row[:2], float(row[2]).hex())] = row

    def rows(self, key: str, first: int | None = None, last: int | None = None) -> list[Row]:
        """The points of a key in canonical order."""
        found = sorted(self.series.get(key, {}).values(), key=rank)
        return [row for row in found if (first is None or row[0] >= first) and (last is None or row[0] <= last)]

    def summary(self, key: str) -> dict[str, Any]:
        """The columns of ``latest_metrics``."""
        rows = self.rows(key)
        numbers = [value for _, _, value in rows if not math.isnan(value)]
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(np.sum(numbers)) if numbers else None
        return {
            "points": len(rows), "nan_points": len(rows) - len(numbers),
            "value": stored_form(rows[-1][2]), "step": rows[-1][0], "timestamp": rows[-1][1],
            "first_value": stored_form(rows[0][2]), "first_step": rows[0][0], "first_timestamp": rows[0][1],
            "min_value": stored_form(min(numbers, default=None)), "max_value": stored_form(max(numbers, default=None)),
            "sum_value": stored_form(total),
        }  # fmt: skip


def stored_form(value: float | None) -> float | None:
    if value is None or math.isnan(value):
        return None
    return max(-MAX_DOUBLE, min(MAX_DOUBLE, value))


def rows_of(points: Points) -> list[Row]:
    return list(zip(*(column.tolist() for column in points.columns), strict=True))


def same_rows(found: list[Row], expected: list[Row]) -> bool:
    return [(*row[:2], row[2].hex()) for row in found] == [(*row[:2], row[2].hex()) for row in expected]


def plain_cell(rows: list[Row]) -> dict[str, Any]:
    values = [row[2] for row in rows]
    numbers = [value for value in values if not math.isnan(value)]
    finite = [value for value in numbers if math.isfinite(value)]
    return {
        "first_step": rows[0][0], "last_step": rows[-1][0],
        "first_timestamp": rows[0][1], "last_timestamp": rows[-1][1],
        "points": len(rows), "finite": len(finite), "nans": len(values) - len(numbers),
        "min": min(numbers, default=math.nan), "max": max(numbers, default=math.nan),
        "sum": sum(finite), "first": values[0], "last": values[-1],
    }  # fmt: skip


def assert_cells(cells: Cells, rows: list[Row]) -> None:
    """Cells cut the sorted points into consecutive groups, and say what these say."""
    assert int(cells["points"].sum()) == len(rows)
    start = 0
    for cell in cells:
        part = rows[start : start + int(cell["points"])]
        start += len(part)
        for name, value in plain_cell(part).items():
            np.testing.assert_allclose(cell[name], value, rtol=1e-12, equal_nan=True, err_msg=name)


def new_run(store: SqlStore, experiment: str) -> tuple[str, int]:
    """A run: its id and its row number."""
    run_id = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    return run_id, store.db.read(lambda c: c.execute(select(runs.c.run).where(runs.c.run_id == run_id)).scalar_one())


def new_experiment(store: SqlStore) -> str:
    return store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id


def key_number(store: SqlStore, experiment: str, key: str) -> int:
    """The number of a key that has been logged."""
    found = store.db.write(lambda c: store.keys.resolve(c, int(experiment), [(KIND_METRIC, key)]))
    return found[KIND_METRIC, key]
