"""``python -m benchmarks.kill_campaign --rounds N``: kill client, server or both at random, and count what is lost.

In each round a program logs to a server as fast as it can and notes, in a mapped file, how many of its calls have
returned. It, the server, or both get SIGKILL; dead servers are started again. In the end the journals that are left are
sent, and every series is compared with what its program noted:

* *lost calls*: calls that had returned and whose points are not in the store;
* *lost points*: points that the server had acknowledged (read in the middle of a round) and that are not there later;
* *doubled points*: points that the store took more than once;
* *wrong points*: points with another value than was logged.

The exit code is 0 when all four are 0 and the database is in order.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from stele.client.shipments import upload_files
from stele.schema.metrics import GetMetricHistory
from stele.schema.runs import CreateRun
from stele.stores.journal.files import find_journals, journal_root
from stele.stores.journal.journal import Journal
from stele.stores.journal.sender import ship
from stele.stores.sql import SqlStore

__all__ = ["Client", "Losses", "added", "campaign", "checked", "losses_of", "main", "send_leftovers"]

_VICTIMS = ("client", "server", "both")
_PROGRAM = """
import mmap, os, struct, sys, time
import stele
uri, run_id, path, pause = sys.argv[1:]
pause = float(pause)
counter = mmap.mmap(os.open(path, os.O_RDWR), 8)
stele.set_tracking_uri(uri)
for step in range(1 << 40):
    stele.log_metric("x", step * 0.5, step=step, run_id=run_id)
    struct.pack_into("<q", counter, 0, step + 1)
    if pause:
        time.sleep(pause)
"""
_START_SECONDS = 60.0
_LONGEST_SECONDS = (0.01, 0.1, 0.5, 1.5)  # mostly short lives, in which starting and ending matter


class Losses(NamedTuple):
    """What a campaign found; everything but ``rounds``, ``calls`` and ``points`` should be 0."""

    rounds: int = 0
    calls: int = 0
    points: int = 0
    lost_calls: int = 0
    lost_points: int = 0
    doubled_points: int = 0
    wrong_points: int = 0
    damaged: int = 0

    def is_clean(self) -> bool:
        """Whether nothing is lost, doubled, wrong or damaged."""
        return not any(self[3:])


class Server:
    """A server at one address that can be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._command = [sys.executable, "-m", "stele.cli", "server", "--port", str(port)]
        self._command += ["--backend-store-uri", f"sqlite:///{folder}/stele.db"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers; a running one stays."""
        if self._process is not None and self._process.poll() is None:
            return
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
        raise RuntimeError(f"The server does not answer; see {self._folder}/server.log.")

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Client:
    """A program that logs to a run of its own until it is killed.

    Args:
        folder: Where it notes what it does.
        uri: Where it logs to.
        store: The same store, to make the run.
        pause_seconds: How long it waits between two calls.
    """

    def __init__(self, folder: Path, uri: str, store: SqlStore, pause_seconds: float = 0.0) -> None:
        self.run_id = store.create_run(CreateRun(experiment_id="0")).run.info.run_id
        path = folder / f"returned-{self.run_id}"
        path.write_bytes(bytes(8))
        with path.open("rb") as file:
            self._counter = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
        self._said = folder / f"said-{self.run_id}"
        self._ended_itself = False
        command = [sys.executable, "-c", _PROGRAM, uri, self.run_id, str(path), str(pause_seconds)]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)

    def returned(self) -> int:
        """How many calls have returned."""
        return int(struct.unpack("<q", self._counter)[0])

    def wait_for_a_call(self) -> None:
        """Return when it logs."""
        while not self.returned() and self._process.poll() is None:
            time.sleep(0.001)

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self._ended_itself = self._process.poll() is not None
        self._process.kill()
        self._process.wait()

    def has_failed(self) -> bool:
        """Whether it ended before it was killed, or complained."""
        return self._ended_itself or self._said.stat().st_size > 0


def campaign(rounds: int, folder: Path, port: int, seed: int) -> Losses:
    """Run a campaign.

    Args:
        rounds: How many programs are killed.
        folder: Where database and journals lie.
        port: Where the server listens.
        seed: Of the random moments.
    """
    os.environ["STELE_JOURNAL_DIR"] = str(folder / "journal")
    dice = random.Random(seed)
    server = Server(folder, port)
    losses = Losses()
    try:
        for number in range(rounds):
            server.start()
            with SqlStore(f"sqlite:///{folder}/stele.db", str(folder / "files")) as store:
                losses = added(losses, _round(folder, server, store, dice, _VICTIMS[number % len(_VICTIMS)]))
    finally:
        server.kill()
    return checked(losses, folder / "stele.db")


def _round(folder: Path, server: Server, store: SqlStore, dice: random.Random, victim: str) -> Losses:
    client = Client(folder, server.url, store)
    client.wait_for_a_call()
    time.sleep(dice.uniform(0, dice.choice(_LONGEST_SECONDS)))
    acknowledged = set(_points(store, client.run_id))
    if victim in ("server", "both"):
        server.kill()
    if victim == "server":
        time.sleep(dice.uniform(0, 0.3))
        server.start()
        time.sleep(dice.uniform(0, 0.8))
    client.kill()
    send_leftovers(store)
    losses = losses_of(client, store)
    return losses._replace(lost_points=len(acknowledged - set(_points(store, client.run_id))))


def losses_of(client: Client, store: SqlStore) -> Losses:
    """Compare what a dead program noted with what the store has."""
    returned, found = client.returned(), _points(store, client.run_id)
    steps = {step for step, _ in found}
    return Losses(
        rounds=1,
        calls=returned,
        points=len(found),
        lost_calls=len(set(range(returned)) - steps),
        wrong_points=sum(value != step * 0.5 for step, value in found),
    )


def send_leftovers(store: SqlStore) -> None:
    """Send what dead programs have left in their journals."""
    for directory in find_journals(journal_root()):
        journal = Journal.adopt(directory)
        if journal is not None:
            ship(journal, store, upload_files)


def _points(store: SqlStore, run_id: str) -> list[tuple[int, float]]:
    found = store.get_metric_history(GetMetricHistory(run_id=run_id, metric_key="x")).metrics
    return [(point.step, point.value) for point in found]


def added(one: Losses, other: Losses) -> Losses:
    """Both together."""
    return Losses(*(a + b for a, b in zip(one, other, strict=True)))


def checked(losses: Losses, database: Path) -> Losses:
    """Count points that the store took more than once, and look at every page of its file."""
    with sqlite3.connect(database) as connection:
        taken = sum(
            connection.execute(f"SELECT coalesce(sum(points), 0) FROM {table}").fetchone()[0]
            for table in ("ingest_log", "segments")
        )
        intact = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return losses._replace(doubled_points=max(taken - losses.points, 0), damaged=int(not intact))


def main() -> None:
    """Run a campaign and print what was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_campaign", description="Kill, and count losses.")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--port", type=int, default=5199)
    options = parser.parse_args()
    print(f"{options.rounds} rounds, seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        losses = campaign(options.rounds, Path(folder), options.port, options.seed)
    for name, value in losses._asdict().items():
        print(f"{name.replace('_', ' '):15} {value:>15,}")
    sys.exit(0 if losses.is_clean() else 1)


if __name__ == "__main__":
    main()
