"""A database server that drops its connections, or is not there: clear errors, nothing lost, and work goes on."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, make_url, text

from services import fresh_database
from stele.errors import MissingDependency, SteleError, Unavailable
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.stores.sql import SqlStore, engines

KILL = {
    "postgres": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = :name AND pid <> pg_backend_pid()",
    "mariadb": None,
}


@pytest.fixture(
    params=[
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def served(request):
    """A store on a database server, and how to drop its connections."""
    with fresh_database(request.param) as uri:
        name = make_url(uri).database
        administration = create_engine(make_url(uri), isolation_level="AUTOCOMMIT")

        def drop_connections() -> None:
            with administration.connect() as connection:
                if request.param == "postgres":
                    connection.execute(text(KILL["postgres"]), {"name": name})
                    return
                query = "SELECT id FROM information_schema.processlist WHERE db = :name AND id <> CONNECTION_ID()"
                for number in connection.execute(text(query), {"name": name}).scalars().all():
                    connection.execute(text(f"KILL {int(number)}"))

        with SqlStore(uri) as store:
            yield store, drop_connections
        administration.dispose()


def test_idle_connections_that_were_dropped_are_replaced(served):
    store, drop_connections = served
    run = store.create_run(r.CreateRun(experiment_id="0")).run.info.run_id
    for step in range(5):
        drop_connections()
        store.log_metric(r.LogMetric(run_id=run, key="k", value=1.0, timestamp=step, step=step))
    assert len(store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key="k")).metrics) == 5


def test_a_write_that_is_cut_off_is_whole_or_not_there(served):
    store, drop_connections = served
    run = store.create_run(r.CreateRun(experiment_id="0")).run.info.run_id
    acknowledged: list[int] = []
    unexpected: list[BaseException] = []
    started, stop = threading.Event(), threading.Event()

    def write() -> None:
        step = 0
        while not stop.is_set():
            step += 1
            tag, metric = r.RunTag(f"t{step}", "x"), m.Metric(f"m{step}", 1.0, step, step)
            try:
                store.log_batch(r.LogBatch(run_id=run, metrics=[metric], tags=[tag]))
                acknowledged.append(step)
            except Unavailable:
                pass
            except BaseException as e:
                unexpected.append(e)
            if step == 10:
                started.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert started.wait(60)
    for _ in range(8):
        before = len(acknowledged)
        drop_connections()
        while len(acknowledged) <= before and thread.is_alive() and not unexpected:
            threading.Event().wait(0.002)
    stop.set()
    thread.join()
    assert unexpected == []
    data = store.get_run(r.GetRun(run_id=run)).run.data
    kept = {int(key[1:]) for key in data.metrics}
    assert set(acknowledged) <= kept
    assert kept == {int(key[1:]) for key in data.tags if key.startswith("t")}


@pytest.mark.parametrize("uri", ["postgresql://nobody@127.0.0.1:1/none", "mysql://nobody@127.0.0.1:1/none"])
def test_a_server_that_is_not_there(uri):
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        SqlStore(uri)


def test_a_password_is_never_shown():
    with pytest.raises(SteleError) as caught:
        SqlStore("postgresql://nobody:canary-secret@127.0.0.1:1/none")
    assert "canary-secret" not in str(caught.value)


def test_a_missing_driver_is_named(monkeypatch):
    def missing(*_arguments, **_options):
        raise ImportError("No module named 'psycopg'")

    monkeypatch.setattr(engines, "create_engine", missing)
    with pytest.raises(MissingDependency, match=r"stele\[postgres\]"):
        SqlStore("postgresql://x@127.0.0.1/y")


def test_a_pool_without_a_free_connection_is_no_failure_of_the_server(sql_store, monkeypatch):
    """Whoever asked may come again: over HTTP the answer is 503 with Retry-After."""
    db = sql_store.db
    monkeypatch.setattr(db.engine.pool, "_timeout", 0)

    def nested(_connection):
        return db.read(nested)

    with pytest.raises(Unavailable, match=r"in use \(STELE_POOL_SIZE\)"):
        db.read(nested)
    sql_store.ping()
