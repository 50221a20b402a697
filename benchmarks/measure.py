"""Clocks and programs."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

__all__ = ["Progress", "median_ms", "percentile", "resident_megabytes", "run_python", "run_script", "times_ms"]


_TOLD_SECONDS = 10.0


class Progress:
    """Tells on standard error how far something is, every ten seconds.

    Args:
        what: What is being done.
        total: When it is done.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._told = time.monotonic()

    def at(self, done: int) -> None:
        """So much is done."""
        if time.monotonic() - self._told > _TOLD_SECONDS:
            self._told = time.monotonic()
            print(f"  {self._what}: {done:,} of {self._total:,}", file=sys.stderr, flush=True)


def times_ms(call: Callable[[], object], rounds: int, *, warm: int = 1) -> list[float]:
    """Milliseconds of each of ``rounds`` calls, after ``warm`` calls that are not measured."""
    for _ in range(warm):
        call()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return times


def median_ms(call: Callable[[], object], rounds: int, *, warm: int = 1) -> float:
    """Median milliseconds of a call."""
    return statistics.median(times_ms(call, rounds, warm=warm))


def percentile(samples: Sequence[float], share: float) -> float:
    """The least sample that is not below a share of all of them (nearest rank).

    Args:
        samples: At least one, in any order.
        share: Above 0, at most 1; 0.95 is the 95th percentile.
    """
    return sorted(samples)[math.ceil(share * len(samples)) - 1]


def run_python(python: Path | str, code: str, *arguments: str) -> str:
    """What a program prints."""
    return _output([str(python), "-c", code, *arguments])


def run_script(python: Path | str, name: str, *arguments: str, **environment: str) -> Any:
    """The JSON that a script of this directory prints as its last line."""
    printed = _output([str(python), str(Path(__file__).with_name(name)), *arguments], environment)
    return json.loads(printed.splitlines()[-1])


def _output(command: Sequence[str], more: dict[str, str] | None = None) -> str:
    # With bytecode, as users have it; some shells forbid to write it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true"} | (more or {})
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if finished.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} ended with {finished.returncode}:\n{finished.stderr}")
    return finished.stdout


def resident_megabytes(pid: int) -> float:
    """Memory of a process and its children, in MB."""
    process = psutil.Process(pid)
    return sum(part.memory_info().rss for part in [process, *process.children(recursive=True)]) / 1e6
