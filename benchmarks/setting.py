"""How much is measured, and what every part of it needs to know."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["FULL", "KEPT", "QUICK", "TINY", "Setting", "Sizes"]


KEPT = Path(__file__).parents[1] / ".cache" / "benchmarks"
"""Where large stores stay for the next time."""


class Sizes(NamedTuple):
    """How much of everything. MLflow gets less where it would take hours; the rows say how much."""

    calls: int
    """``log_metric`` in a loop."""
    their_calls: int
    ingest_points: int
    their_ingest_points: int
    ingest_rounds: int
    wide_steps: int
    """Of 10 000 keys."""
    request_seconds: float
    """For each kind of requests and each server."""
    long_points: int
    """Of the longest series."""
    history_points: int
    """Of the series whose whole history is read as JSON, and that MLflow reads."""
    chart_runs: int
    chart_steps: int
    searched_runs: tuple[int, ...]
    search_rounds: int
    database_points: int
    """Of the series in PostgreSQL and MariaDB."""
    large_points: int
    """In 100 runs; 0 leaves the part out."""
    huge_points: int
    kill_rounds: int
    crowd_seconds: float
    """How long 32 processes log to one file."""
    their_processes: int
    """Of MLflow that log to one file; each takes seconds to start. 0 leaves them out."""
    model_calls: int
    """``log_model`` in a loop."""
    predicted_rows: int
    """Of a file."""
    their_predicted_rows: int
    page_runs: tuple[int, ...]
    """In one experiment that the web page shows; MLflow's page gets the first of these."""
    page_points: int
    """Of each of ten curves in a chart."""
    page_rounds: int
    page_live_seconds: float
    """How long the page follows runs that log once a second."""


QUICK = Sizes(
    calls=500_000,
    their_calls=100,
    ingest_points=1_000_000,
    their_ingest_points=10_000,
    ingest_rounds=3,
    wide_steps=60,
    request_seconds=3,
    long_points=10_000_000,
    history_points=100_000,
    chart_runs=10,
    chart_steps=100_000,
    searched_runs=(10_000,),
    search_rounds=20,
    database_points=1_000_000,
    large_points=0,
    huge_points=0,
    kill_rounds=6,
    crowd_seconds=8,
    their_processes=0,
    model_calls=20,
    predicted_rows=2_000_000,
    their_predicted_rows=200_000,
    page_runs=(10_000, 100_000),
    page_points=1_000_000,
    page_rounds=5,
    page_live_seconds=30,
)
FULL = Sizes(
    calls=3_000_000,
    their_calls=300,
    ingest_points=5_000_000,
    their_ingest_points=50_000,
    ingest_rounds=3,
    wide_steps=400,
    request_seconds=8,
    long_points=10_000_000,
    history_points=100_000,
    chart_runs=100,
    chart_steps=100_000,
    searched_runs=(100_000, 1_000_000),
    search_rounds=40,
    database_points=10_000_000,
    large_points=50_000_000,
    huge_points=100_000_000,
    kill_rounds=200,
    crowd_seconds=30,
    their_processes=32,
    model_calls=50,
    predicted_rows=10_000_000,
    their_predicted_rows=1_000_000,
    page_runs=(10_000, 100_000),
    page_points=1_000_000,
    page_rounds=9,
    page_live_seconds=600,
)
TINY = Sizes(
    calls=20_000,
    their_calls=5,
    ingest_points=20_000,
    their_ingest_points=1_000,
    ingest_rounds=1,
    wide_steps=2,
    request_seconds=0.5,
    long_points=200_000,
    history_points=2_000,
    chart_runs=3,
    chart_steps=2_000,
    searched_runs=(1_000,),
    search_rounds=3,
    database_points=20_000,
    large_points=100_000,
    huge_points=200_000,
    kill_rounds=3,
    crowd_seconds=1,
    their_processes=2,
    model_calls=2,
    predicted_rows=20_000,
    their_predicted_rows=2_000,
    page_runs=(1_000,),
    page_points=10_000,
    page_rounds=1,
    page_live_seconds=3,
)


class Setting(NamedTuple):
    """What a part measures with.

    Attributes:
        theirs: The interpreter of MLflow's environment.
        folder: An empty directory for this part alone.
        sizes: How much.
    """

    theirs: Path
    folder: Path
    sizes: Sizes
