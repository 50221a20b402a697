"""What a server knows of the logs of all runs."""

from __future__ import annotations

import tracemalloc
import uuid

import pytest
from series_oracle import new_run
from sqlalchemy import insert, select

from stele.stores.sql import SqlStore
from stele.stores.sql.backlog import WORTHWHILE_POINTS, Backlog
from stele.stores.sql.tables import ingest_log, runs


@pytest.fixture
def store(tmp_path):
    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        yield store


def log_rows(store, number, points, rows=1):
    row = {"run": number, "points": points, "records": b""}
    store.db.write(lambda c: c.execute(insert(ingest_log), [row] * rows))


def test_logs_that_another_process_has_written_are_found(store):
    (_, short), (_, long), (_, rows) = (new_run(store, "0") for _ in range(3))
    log_rows(store, short, WORTHWHILE_POINTS - 1)
    log_rows(store, long, WORTHWHILE_POINTS)
    log_rows(store, rows, 1, WORTHWHILE_POINTS)
    backlog = Backlog(lambda: None)
    store.db.read(backlog.recount)
    assert sorted(backlog.unfinished()) == [long, rows]


def test_many_runs_with_short_logs_take_no_memory(store):
    _, number = new_run(store, "0")
    row = dict(store.db.read(lambda c: c.execute(select(runs)).one())._mapping)
    del row["run"]
    more = [row | {"run_id": uuid.uuid4().hex} for _ in range(5_000)]
    rows = [{"run": each, "points": 10, "records": b""} for each in range(number, number + 5_000)]
    store.db.write(lambda c: (c.execute(insert(runs), more), c.execute(insert(ingest_log), rows)))
    backlog = Backlog(lambda: None)
    tracemalloc.start()
    store.db.read(backlog.recount)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000  # what is noted about each takes 180 bytes
