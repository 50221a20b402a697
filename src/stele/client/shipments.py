"""Files that were logged offline, on their way from a journal to the runs and models they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stele.artifacts import open_repository
from stele.artifacts.base import ArtifactRepository, walk
from stele.artifacts.local import LocalRepository
from stele.artifacts.progress import NO_PROGRESS, Progress
from stele.artifacts.transfer import upload_file
from stele.errors import SteleError, Unavailable
from stele.schema.logged_models import LoggedModelId
from stele.schema.runs import GetRun
from stele.stores.base import TrackingStore
from stele.stores.journal.refusals import is_temporary
from stele.stores.run_ids import is_model_id

__all__ = ["upload_files"]


def upload_files(store: TrackingStore, owner: str, directory: Path, progress: Progress = NO_PROGRESS) -> None:
    """Copy the files below a directory to a run or a model. What is there with the same content is not sent again.

    Args:
        store: Their store.
        owner: Id of the run or the logged model.
        directory: Its files.
        progress: Learns of the bytes that are there.

    Raises:
        SteleError: There is no such run or model, its files cannot be written now, or the store refuses some of them;
            then the others are there.
    """
    transport: Any = getattr(store, "transport", None)
    source = LocalRepository(directory)
    target = open_repository(_location_of(store, owner), transport)
    refused: SteleError | None = None
    for info in walk(source):
        if info.is_dir:
            continue
        try:
            _copy(source, target, info.path, directory / info.path, progress)
        except SteleError as error:
            if is_temporary(error):
                raise
            refused = error
        except OSError as error:
            raise Unavailable(f"The file {info.path} of {owner} cannot be copied: {error}.") from error
    if refused is not None:
        raise refused


def _location_of(store: TrackingStore, owner: str) -> str:
    if is_model_id(owner):
        return store.get_logged_model(LoggedModelId(model_id=owner)).model.artifact_location
    return store.get_run(GetRun(run_id=owner)).run.info.artifact_uri


def _copy(source: LocalRepository, target: ArtifactRepository, path: str, file: Path, progress: Progress) -> None:
    known, local = target.stat(path), source.stat(path)
    if known is None or local is None or known.sha256 is None or known.sha256 != local.sha256:
        upload_file(target, file, path, progress)
    else:
        progress.add(local.file_size or 0)
