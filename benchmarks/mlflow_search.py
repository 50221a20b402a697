"""Runs in MLflow's environment: copies the benchmark's runs into a database of MLflow, and times its searches.

``python mlflow_search.py load FOLDER EXPERIMENT`` and ``... search FOLDER EXPERIMENT QUERIES``; the second prints the
median milliseconds of one query a line.
"""

import json
import os
import sqlite3
import statistics
import sys
import time

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

_ROUNDS = 3


def store_of(folder):
    """MLflow's own SQL store."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    return SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", f"{folder}/files")


def copy(folder, experiment):
    """Insert every run of our store, by SQL: MLflow's own functions would take hours."""
    store = store_of(folder)
    target = store.create_experiment("search")
    ours = sqlite3.connect(f"{folder}/search.db")
    theirs = sqlite3.connect(f"{folder}/mlflow.db")
    ids = dict(ours.execute("SELECT run, run_id FROM runs WHERE experiment_id = ?", (experiment,)))
    theirs.executemany(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
        " start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time)"
        " VALUES (?, ?, 'UNKNOWN', '', '', ?, 'FINISHED', ?, ?, '', 'active', '', ?, NULL)",
        (
            (run_id, name, user, start, end, target)
            for run_id, name, user, start, end in ours.execute(
                "SELECT run_id, name, user_id, start_time, end_time FROM runs WHERE experiment_id = ?", (experiment,)
            )
        ),
    )
    texts = "SELECT t.run, k.name, t.value FROM run_texts t JOIN entity_keys k USING (key_id) WHERE k.kind = ?"
    for kind, table in ((1, "params"), (2, "tags")):
        rows = ((key, value, ids[run]) for run, key, value in ours.execute(texts, (kind,)) if run in ids)
        theirs.executemany(f"INSERT OR IGNORE INTO {table} (key, value, run_uuid) VALUES (?, ?, ?)", rows)
    latest = (
        "SELECT m.run, k.name, m.value, m.timestamp, m.step FROM latest_metrics m JOIN entity_keys k USING (key_id)"
    )
    points = [
        (key, value or 0.0, timestamp, step, value is None, ids[run])
        for run, key, value, timestamp, step in ours.execute(latest)
        if run in ids
    ]
    for table in ("metrics", "latest_metrics"):
        theirs.executemany(
            f"INSERT INTO {table} (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?)", points
        )
    theirs.commit()
    theirs.close()


def search(folder, queries):
    """Print one line a query."""
    from mlflow.entities import ViewType

    store = store_of(folder)
    experiment = store.get_experiment_by_name("search").experiment_id
    for _, filter_string, order_by in queries:
        times = []
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            store.search_runs([experiment], filter_string, ViewType.ACTIVE_ONLY, 100, order_by)
            times.append((time.perf_counter() - started) * 1000)
            if times[-1] > 5_000:
                break
        print(statistics.median(times), flush=True)


if __name__ == "__main__":
    command, folder, experiment, *rest = sys.argv[1:]
    if command == "load":
        copy(folder, experiment)
    else:
        search(folder, json.loads(rest[0]))
