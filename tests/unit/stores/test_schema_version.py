"""Making, checking and upgrading the schema."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from services import fresh_database
from stele.errors import Conflict, InvalidParameterValue
from stele.schema import logged_models as lm
from stele.schema import runs as r
from stele.schema.experiments import GetExperiment
from stele.schema.metrics import Metric
from stele.stores.sql import SqlStore
from stele.stores.sql.engines import open_database
from stele.stores.sql.schema_version import HEAD, REVISIONS, VERSION_TABLE, run_migrations, stored_version, upgrade
from stele.stores.sql.tables import metadata

SERVERS = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


@pytest.fixture(params=SERVERS)
def empty_uri(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    with fresh_database(request.param) as uri:
        yield uri


def test_migrations_make_what_the_tables_say(empty_uri):
    db = open_database(empty_uri)
    db.write(run_migrations)
    assert db.read(stored_version) == HEAD
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": VERSION_TABLE, "target_metadata": metadata}
        )
        assert compare_metadata(context, metadata) == []
    db.close()


def test_sqlite_files_are_equal_either_way(tmp_path):
    db = open_database(f"sqlite:///{tmp_path}/migrated.db")
    db.write(run_migrations)
    db.close()
    SqlStore(f"sqlite:///{tmp_path}/created.db").close()

    def statements(name):
        with sqlite3.connect(tmp_path / name) as connection:
            rows = connection.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE ?", ("%stele_schema%",)
            )
            return sorted(" ".join(row[0].replace("\t", " ").split()) for row in rows)

    assert statements("migrated.db") == statements("created.db")


@pytest.mark.postgres
def test_postgres_stores_points_alike_either_way():
    """What autogeneration does not compare: how bytes are stored, and when tables are vacuumed."""
    columns = (
        "SELECT c.relname, a.attname, a.attstorage FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 ORDER BY 1, 2"
    )
    options = (
        "SELECT c.relname, c.reloptions, t.reloptions FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1"
    )
    found = []
    with fresh_database("postgres") as migrated, fresh_database("postgres") as created:
        db = open_database(migrated)
        db.write(run_migrations)
        db.close()
        SqlStore(created).close()
        for uri in (migrated, created):
            db = open_database(uri)
            found.append(
                [[tuple(row) for row in db.read(lambda c, q=q: c.execute(text(q)).all())] for q in (columns, options)]
            )
            db.close()
    assert found[0] == found[1]
    assert ("segments", "data", "e") in found[0][0]


def _open(uri, results):
    with SqlStore(uri) as store:
        results.put(store.get_experiment(GetExperiment(experiment_id="0")).experiment.name)


def test_processes_that_start_at_once_do_not_race(empty_uri):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_open, args=(empty_uri, results)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert [results.get() for _ in processes] == ["Default"] * 4


def test_newer_schema_is_refused_unchanged(empty_uri):
    SqlStore(empty_uri).close()
    db = open_database(empty_uri)
    db.write(lambda c: c.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")))
    with pytest.raises(Conflict, match="9999"):
        SqlStore(empty_uri)
    with pytest.raises(Conflict, match="9999"):
        upgrade(db, "./x")
    assert db.read(stored_version) == "9999"
    db.close()


def test_upgrade_of_a_current_database_changes_nothing(empty_uri):
    db = open_database(empty_uri)
    assert upgrade(db, "/tmp/root") == (None, HEAD)
    assert upgrade(db, "/tmp/root") == (HEAD, HEAD)
    db.close()


def test_runs_survive_the_step_to_stamps_of_changes(empty_uri):
    with SqlStore(empty_uri) as store:
        run = store.create_run(r.CreateRun(experiment_id="0", run_name="ä")).run.info.run_id
        store.log_batch(r.LogBatch(run_id=run, metrics=[Metric("m", 1.5, 2, 3)], params=[r.Param("p", "1")]))
        store.apply_all()
        before = store.get_run(r.GetRun(run_id=run)).run
    db = open_database(empty_uri)
    stamps = ("change_stamp", "record_stamp")
    for statement in (
        "DROP TABLE views",
        *(f"DROP INDEX ix_runs_{name}{' ON runs' if db.family == 'mysql' else ''}" for name in stamps),
        *(f"ALTER TABLE runs DROP COLUMN {name}" for name in stamps),
        "ALTER TABLE logged_model_params DROP COLUMN number",
        f"UPDATE {VERSION_TABLE} SET version_num = '0003'",
    ):
        db.write(lambda c, statement=statement: c.execute(text(statement)))
    with pytest.raises(Conflict, match="stele db upgrade"):
        SqlStore(empty_uri)
    assert upgrade(db, "/tmp/root") == ("0003", HEAD)
    db.close()
    with SqlStore(empty_uri) as store:
        assert store.get_run(r.GetRun(run_id=run)).run == before
        assert [item.stamp for item in store.look_for_changes([], [run]).runs] == [0]
        store.set_tag(r.SetTag(run_id=run, key="t", value="1"))
        assert store.look_for_changes([0], []).runs[0].run_id == run
        other = store.create_run(r.CreateRun(experiment_id="0")).run.info.run_id
        found = store.search_runs(r.SearchRuns(experiment_ids=["0"])).runs
        assert {item.info.run_id for item in found} == {run, other}


def test_params_of_logged_models_become_numbers(empty_uri):
    params = {"a": "0.01", "b": "text", "c": "-3", "d": "1e400", "e": "nan"}
    with SqlStore(empty_uri) as store:
        for name in "xy":
            entries = [lm.LoggedModelParameter(key, value) for key, value in params.items()]
            store.create_logged_model(lm.CreateLoggedModel(experiment_id="0", name=name, params=entries))
    db = open_database(empty_uri)
    for statement in (
        "ALTER TABLE logged_model_params DROP COLUMN number",
        f"UPDATE {VERSION_TABLE} SET version_num = '0004'",
    ):
        db.write(lambda c, statement=statement: c.execute(text(statement)))
    assert upgrade(db, "/tmp/root") == ("0004", HEAD)
    db.close()
    with SqlStore(empty_uri) as store:
        found = {
            key: len(
                store.search_logged_models(
                    lm.SearchLoggedModels(experiment_ids=["0"], filter=f"params.{key} BETWEEN -5 AND 1")
                ).models
            )
            for key in params
        }
        assert found == {"a": 2, "b": 0, "c": 2, "d": 0, "e": 0}
        entries = [lm.LoggedModelParameter("b", "2")]
        store.create_logged_model(lm.CreateLoggedModel(experiment_id="0", name="z", params=entries))
        (model,) = store.search_logged_models(lm.SearchLoggedModels(experiment_ids=["0"], filter="params.b > 1")).models
        assert model.info.name == "z"


def test_database_of_another_program_is_refused(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/mlflow.db")
    with engine.begin() as connection:
        for table in ("alembic_version", "experiments", "runs", "latest_metrics"):
            connection.execute(text(f"CREATE TABLE {table} (x TEXT)"))
    engine.dispose()
    with pytest.raises(InvalidParameterValue, match="MLflow"):
        SqlStore(f"sqlite:///{tmp_path}/mlflow.db")


def test_every_revision_has_its_file():
    folder = Path(__file__).parents[3] / "src/stele/stores/sql/migrations/versions"
    names = sorted(path.name.partition("_")[0] for path in folder.glob("[0-9]*.py"))
    assert tuple(names) == REVISIONS
