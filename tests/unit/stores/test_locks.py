"""Transactions that lock several runs never wait for each other in a circle."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from series_oracle import new_experiment
from sqlalchemy import select

from stele.errors import Unavailable
from stele.schema import runs as r
from stele.stores.sql import SqlStore, database, engines
from stele.stores.sql.core import lock_runs
from stele.stores.sql.summaries import apply_pending
from stele.stores.sql.tables import runs

ROUNDS = 100


@pytest.mark.parametrize("count", [2, 40])
def test_logs_are_applied_while_several_runs_are_written_to(sql_store, other, count):
    """The ids come in the opposite order of the row numbers; a deadlock would have the work done once more."""
    experiment = new_experiment(sql_store)
    run_ids = sorted((uuid.uuid4().hex for _ in range(count)), reverse=True)
    for run_id in run_ids:
        sql_store.create_run(r.CreateRun(experiment_id=experiment, run_id=run_id))
    query = select(runs.c.run).where(runs.c.run_id.in_(run_ids))
    numbers = sql_store.db.read(lambda c: list(c.scalars(query)))
    attempts = []

    def write(connection):
        attempts.append("write")
        lock_runs(connection, run_ids)

    def apply(connection):
        attempts.append("apply")
        apply_pending(connection, other.keys, numbers)

    with ThreadPoolExecutor() as threads:
        for store, work in ((sql_store, write), (other, apply)):
            threads.submit(lambda db=store.db, work=work: [db.write(work) for _ in range(ROUNDS)])
    assert Counter(attempts) == {"write": ROUNDS, "apply": ROUNDS}


def test_a_lock_that_is_never_given_back_is_an_error(sql_store, database_uri, monkeypatch):
    """As that of a process on a machine that was suspended; nobody would wait for it without end."""
    if sql_store.db.family == "sqlite":
        pytest.skip("its writers take turns, see test_sqlite.py")
    monkeypatch.setattr(engines, "_LOCK_WAIT_SECONDS", 1)
    monkeypatch.setattr(database, "_ATTEMPTS", 2)
    run_id = sql_store.create_run(r.CreateRun(experiment_id="0")).run.info.run_id
    rename = r.UpdateRun(run_id=run_id, run_name="renamed")

    def hold(connection):
        lock_runs(connection, [run_id])
        with SqlStore(database_uri, sql_store.artifact_root) as impatient, pytest.raises(Unavailable):
            impatient.update_run(rename)

    sql_store.db.write(hold)
    assert sql_store.update_run(rename).run_info.run_name == "renamed"
