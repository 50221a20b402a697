"""SQLite: group commit, several processes, kill -9, a full disk, a network file system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

import pytest
from sqlalchemy import event, text

from stele.errors import InvalidParameterValue, Unavailable
from stele.schema import experiments as e
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.stores.sql import SqlStore, sqlite

WRITER = """
import sys
from stele.schema.runs import CreateRun, LogMetric
from stele.stores.sql import SqlStore

store = SqlStore(sys.argv[1])
run = store.create_run(CreateRun(experiment_id="0")).run.info.run_id
print(run, flush=True)
for i in range(int(sys.argv[2])):
    store.log_metric(LogMetric(run_id=run, key="k", value=float(i), timestamp=i, step=i))
    print(i, flush=True)
"""


@pytest.fixture
def store(tmp_path):
    with SqlStore(f"sqlite:///{tmp_path}/s.db") as store:
        yield store


def writer(uri: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, uri, str(count)], stdout=subprocess.PIPE, text=True)


def steps_of(store: SqlStore, run: str) -> list[int]:
    points = store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key="k")).metrics
    return [point.step for point in points]


def test_what_was_acknowledged_survives_kill(tmp_path):
    uri = f"sqlite:///{tmp_path}/s.db"
    for rounds in range(3):
        process = writer(uri, 10_000)
        assert process.stdout
        run = process.stdout.readline().strip()
        seen = [int(process.stdout.readline()) for _ in range(20 + 15 * rounds)]
        process.send_signal(signal.SIGKILL)
        seen += [int(line) for line in process.stdout.read().splitlines() if line.strip().isdigit()]
        process.wait()
        process.stdout.close()
        with SqlStore(uri) as store:
            steps = steps_of(store, run)
            # One more may have been committed whose acknowledgement was not printed.
            assert steps[: len(seen)] == seen
            assert len(steps) <= len(seen) + 1
            with store.db.engine.connect() as connection:
                assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_processes_share_a_file(tmp_path):
    uri = f"sqlite:///{tmp_path}/s.db"
    SqlStore(uri).close()
    processes = [writer(uri, 40) for _ in range(3)]
    runs = []
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0
        runs.append(output.splitlines()[0])
    with SqlStore(uri) as store:
        for run in runs:
            assert steps_of(store, run) == list(range(40))


def test_waiting_writers_share_a_commit(store):
    """While one write holds the turn, the others queue up; they all land in the next transaction."""
    commits: list[int] = []
    event.listen(store.db._writer, "commit", lambda _connection: commits.append(1))
    entered, release = threading.Event(), threading.Event()

    def slow(_connection):
        entered.set()
        release.wait()

    first = threading.Thread(target=store.db.write, args=(slow,))
    first.start()
    entered.wait()
    names = [f"group {i}" for i in range(8)]
    others = [threading.Thread(target=store.create_experiment, args=(e.CreateExperiment(name=name),)) for name in names]
    for thread in others:
        thread.start()
    while len(store.db._waiting) < len(names):
        threading.Event().wait(0.001)
    release.set()
    for thread in [first, *others]:
        thread.join()
    assert len(commits) == 2
    found = store.search_experiments(e.SearchExperiments(filter="name LIKE 'group%'")).experiments
    assert sorted(item.name for item in found) == names


def test_a_failure_in_a_group_is_its_own(store):
    results: dict[str, object] = {}
    entered, release = threading.Event(), threading.Event()

    def slow(_connection):
        entered.set()
        release.wait()

    def create(label, name):
        try:
            results[label] = store.create_experiment(e.CreateExperiment(name=name)).experiment_id
        except Exception as error:
            results[label] = type(error).__name__

    first = threading.Thread(target=store.db.write, args=(slow,))
    first.start()
    entered.wait()
    others = [
        threading.Thread(target=create, args=(label, name))
        for label, name in (("a", "one"), ("b", "Default"), ("c", "two"))
    ]
    for thread in others:
        thread.start()
    while len(store.db._waiting) < len(others):
        threading.Event().wait(0.001)
    release.set()
    for thread in [first, *others]:
        thread.join()
    assert results["b"] == "AlreadyExists"
    names = {item.name for item in store.search_experiments(e.SearchExperiments()).experiments}
    assert names == {"Default", "one", "two"}


class InterruptedQueue(deque):
    """Ctrl-C comes when the second one is taken."""

    taken = 0

    def popleft(self):
        self.taken += 1
        if self.taken == 2:
            raise KeyboardInterrupt
        return super().popleft()


def test_who_is_interrupted_while_gathering_a_group_leaves_nobody_waiting(store):
    entered, release = threading.Event(), threading.Event()
    outcomes: list[str] = []

    def slow(_connection):
        entered.set()
        release.wait()

    def create(name):
        try:
            outcomes.append(store.create_experiment(e.CreateExperiment(name=name)).experiment_id)
        except BaseException as error:
            outcomes.append(type(error).__name__)

    first = threading.Thread(target=store.db.write, args=(slow,))
    first.start()
    entered.wait()
    others = [threading.Thread(target=create, args=(name,), daemon=True) for name in ("one", "two", "three")]
    for thread in others:
        thread.start()
    while len(store.db._waiting) < len(others):
        threading.Event().wait(0.001)
    store.db._waiting = InterruptedQueue(reversed(store.db._waiting))  # who gathers comes last
    release.set()
    for thread in [first, *others]:
        thread.join(30)
    assert len(outcomes) == 3
    assert outcomes.count("KeyboardInterrupt") == 1
    assert store.create_experiment(e.CreateExperiment(name="four")).experiment_id


def test_full_disk_is_said_and_loses_nothing(store):
    run = store.create_run(r.CreateRun(experiment_id="0")).run.info.run_id
    store.log_metric(r.LogMetric(run_id=run, key="k", value=1.0, timestamp=0, step=0))
    with store.db._writing() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        connection.rollback()
    tags = [r.RunTag(f"t{i}", "x" * 8_000) for i in range(100)]
    with pytest.raises(Unavailable, match="full"):
        store.log_batch(r.LogBatch(run_id=run, tags=tags))
    found = store.get_run(r.GetRun(run_id=run)).run
    assert "t0" not in found.data.tags
    with store.db._writing() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
        connection.rollback()
    store.log_batch(r.LogBatch(run_id=run, tags=tags))
    assert store.get_run(r.GetRun(run_id=run)).run.data.tags["t99"] == "x" * 8_000
    assert steps_of(store, run) == [0]


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:", "sqlite:///x?mode=memory&uri=true"])
def test_memory_is_refused(uri):
    with pytest.raises(InvalidParameterValue, match="file"):
        SqlStore(uri)


def test_missing_directory_is_named(tmp_path):
    with pytest.raises(InvalidParameterValue, match="does not exist"):
        SqlStore(f"sqlite:///{tmp_path}/nowhere/s.db")


def test_network_file_system_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sqlite, "_file_system", lambda _directory: "nfs4")
    with pytest.raises(InvalidParameterValue, match="nfs4"):
        SqlStore(f"sqlite:///{tmp_path}/s.db")
    assert not (tmp_path / "s.db").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_file_system_of_a_directory_is_found(tmp_path):
    assert sqlite._file_system(Path("/proc")) == "proc"
    assert sqlite._file_system(tmp_path) not in ("", "proc")


@pytest.mark.parametrize("uri", ["oracle://x", "no uri", "http://x", "file:///x"])
def test_other_stores_are_refused(uri):
    with pytest.raises(InvalidParameterValue):
        SqlStore(uri)


def test_files_are_for_their_owner_alone(tmp_path):
    before = os.umask(0o022)
    try:
        SqlStore(f"sqlite:///{tmp_path}/s.db").close()
    finally:
        os.umask(before)
    assert (tmp_path / "s.db.lock").stat().st_mode & 0o077 == 0
