"""A database of the first version that had blocks: what it holds is read, charted, and merged with what comes later.

``blocks/version1.db.gz`` was made once. Its run has two series of :func:`value`: sealed and shared blocks and summaries
of version 1, and a few points in the log.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.series import GetSeries
from stele.stores.sql import SqlStore
from stele.stores.sql.engines import open_database
from stele.stores.sql.schema_version import upgrade
from stele.stores.sql.tables import segments

RUN = "0123456789abcdef0123456789abcdef"
COUNTS = {"rounded": 20_300, "noisy": 9_000}


def value(key: str, places: np.ndarray) -> np.ndarray:
    return np.floor(1e6 * np.abs(np.sin(places))) / (1e4 if key == "rounded" else 3e5)


def timestamps(places: np.ndarray) -> np.ndarray:
    return 1_700_000_000_000 + 17 * places + places % 5


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "old.db"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "blocks/version1.db.gz").read_bytes()))
    db = open_database(f"sqlite:///{path}")
    upgrade(db, "mlflow-artifacts:/")
    db.close()
    with SqlStore(f"sqlite:///{path}", "mlflow-artifacts:/") as store:
        yield store


def versions(store: SqlStore) -> list[tuple[int, int | None]]:
    """Of the blocks and the summaries."""
    rows = store.db.read(lambda c: c.execute(select(segments.c.data, segments.c.summary)).all())
    return [(row.data[0], row.summary[0] if row.summary else None) for row in rows]


def check(store: SqlStore, extra: dict[str, np.ndarray]) -> None:
    for key, count in COUNTS.items():
        places = np.concatenate([np.arange(count), extra.get(key, np.empty(0, int))])
        (exact,) = store.get_series(GetSeries(run_ids=[RUN], keys=[key], max_points=100_000)).series
        assert np.asarray(exact.steps.data).tolist() == places.tolist()
        assert np.asarray(exact.timestamps.data).tolist() == timestamps(places).tolist()
        assert np.asarray(exact.values.data).tobytes() == value(key, places).tobytes()
        (chart,) = store.get_series(GetSeries(run_ids=[RUN], keys=[key], buckets=10)).series
        assert np.asarray(chart.counts.data).sum() == len(places)
        assert np.asarray(chart.min.data).min() == value(key, places).min()
        assert np.asarray(chart.max.data).max() == value(key, places).max()
        assert np.asarray(chart.last.data)[-1] == value(key, places)[-1]


def test_old_blocks_are_read_and_merged_with_new_points(store):
    assert {block for block, _ in versions(store)} == {1}
    check(store, {})
    later = np.arange(20_300, 60_000)
    columns = later.tolist(), timestamps(later).tolist(), value("rounded", later).tolist()
    late = [5_000, 5_001], timestamps(np.array([5_000, 5_001])).tolist(), value("rounded", np.array([5_000, 5_001]))
    series = [
        IngestSeries(RUN, "rounded", *columns),
        IngestSeries(RUN, "rounded", late[0], late[1], late[2].tolist()),  # which are there
    ]
    store.ingest(Ingest(client_id="test", sequence=1, series=series))
    check(store, {"rounded": later})
    store.compact_all(lambda _points: None)
    check(store, {"rounded": later})
    assert {1, 2} == {block for block, _ in versions(store)}


def test_a_late_point_makes_an_old_block_new(store):
    step = 100
    late = IngestSeries(RUN, "rounded", [step], [1], [-7.0])
    store.ingest(Ingest(client_id="test", sequence=1, series=[late]))
    store.compact_all(lambda _points: None)
    (found,) = store.get_series(GetSeries(run_ids=[RUN], keys=["rounded"], start=step, end=step)).series
    assert np.asarray(found.values.data).tolist() == [-7.0, float(value("rounded", np.array([step]))[0])]
    (chart,) = store.get_series(GetSeries(run_ids=[RUN], keys=["rounded"], buckets=10)).series
    assert np.asarray(chart.counts.data).sum() == COUNTS["rounded"] + 1
    assert np.asarray(chart.min.data)[0] == -7.0
    assert (2, 2) in versions(store)
