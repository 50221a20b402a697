"""The stores of :mod:`benchmarks.search_data`, ours and MLflow's: the same runs in both, in one directory."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from benchmarks import search_data
from benchmarks.search_data import load
from benchmarks.setting import KEPT, Setting
from stele.stores.sql import SqlStore
from stele.stores.sql.schema_version import HEAD

__all__ = ["EXPERIMENT", "our_search_store", "search_folder", "their_search_store"]

EXPERIMENT = "1"
"""That all runs are in, in both stores."""
_KEPT_RUNS = 100_000


def search_folder(setting: Setting, runs: int) -> Path:
    """Where the databases are; large ones are kept, because they take minutes to make and are only read."""
    if runs < _KEPT_RUNS:
        folder = setting.folder / str(runs)
    else:
        mark = hashlib.sha256(Path(search_data.__file__).read_bytes() + HEAD.encode()).hexdigest()[:12]
        folder = KEPT / f"search-{runs}-{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def our_search_store(folder: Path, runs: int) -> Path:
    """The database with so many runs, ``search.db``; made unless it is there."""
    path, unfinished = folder / "search.db", folder / "unfinished.db"
    if not path.exists():
        for left in folder.glob("unfinished.db*"):
            left.unlink()
        with SqlStore(f"sqlite:///{unfinished}", str(folder)) as store:
            store.db.write(lambda connection: load(connection, runs, experiment_id=int(EXPERIMENT)))
        unfinished.rename(path)  # a closed store is one file
    return path


def their_search_store(python: Path, folder: Path) -> Path:
    """MLflow's database ``mlflow.db`` with the runs of ours, which must be there; made unless it is there.

    Args:
        python: The interpreter of MLflow's environment.
        folder: Where both are.
    """
    loaded = folder / "mlflow.loaded"
    if not loaded.exists():
        (folder / "mlflow.db").unlink(missing_ok=True)
        script = str(Path(__file__).with_name("mlflow_search.py"))
        subprocess.run([str(python), script, "load", str(folder), EXPERIMENT], check=True)
        loaded.touch()
    return folder / "mlflow.db"
