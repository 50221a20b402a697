"""Import, help, server start and memory, size on disk."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.measure import median_ms, resident_megabytes, run_python
from benchmarks.results import Row
from benchmarks.servers import Server, mlflow_server, stele_server
from benchmarks.setting import Setting

__all__ = ["import_rows", "install_rows", "server_rows"]

ROOT = Path(__file__).parents[1]

_IMPORT = """
import sys, time
started = time.perf_counter()
module = __import__(sys.argv[1])
module.log_metric
elapsed = time.perf_counter() - started
with open("/proc/self/status") as status:
    resident = next(line.split()[1] for line in status if line.startswith("VmRSS"))
print(elapsed * 1000, int(resident) / 1000)
"""


def import_rows(setting: Setting) -> Iterator[Row]:
    """Importing, and asking for help."""
    figures = {}
    for module, python, rounds in (("stele", Path(sys.executable), 9), ("mlflow", setting.theirs, 5)):
        samples = [[float(x) for x in run_python(python, _IMPORT, module).split()] for _ in range(rounds)]
        figures[module] = [statistics.median(column) for column in zip(*samples, strict=True)]
    (ours_ms, ours_mb), (theirs_ms, theirs_mb) = figures["stele"], figures["mlflow"]
    yield Row("import and first attribute", "ms", ours_ms, theirs_ms, 60)
    yield Row("resident memory after import", "MB", ours_mb, theirs_mb, 40)

    def help_of(command: Path) -> None:
        subprocess.run([str(command), "--help"], check=True, capture_output=True)

    ours = median_ms(lambda: help_of(Path(sys.executable).parent / "stele"), 7)
    yield Row("--help", "ms", ours, median_ms(lambda: help_of(setting.theirs.parent / "mlflow"), 3), 150)


def server_rows(setting: Setting) -> Iterator[Row]:
    """From the start of a server to its first answer, on an empty database; its memory after that."""
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        ours_s, ours_mb = _started(lambda: stele_server(Path(ours)))
        theirs_s, theirs_mb = _started(lambda: mlflow_server(setting.theirs, Path(theirs)))
    yield Row("server: start to first answer", "s", ours_s, theirs_s, 1.5)
    yield Row("server: memory at rest", "MB", ours_mb, theirs_mb, 100)


def _started(start: Callable[[], AbstractContextManager[Server]]) -> tuple[float, float]:
    began = time.perf_counter()
    with start() as server:
        seconds = time.perf_counter() - began
        time.sleep(2)
        return seconds, resident_megabytes(server.pid)


def install_rows(setting: Setting) -> Iterator[Row]:
    """Size on disk and number of packages of an installation in a new environment."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / "bin" / "python"
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, str(ROOT)], check=True)
        ours_mb, ours_source_mb, ours_count = _installed(python)
    theirs_mb, theirs_source_mb, theirs_count = _installed(setting.theirs)
    yield Row("installation on disk, with the bytecode that pip compiles", "MB", ours_mb, theirs_mb, 120)
    yield Row("installation on disk, as delivered", "MB", ours_source_mb, theirs_source_mb)
    yield Row("packages", "", ours_count, theirs_count, 30)


_INSTALLED = """
import json
from importlib.metadata import distributions
sizes = {}
for item in distributions():
    name = item.metadata["Name"].lower()
    if name not in ("pip", "setuptools"):
        paths = {item.locate_file(path) for path in item.files or ()}
        files = {path: path.stat().st_size for path in paths if path.is_file()}
        compiled = sum(size for path, size in files.items() if str(path).endswith(".pyc"))
        sizes[name] = [sum(files.values()), sum(files.values()) - compiled]
print(json.dumps(sizes))
"""


def _installed(python: Path) -> tuple[float, float, int]:
    sizes = json.loads(run_python(python, _INSTALLED))
    whole, delivered = (sum(column) / 1e6 for column in zip(*sizes.values(), strict=True))
    return whole, delivered, len(sizes)
