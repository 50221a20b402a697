"""``make bench`` and ``make bench-full``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from rich.console import Console

from benchmarks.crowd import crowd_rows, kill_rows
from benchmarks.databases import database_rows
from benchmarks.ingest import ingest_rows, size_rows, wide_rows
from benchmarks.large import large_rows
from benchmarks.load import load_rows
from benchmarks.log_calls import log_rows
from benchmarks.models import model_rows
from benchmarks.page import page_rows
from benchmarks.reads import read_rows
from benchmarks.results import Row, show, write
from benchmarks.search import search_rows
from benchmarks.setting import FULL, QUICK, TINY, Setting, Sizes
from benchmarks.start import import_rows, install_rows, server_rows
from benchmarks.writes import write_rows
from compat.environments import MLFLOW, python_with

PROGRESS = Console(stderr=True)
PARTS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "import": import_rows,
    "install": install_rows,
    "server": server_rows,
    "write": write_rows,
    "log": log_rows,
    "ingest": ingest_rows,
    "load": load_rows,
    "wide": wide_rows,
    "size": size_rows,
    "read": read_rows,
    "search": search_rows,
    "database": database_rows,
    "large": large_rows,
    "model": model_rows,
    "page": page_rows,
    "crowd": crowd_rows,
    "kill": kill_rows,
}


def main() -> None:
    """Measure everything, print the table, write ``RESULTS.md``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Stele beside MLflow.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="a million runs, 100 million points")
    size.add_argument("--tiny", action="store_true", help="only see that every part works; the figures mean nothing")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="this part; may be given several times")
    options = parser.parse_args()
    sizes = FULL if options.full else TINY if options.tiny else QUICK
    theirs = python_with(MLFLOW)
    rows: list[Row] = []
    failed = False
    for name in options.only or PARTS:
        try:
            rows.extend(_measured(name, theirs, sizes))
        except Exception as e:  # half an hour of other figures is not thrown away
            PROGRESS.print_exception()
            rows.append(Row(f"{name}: failed with {type(e).__name__}", "", None))
            failed = True
    show(rows)
    if not options.only and not options.tiny:
        write(rows, "make bench-full" if options.full else "make bench")
    sys.exit(failed)


def _measured(name: str, theirs: Path, sizes: Sizes) -> Iterator[Row]:
    """The rows of a part, which has a directory of its own while it works."""
    PROGRESS.print(f"measuring {name} ...")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STELE_JOURNAL_DIR"] = str(Path(folder) / "journal")  # never the user's
        yield from PARTS[name](Setting(theirs, Path(folder), sizes))
    PROGRESS.print(f"measured {name} in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
