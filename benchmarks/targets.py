"""What SQLite is asked to do, where more than one part of the benchmark asks it."""

from __future__ import annotations

__all__ = [
    "CHART_MS",
    "HISTORY_MS",
    "HTTP_INGEST",
    "INGEST",
    "JSON_POINTS",
    "SMALL_P99_MS",
    "SMALL_REQUESTS",
    "TO_NUMPY_MS",
    "WIDE_INGEST",
    "charts_ms",
]

INGEST = 1_400_000
"""Points a second of one run, in the store."""
HTTP_INGEST = 700_000
WIDE_INGEST = 600_000
"""The same with 10 000 keys, in the store."""
JSON_POINTS = 100_000
"""Points a second of MLflow's requests of 1000."""
SMALL_REQUESTS = 4_000
"""MLflow's requests of 5 points, a second."""
SMALL_P99_MS = 20
TO_NUMPY_MS = 12
"""A million points to arrays, in the store."""
HISTORY_MS = 25
"""MLflow's JSON of 100 000 points."""
CHART_MS = 3
"""One long series in buckets, in the store."""


def charts_ms(runs: int) -> float:
    """A series of each of so many runs in buckets, in the store."""
    return 30 * runs / 100
