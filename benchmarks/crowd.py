"""Many processes that log to one file of SQLite without a server, and are killed at random moments."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.kill_campaign import Client, Losses, added, campaign, checked, losses_of, send_leftovers
from benchmarks.results import Row
from benchmarks.servers import free_port
from benchmarks.setting import Setting
from stele.stores.sql import SqlStore

__all__ = ["crowd_rows", "kill_rows"]

_PROCESSES = 32
_PAUSE_SECONDS = 0.001
"""Between two calls of one process; without it they would only fill the disk."""
_THEIR_CALLS = 20
_SEED = 1


def kill_rows(setting: Setting) -> Iterator[Row]:
    """The campaign of :mod:`benchmarks.kill_campaign`."""
    losses = campaign(setting.sizes.kill_rounds, setting.folder, free_port(), _SEED)
    what = f"kill -9 of client, server or both, {losses.rounds} rounds, {losses.calls:,} calls"
    yield Row(f"{what}: returned calls that are lost", "calls", losses.lost_calls, None, 0)
    yield Row(f"{what}: acknowledged points that are lost", "points", losses.lost_points, None, 0)
    wrong = losses.doubled_points + losses.wrong_points
    yield Row(f"{what}: doubled or wrong", "points", wrong, None, 0)
    yield Row(f"{what}: integrity_check finds damage", "databases", losses.damaged, None, 0)


def crowd_rows(setting: Setting) -> Iterator[Row]:
    """Ours are killed and replaced all the time; MLflow's may work undisturbed, and fail all the same."""
    failed, losses = _crowd(setting.folder, setting.sizes.crowd_seconds)
    theirs = _their_failures(setting, setting.sizes.their_processes) if setting.sizes.their_processes else None
    what = f"{_PROCESSES} processes, one SQLite file, {losses.rounds} killed, {losses.calls:,} calls"
    note = f" (MLflow: {setting.sizes.their_processes} processes, none killed)" if theirs is not None else ""
    yield Row(f"{what}: processes that failed{note}", "processes", failed, theirs, 0)
    yield Row(f"{what}: returned calls that are lost", "calls", losses.lost_calls, None, 0)
    wrong = losses.doubled_points + losses.wrong_points
    yield Row(f"{what}: doubled or wrong", "points", wrong, None, 0)
    yield Row(f"{what}: integrity_check finds damage", "databases", losses.damaged, None, 0)


def _crowd(folder: Path, seconds: float) -> tuple[int, Losses]:
    """How many ended by themselves or complained, and what was lost of all of them."""
    os.environ["STELE_JOURNAL_DIR"] = str(folder / "journal")
    dice = random.Random(_SEED)
    uri = f"sqlite:///{folder}/stele.db"
    with SqlStore(uri, str(folder / "files")) as store:
        living = [Client(folder, uri, store, _PAUSE_SECONDS) for _ in range(_PROCESSES)]
        dead: list[Client] = []
        try:
            for client in living:
                client.wait_for_a_call()
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                time.sleep(dice.uniform(0, 0.5))
                place = dice.randrange(_PROCESSES)
                living[place].kill()
                dead.append(living[place])
                living[place] = Client(folder, uri, store, _PAUSE_SECONDS)
        finally:
            for client in living:
                client.kill()
        everybody = dead + living
        send_leftovers(store)
        losses = Losses()
        for client in everybody:
            losses = added(losses, losses_of(client, store))
        failed = sum(client.has_failed() for client in everybody)
    return failed, checked(losses, folder / "stele.db")


def _their_failures(setting: Setting, processes: int) -> int:
    """How many processes of MLflow end with an error when so many log a few metrics to one file that exists already."""
    script = str(Path(__file__).with_name("log_loop.py"))
    command = [str(setting.theirs), script, "mlflow", f"sqlite:///{setting.folder}/mlflow.db"]

    def started(calls: int) -> subprocess.Popen[bytes]:
        silent = subprocess.DEVNULL
        return subprocess.Popen([*command, str(calls)], stdout=silent, stderr=silent, cwd=setting.folder)

    if started(1).wait() != 0:
        raise RuntimeError("MLflow cannot make a database")
    crowd = [started(_THEIR_CALLS) for _ in range(processes)]
    return sum(process.wait() != 0 for process in crowd)
