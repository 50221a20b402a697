"""Files that were logged offline, on their way from a journal to the runs they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stele.artifacts import open_repository
from stele.artifacts.base import walk
from stele.artifacts.local import LocalRepository
from stele.schema.runs import GetRun
from stele.stores.base import TrackingStore

__all__ = ["upload_run"]


def upload_run(store: TrackingStore, run_id: str, directory: Path) -> None:
    """Copy the files below a directory to a run. A file that is there with the same content is not sent again.

    Raises:
        SteleError: There is no such run, or its files cannot be written now.
    """
    transport: Any = getattr(store, "transport", None)
    source = LocalRepository(directory)
    target = open_repository(store.get_run(GetRun(run_id=run_id)).run.info.artifact_uri, transport)
    for info in walk(source):
        if info.is_dir:
            continue
        known, local = target.stat(info.path), source.stat(info.path)
        if known is None or local is None or known.sha256 is None or known.sha256 != local.sha256:
            with source.open_read(info.path) as reader:
                target.write(info.path, reader)
