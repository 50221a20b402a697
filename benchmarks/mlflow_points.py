"""Runs in MLflow's environment: the points of a file through MLflow's own client, and series for its readers.

``ingest URI FILE`` logs the points in batches of 1000 and prints seconds, and for a database of SQLite the bytes by
which its file grew. ``fill DATABASE RUNS POINTS`` inserts a series ``loss`` of so many points into each of so many runs
by SQL, because MLflow's own functions would take hours, and prints their ids. ``wide DATABASE KEYS STEPS`` inserts a
run of so many metrics, and prints its id. ``history URI RUN`` prints the seconds that ``get_metric_history`` takes.
What is printed last is JSON.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Metric

_BATCH = 1000


def ingest(uri, path):
    """Log, in the order in which a training does."""
    columns = np.load(path)
    steps, timestamps = columns["steps"].tolist(), columns["timestamps"].tolist()
    values = {key: columns[key].tolist() for key in columns.files if key not in ("steps", "timestamps")}
    metrics = [
        Metric(key, series[place], timestamps[place], step)
        for place, step in enumerate(steps)
        for key, series in values.items()
    ]
    client = MlflowClient(uri)
    run_id = client.create_run("0").info.run_id
    before = _file_bytes(uri)
    started = time.perf_counter()
    for first in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[first : first + _BATCH])
    seconds = time.perf_counter() - started
    return {"points": len(metrics), "seconds": seconds, "bytes": _file_bytes(uri) - before}


def fill(database, runs, points):
    """Insert series for those who read."""
    client = MlflowClient(f"sqlite:///{database}")
    ids = [client.create_run("0").info.run_id for _ in range(int(runs))]
    for run_id in ids:
        _insert(database, "metrics", (_point("loss", step, run_id) for step in range(int(points))))
    return ids


def wide(database, keys, steps):
    """Insert one run of many metrics, for those who draw them."""
    run_id = MlflowClient(f"sqlite:///{database}").create_run("0").info.run_id
    names = [f"metric_{number}" for number in range(int(keys))]
    last = int(steps) - 1
    _insert(database, "metrics", (_point(name, step, run_id) for name in names for step in range(int(steps))))
    _insert(database, "latest_metrics", (_point(name, last, run_id) for name in names))
    return run_id


def _point(key, step, run_id):
    return key, 1 / (step + 1), 1_700_000_000_000 + step, step, False, run_id


def _insert(database, table, rows):
    connection = sqlite3.connect(database)
    columns = "key, value, timestamp, step, is_nan, run_uuid"
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def history(uri, run_id):
    """Read a whole series."""
    client = MlflowClient(uri)
    started = time.perf_counter()
    points = len(client.get_metric_history(run_id, "loss"))
    return {"points": points, "seconds": time.perf_counter() - started}


def _file_bytes(uri):
    scheme, _, path = uri.partition(":///")
    return Path(path).stat().st_size if scheme == "sqlite" and Path(path).exists() else 0


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    print(json.dumps({"ingest": ingest, "fill": fill, "wide": wide, "history": history}[command](*arguments)))
