"""Whole directories between this machine and a repository, in parallel, and as a zip stream."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

from stele import settings
from stele.artifacts.base import ArtifactRepository, walk
from stele.artifacts.files import FileChunks, Temporary, file_errors, make_directories
from stele.artifacts.paths import RESERVED, normalise, resolve_beneath
from stele.artifacts.progress import NO_PROGRESS, Progress
from stele.errors import DoesNotExist, SteleError, shown
from stele.schema.artifacts import FileInfo

__all__ = ["download", "upload_directory", "upload_file", "zip_stream"]

_LOCAL_FILE_MODE = 0o644
_LOCAL_DIRECTORY_MODE = 0o755
_WAITING_FILES = 1_000


def upload_file(repository: ArtifactRepository, file: Path, path: str, progress: Progress = NO_PROGRESS) -> FileInfo:
    """Copy a local file to a path of a repository.

    Raises:
        DoesNotExist: There is no such local file.
        InvalidParameterValue: The path is not allowed.
    """
    return repository.write(path, _Counted(FileChunks(file), progress))


def upload_directory(
    repository: ArtifactRepository, directory: Path, path: str = "", progress: Progress = NO_PROGRESS
) -> int:
    """Copy every file below a local directory into a directory of a repository.

    Links to files are followed, links to directories are not. Empty directories and those named ``.stele`` are left
    out.

    Args:
        repository: Where to.
        directory: From where.
        path: Directory in the repository.
        progress: Learns how many bytes have moved.

    Returns:
        How many files were copied.

    Raises:
        DoesNotExist: There is no such local directory.
        InvalidParameterValue: A file has a name that no artifact can have; then nothing was copied.
    """
    if not directory.is_dir():
        raise DoesNotExist(f"There is no directory {shown(str(directory))}.")
    names = list(_files_below(directory))
    targets = [normalise(f"{path}/{name}" if path else name) for name in names]
    _in_parallel(
        partial(upload_file, repository, directory / name, target, progress)
        for name, target in zip(names, targets, strict=True)
    )
    return len(names)


def _files_below(directory: Path) -> Iterator[str]:
    for folder, directories, files in os.walk(directory):
        directories[:] = sorted(name for name in directories if name != RESERVED)
        for name in sorted(files):
            yield (Path(folder) / name).relative_to(directory).as_posix()


def download(repository: ArtifactRepository, path: str, destination: Path, progress: Progress = NO_PROGRESS) -> Path:
    """Copy a file, or a directory with all below it, to this machine under its own path.

    Every file is complete or absent, is compared with its digest where one is known, and lies below the destination,
    whatever names the server sends.

    Args:
        repository: From where.
        path: A file or directory; the empty path is everything, which may be nothing.
        destination: A local directory, made when it does not exist.
        progress: Learns how many bytes have moved.

    Returns:
        Where ``path`` is now.

    Raises:
        DoesNotExist: There is no such file or directory.
        SteleError: A file arrived with another content than its digest says.
    """
    key = normalise(path)
    make_directories(destination, _LOCAL_DIRECTORY_MODE)
    copied = _in_parallel(
        partial(_download_file, repository, info.path, destination, progress) for info in walk(repository, key)
    )
    if key and not copied and repository.stat(key) is None:
        raise DoesNotExist(f"There is no artifact {shown(key)} in {repository.uri}.")
    return resolve_beneath(destination, key)


def _download_file(repository: ArtifactRepository, path: str, destination: Path, progress: Progress) -> None:
    target = resolve_beneath(destination, path)
    with file_errors(path):
        make_directories(target.parent, _LOCAL_DIRECTORY_MODE)
    with (
        repository.open_read(path) as reader,
        Temporary.written(target.parent, _Counted(reader, progress), path, _LOCAL_FILE_MODE) as new,
    ):
        expected = reader.info
        if expected.sha256 not in (None, new.sha256) or expected.file_size not in (None, new.size):
            raise SteleError(
                f"{shown(path)} arrived damaged: {new.size} bytes with SHA-256 {new.sha256}, "
                f"not {expected.file_size} with {expected.sha256}. Try again."
            )
        with file_errors(path):
            os.replace(new.path, target)  # noqa: PTH105 - the same call, named after what it does


class _Counted:
    """Chunks that tell a progress how many bytes have passed; can be read again when their source can."""

    def __init__(self, chunks: Iterable[bytes], progress: Progress) -> None:
        self._chunks = chunks
        self._progress = progress

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            yield chunk
            self._progress.add(len(chunk))


def _in_parallel(tasks: Iterable[Callable[[], Any]]) -> int:
    """Do tasks in threads, as they come; the first error ends it. How many there were."""
    done = 0
    with ThreadPoolExecutor(max(1, settings.TRANSFER_THREADS.get()), "stele-transfer") as pool:
        pending: set[Future[Any]] = set()
        try:
            for task in tasks:
                pending.add(pool.submit(task))
                if len(pending) >= _WAITING_FILES:
                    done += _collect(pending)
            while pending:
                done += _collect(pending)
        except BaseException:
            for future in pending:
                future.cancel()
            raise
    return done


def _collect(pending: set[Future[Any]]) -> int:
    finished, _ = wait(pending, return_when=FIRST_COMPLETED)
    pending -= finished
    for future in finished:
        future.result()
    return len(finished)


def zip_stream(repository: ArtifactRepository, path: str = "") -> Iterator[bytes]:
    """A directory as a zip file, made while it is read. Names in it are relative to the directory.

    Args:
        repository: Where the directory is.
        path: The directory; a single file gives a zip file with one entry.

    Raises:
        DoesNotExist: There is no such file or directory; raised by this call, before the first chunk is asked for.
    """
    key = normalise(path)
    if key and repository.stat(key) is None:
        raise DoesNotExist(f"There is no artifact {shown(key)} in {repository.uri}.")
    return _zipped(repository, key)


def _zipped(repository: ArtifactRepository, key: str) -> Iterator[bytes]:
    sink = _Sink()
    # The parts that are already compressed are the large ones, so the fastest level is enough.
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]
        for info in walk(repository, key):
            entry = zipfile.ZipInfo(_name_below(key, info.path))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _LOCAL_FILE_MODE << 16
            with repository.open_read(info.path) as reader, archive.open(entry, "w", force_zip64=True) as file:
                for chunk in reader:
                    file.write(chunk)
                    yield from sink.taken()
            yield from sink.taken()
    yield from sink.taken()


def _name_below(directory: str, path: str) -> str:
    return path.rpartition("/")[2] if path == directory else path[len(directory) + 1 :] if directory else path


class _Sink:
    """A file that can only be written, whose content is taken away as it comes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, []
        if content := b"".join(parts):
            yield content
