"""Files on a disk of this machine: written whole or not at all, read in chunks, their errors in words."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import uuid4

from stele.errors import Conflict, DoesNotExist, InvalidParameterValue, PermissionDenied, SteleError, Unavailable, shown

__all__ = ["CHUNK_BYTES", "FileChunks", "Temporary", "file_errors", "make_directories", "read_chunks", "sync_directory"]

CHUNK_BYTES = 1024 * 1024

FILE_MODE = 0o640
DIRECTORY_MODE = 0o750
"""Artifacts hold models that are later loaded: nobody but the owner may change them, whatever the umask is."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_IMPOSSIBLE = {
    errno.EISDIR: "is a directory",
    errno.ENOTDIR: "lies below a file",
    errno.EEXIST: "lies below a file",
    errno.ENAMETOOLONG: "is too long for the disk",
    errno.ELOOP: "leads through a circle of links",
    errno.EINVAL: "is not a name that the disk can hold",
}


@contextmanager
def file_errors(path: str) -> Iterator[None]:
    """Turn the operating system's errors about an artifact path into ours."""
    try:
        yield
    except OSError as e:
        raise _translated(e, path) from e


def _translated(error: OSError, path: str) -> SteleError:
    code, name = error.errno, shown(path)
    if code in _FULL:
        return Unavailable(f"The disk is full: {name} could not be written, nothing of it was kept.")
    if code in _FORBIDDEN:
        return PermissionDenied(f"The system does not allow this with {name}: {error.strerror}.")
    if code in _IMPOSSIBLE:
        return InvalidParameterValue(f"The artifact path {name} {_IMPOSSIBLE[code]}.")
    if code == errno.ENOENT:
        return Conflict(f"{name} was removed while it was used.")
    return SteleError(f"The disk failed with {name}: {error.strerror or type(error).__name__}.")


def make_directories(path: Path, mode: int = DIRECTORY_MODE) -> None:
    """Make a directory and those above it; unlike with ``makedirs``, the mode holds for all of them."""
    if path.is_dir():
        return
    make_directories(path.parent, mode)
    try:
        path.mkdir(mode)
    except FileExistsError:
        if not path.is_dir():
            raise


class Temporary(NamedTuple):
    """A file that was written completely, under a name of its own.

    Attributes:
        path: Where it is.
        size: In bytes.
        sha256: Of its content, hexadecimal.
    """

    path: Path
    size: int
    sha256: str

    @staticmethod
    @contextmanager
    def written(directory: Path, chunks: Iterable[bytes], name: str, mode: int = FILE_MODE) -> Iterator[Temporary]:
        """Write chunks to a new file that is durable when the block begins and gone when it ends, unless it was moved.

        Args:
            directory: Where to write; on the file system of the later place.
            chunks: The content. What its source raises passes through.
            name: The artifact, for messages.
            mode: Permissions, from which the umask is taken.

        Raises:
            Unavailable: The disk is full.
        """
        path = directory / f"{uuid4().hex}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        with file_errors(name):
            descriptor = os.open(path, flags, mode)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                size, digest = _fill(file, chunks, name)
            yield Temporary(path, size, digest)
        finally:
            path.unlink(missing_ok=True)


def _fill(file: BinaryIO, chunks: Iterable[bytes], name: str) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        with file_errors(name):
            rest = memoryview(chunk)
            while rest:
                rest = rest[file.write(rest) :]
    with file_errors(name):
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def sync_directory(path: Path) -> None:
    """Make names that were added to or changed in a directory durable; Windows has no need and no way."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_chunks(file: BinaryIO, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
    """The bytes of an open file from ``offset``, at most ``length`` of them."""
    file.seek(offset)
    left = length
    while left is None or left > 0:
        chunk = file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk


class FileChunks:
    """The content of a local file as chunks that can be read again, as a retry needs it.

    Args:
        path: The file.

    Raises:
        DoesNotExist: At the first chunk, when there is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        try:
            file = self._path.open("rb")
        except FileNotFoundError as e:
            raise DoesNotExist(f"There is no file {shown(str(self._path))}.") from e
        with file:
            yield from read_chunks(file)
