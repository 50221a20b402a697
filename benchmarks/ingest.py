"""Points into a store, until all of them lie in compacted segments; and the bytes that they take there."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import raw_blobs, raw_rows
from benchmarks.measure import run_script
from benchmarks.points import SHAPES, Columns, batches, mix, wide, write_columns
from benchmarks.results import Row
from benchmarks.servers import mlflow_server, stele_server
from benchmarks.setting import Setting
from benchmarks.targets import HTTP_INGEST, INGEST, WIDE_INGEST
from stele.schema.runs import CreateRun
from stele.stores.rest import RestStore
from stele.stores.sql import SqlStore
from stele.transport import HttpTransport

__all__ = [
    "WIDE_BATCHES",
    "Figures",
    "fill",
    "ingest_rows",
    "ingested",
    "ingested_wide",
    "size_rows",
    "their_figures",
    "through_server",
    "wide_rows",
]

_CLIENTS = 8
_WIDE_KEYS = 10_000
WIDE_BATCHES = {1_000: "1000 keys x 1 step", 100_000: "10 000 keys x 10 steps"}
"""How many points a batch has, and of what."""
_THEIR_WIDE_STEPS = 1


class Figures(NamedTuple):
    """What it took to store points."""

    points_a_second: float
    bytes_a_point: float


def ingest_rows(setting: Setting) -> Iterator[Row]:
    """Batches of 1000 points: five metrics, 200 steps; in the store, and through a server."""
    points = mix(setting.sizes.ingest_points)
    theirs = mix(setting.sizes.their_ingest_points)
    rounds = range(setting.sizes.ingest_rounds)
    ours = statistics.median(
        ingested(f"sqlite:///{setting.folder}/{number}.db", points).points_a_second for number in rounds
    )
    other = their_figures(setting, f"sqlite:///{setting.folder}/mlflow.db", theirs).points_a_second
    what = "ingest of 1000-point batches, FULL, compacted"
    yield Row(f"{what}, store", "points/s", ours, other, INGEST, limit=raw_blobs())

    through = {
        clients: statistics.median(
            through_server(setting.folder / f"{clients}-{number}", points, clients) for number in rounds
        )
        for clients in (1, _CLIENTS)
    }
    with mlflow_server(setting.theirs, setting.folder, "sqlite:///mlflow-http.db") as server:
        other = their_figures(setting, server.url, theirs).points_a_second
    yield Row(f"{what}, HTTP", "points/s", through[1], other, HTTP_INGEST, limit=raw_rows())
    yield Row(
        f"{what}, HTTP, {_CLIENTS} clients (MLflow: 1)",
        "points/s",
        through[_CLIENTS],
        other,
        HTTP_INGEST,
        limit=raw_rows(),
    )


def wide_rows(setting: Setting) -> Iterator[Row]:
    """A run of 10 000 keys: requests with 1000 keys of one step, and batches of ten steps as a journal sends them."""
    theirs = their_figures(setting, f"sqlite:///{setting.folder}/mlflow.db", wide(_WIDE_KEYS, _THEIR_WIDE_STEPS))
    for size, name in WIDE_BATCHES.items():
        ours = ingested_wide(f"sqlite:///{setting.folder}/{size}.db", setting.sizes.wide_steps, size)
        what = f"ingest into 10 000 keys of a run, {name} a batch (MLflow: 1000 x 1), FULL, compacted, store"
        yield Row(what, "points/s", ours, theirs.points_a_second, WIDE_INGEST, limit=raw_rows())


def size_rows(setting: Setting) -> Iterator[Row]:
    """By how much the file of a database grows."""
    targets = {"mix of 5 metrics": 3.0, "worst noise": 7.3, "rounded values": 1.7}
    for number, (name, shape) in enumerate(SHAPES.items()):
        ours = ingested(f"sqlite:///{setting.folder}/{number}.db", shape(setting.sizes.ingest_points))
        their_points = shape(setting.sizes.their_ingest_points)
        theirs = their_figures(setting, f"sqlite:///{setting.folder}/mlflow{number}.db", their_points)
        what = f"on disk after compaction: {name} ({their_points.points:,} points in MLflow)"
        yield Row(what, "bytes/point", ours.bytes_a_point, theirs.bytes_a_point, targets[name])


def ingested(uri: str, columns: Columns, *, points: int = 1_000) -> Figures:
    """Store points of one run in a new database, so many a batch, as a server does; compaction is part of the time."""
    with SqlStore(uri) as store:
        store.start_refresher()
        run_id = store.create_run(CreateRun(experiment_id="0")).run.info.run_id
        before = store.file_bytes()
        seconds = fill(store, run_id, columns, points=points)
        while store.reclaim_pages():
            pass
        return Figures(columns.points / seconds, (store.file_bytes() - before) / columns.points)


def ingested_wide(uri: str, steps: int, points: int) -> float:
    """Points/s into 10 000 keys of one run in a new database, so many points a batch."""
    return ingested(uri, wide(_WIDE_KEYS, steps), points=points).points_a_second


def fill(store: SqlStore, run_id: str, columns: Columns, *, points: int = 1_000) -> float:
    """Store points in batches of so many and compact them; returns the seconds, those to make the batches excluded."""
    made = list(batches(run_id, columns, points=points, client_id=uuid.uuid4().hex))
    started = time.perf_counter()
    for batch in made:
        store.ingest(batch)
    store.compact_all(lambda _points: None)
    return time.perf_counter() - started


def through_server(folder: Path, columns: Columns, clients: int, uri: str = "") -> float:
    """Points/s from the first request until the last point is compacted, by the server or as ``stele db compact``.

    Each client sends its part of the steps to a run of its own, one request after the other. The server has its files
    in a new ``folder``, and its database there as well unless it is given.
    """
    folder.mkdir()
    uri = uri or f"sqlite:///{folder}/stele.db"
    with stele_server(folder, uri) as server, SqlStore(uri, str(folder)) as observer:
        senders = [_Sender(server.url, part) for part in columns.parted(clients)]
        started = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            for sent in [pool.submit(sender.send) for sender in senders]:
                sent.result()
        observer.compact_all(lambda _points: None)  # what the server's thread has left, which waits for more to come
        seconds = time.perf_counter() - started
    return columns.points / seconds


class _Sender:
    """A client with its own connection and its own run."""

    def __init__(self, url: str, columns: Columns) -> None:
        self._store = RestStore(HttpTransport(url))
        run_id = self._store.create_run(CreateRun(experiment_id="0")).run.info.run_id
        self._batches = list(batches(run_id, columns, client_id=uuid.uuid4().hex))

    def send(self) -> None:
        for batch in self._batches:
            self._store.ingest(batch)
        self._store.close()


def their_figures(setting: Setting, uri: str, columns: Columns, **environment: str) -> Figures:
    """The same points through MLflow's client into a database or a server."""
    path = setting.folder / "points.npz"
    write_columns(columns, path)
    found = run_script(setting.theirs, "mlflow_points.py", "ingest", uri, str(path), **environment)
    return Figures(found["points"] / found["seconds"], found["bytes"] / found["points"])
