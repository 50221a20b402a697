"""Artifacts in a directory of this machine."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from stele.artifacts.base import Files, Reader, Versions, check_range, file_path
from stele.artifacts.files import Temporary, file_errors, read_chunks
from stele.artifacts.history import History, Record
from stele.artifacts.paths import normalise, resolve_beneath, resolve_entry
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.schema.artifacts import FileInfo

if TYPE_CHECKING:
    from stele.transport import Transport

__all__ = ["LocalRepository", "local_root", "open_local"]


class LocalRepository:
    """An :class:`~stele.artifacts.base.ArtifactRepository` in a directory, which is made with the first file.

    Args:
        root: The directory. A relative one is taken from the working directory of now.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self.uri = self._root.as_uri()

    def list(self, path: str = "") -> Files:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.list`. Names that no path can have are left out."""
        directory = normalise(path)
        target = resolve_beneath(self._root, directory)
        with file_errors(path):
            try:
                with os.scandir(target) as entries:
                    found = [self._listed(directory, entry) for entry in entries]
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted((info for info in found if info is not None), key=lambda info: info.path)

    def stat(self, path: str) -> FileInfo | None:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.stat`."""
        key = normalise(path)
        file = resolve_beneath(self._root, key)
        with file_errors(path):
            try:
                status = file.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        if stat.S_ISDIR(status.st_mode):
            return FileInfo(key, is_dir=True)
        return _file_info(key, History(file).describe(status)) if stat.S_ISREG(status.st_mode) else None

    def open_read(self, path: str, *, offset: int = 0, length: int | None = None, version: int | None = None) -> Reader:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.open_read`."""
        key = normalise(path)
        history = History(resolve_beneath(self._root, key))
        with file_errors(path):
            file, record = self._opened(key, history, version)
        try:
            check_range(offset, length, record.size)
        except InvalidParameterValue:
            file.close()
            raise
        return Reader(_file_info(key, record), read_chunks(file, offset, length), file.close)

    def write(self, path: str, chunks: Iterable[bytes]) -> FileInfo:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.write`."""
        key = file_path(path)
        file = resolve_beneath(self._root, key)
        history = History(file)
        with file_errors(path):
            if file.is_dir():
                raise InvalidParameterValue(f"{shown(key)} is a directory, not a file.")
            history.prepare()
        with Temporary.written(history.directory, chunks, path) as new, history.locked(), file_errors(path):
            return _file_info(key, history.replace(new))

    def delete(self, path: str) -> None:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.delete`."""
        entry = resolve_entry(self._root, path) if normalise(path) else self._root
        with file_errors(path):
            if entry.is_symlink() and entry != self._root:
                entry.unlink()
            elif entry.is_dir():
                _remove_tree(entry)
            elif entry.exists():
                history = History(entry)
                history.prepare()
                with history.locked():
                    entry.unlink(missing_ok=True)
                    history.remove()

    def versions(self, path: str) -> Versions:
        """See :meth:`~stele.artifacts.base.ArtifactRepository.versions`."""
        file = resolve_beneath(self._root, file_path(path))
        with file_errors(path):
            return [] if file.is_dir() else History(file).versions()

    def close(self) -> None:
        """Nothing is kept open."""

    def _listed(self, directory: str, entry: os.DirEntry[str]) -> FileInfo | None:
        path = f"{directory}/{entry.name}" if directory else entry.name
        try:
            if normalise(path) != path:
                return None
            if entry.is_symlink():
                resolve_beneath(self._root, path)
            if entry.is_dir():
                return FileInfo(path, is_dir=True)
            return FileInfo(path, is_dir=False, file_size=entry.stat().st_size) if entry.is_file() else None
        except (InvalidParameterValue, FileNotFoundError):  # not to be reached from outside, or gone meanwhile
            return None

    def _opened(self, key: str, history: History, version: int | None) -> tuple[BinaryIO, Record]:
        """The open file and what is known about exactly this content."""
        current = _open_file(history.file, key)
        if current is not None:
            record = history.describe(os.fstat(current.fileno()))
            if version is None or record.version == version:
                return current, record
            current.close()
        if version is not None and (old := _open_file(history.old(version), key)):
            for record in history.records():
                if record.version == version:
                    return old, record
            old.close()
        wanted = "artifact" if version is None else f"version {version} of the artifact"
        raise DoesNotExist(f"There is no {wanted} {shown(key)}.")


def _open_file(file: Path, key: str) -> BinaryIO | None:
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InvalidParameterValue(f"{shown(key)} is a directory, not a file.")
        return file.open("rb") if stat.S_ISREG(mode) else None  # opening a pipe would wait for ever
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove_tree(directory: Path) -> None:
    try:
        shutil.rmtree(directory)
    except FileNotFoundError:
        if directory.exists():  # something was added or removed by somebody else while we went through
            raise


def _file_info(key: str, record: Record) -> FileInfo:
    return FileInfo(key, is_dir=False, file_size=record.size, sha256=record.sha256, version=record.version)


def local_root(uri: str) -> Path:
    """The directory of a ``file:`` URI or of a plain path, which is taken as it is.

    Raises:
        InvalidParameterValue: The URI names another machine.
    """
    if uri[:5].lower() != "file:":
        return Path(uri)
    rest = uri[5:]
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise InvalidParameterValue(f"{shown(uri)} names a file on the machine {shown(host)}. Use file:///path.")
        rest = slash + rest
    path = unquote(rest)
    return Path(path[1:] if re.match(r"/[A-Za-z]:", path) and os.name == "nt" else path)


def open_local(uri: str, transport: Transport | None = None) -> LocalRepository:
    """The repository of a ``file:`` URI or of a plain path; a transport is not needed."""
    del transport
    return LocalRepository(local_root(uri))
