"""What tests of the journal share: a store whose connection breaks, and what a store holds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stele.errors import SteleError, Unavailable
from stele.schema.experiments import CreateExperiment
from stele.schema.metrics import GetMetricHistory
from stele.schema.runs import CreateRun
from stele.stores.journal.files import store_directory
from stele.stores.journal.journal import Journal
from stele.stores.journal.sender import ship_leftovers

SOURCES = Path(__file__).parents[1] / "src"


class BrokenLine:
    """A store behind a connection that breaks when told to: before the request arrives, or before the answer does.

    Attributes:
        breaks: What happens to the next requests; ``""`` lets one through.
        points: How many points the store took, each batch counted once.
    """

    def __init__(self, store: Any, breaks: Sequence[str] = ()) -> None:
        self.store = store
        self.breaks = list(breaks)
        self.points = 0
        self.error: Callable[[], SteleError] = lambda: Unavailable("The line is broken.")

    def __getattr__(self, name: str) -> Any:
        def call(request: Any) -> Any:
            fault = self.breaks.pop(0) if self.breaks else ""
            if fault == "before":
                raise self.error()
            response = getattr(self.store, name)(request)
            if name == "ingest" and not response.repeated_batch:
                self.points += response.points
            if fault == "after":
                raise self.error()
            return response

        return call


def no_files(_store: Any, run_id: str, directory: Path) -> None:
    """Journals of these tests hold no files."""
    raise AssertionError(f"{run_id} has files in {directory}")


def new_run(store: Any) -> str:
    """The id of a new run in an experiment of its own."""
    experiment = store.create_experiment(CreateExperiment(name=f"e-{os.urandom(8).hex()}")).experiment_id
    return str(store.create_run(CreateRun(experiment_id=experiment)).run.info.run_id)


def history(store: Any, run_id: str, key: str) -> list[tuple[int, float]]:
    """Step and value of each point, by step."""
    points = store.get_metric_history(GetMetricHistory(run_id=run_id, metric_key=key)).metrics
    return sorted((point.step, point.value) for point in points)


def send_leftovers(uri: str, store: Any) -> None:
    """What the next client of a store does first."""
    ship_leftovers(uri, store, no_files)


def adopted(uri: str) -> Journal:
    """The only journal that was left for a store."""
    (path,) = store_directory(uri).glob("*")
    journal = Journal.adopt(path)
    assert journal is not None
    return journal


def start_program(code: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """A process that runs a program with Stele."""
    env = {**os.environ, "PYTHONPATH": str(SOURCES), "STELE_CAPTURE": "false", **environment}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
