"""What an artifact repository does, whatever medium it writes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self

from msgspec import Struct

from stele.artifacts.paths import normalise
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.schema.artifacts import FileInfo
from stele.schema.codec import Message

__all__ = [
    "ArtifactRepository",
    "ArtifactVersion",
    "ArtifactVersions",
    "Mounted",
    "Reader",
    "Subtree",
    "check_range",
    "file_path",
    "walk",
]


class ArtifactVersion(Struct, frozen=True, omit_defaults=True):
    """One content that a file had.

    ``version`` counts from 1, ``file_size`` is in bytes, ``time`` in milliseconds since 1970. ``sha256`` is
    hexadecimal, absent when nobody recorded it.
    """

    version: int
    file_size: int
    time: int
    current: bool
    sha256: str | None = None


class ArtifactVersions(Message):
    """The answer to a question for versions, oldest first."""

    versions: list[ArtifactVersion] = []  # noqa: RUF012 - msgspec copies defaults


Files = list[FileInfo]
Versions = list[ArtifactVersion]


class Reader:
    """An opened file. Iterate over it once for the bytes, in chunks of at most about 1 MiB.

    Attributes:
        info: The whole file as it was when it was opened, whatever part of it is read.
    """

    def __init__(self, info: FileInfo, chunks: Iterator[bytes], close: Callable[[], None]) -> None:
        self.info = info
        self._chunks = chunks
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def read(self) -> bytes:
        """All bytes at once; the reader is closed."""
        with self:
            return b"".join(self._chunks)

    def close(self) -> None:
        """Give back the file or connection."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ArtifactRepository(Protocol):
    """Files below one root.

    Obligations of every implementation:

    * Any thread may call any method. Memory use does not depend on the size of a file.
    * Paths are relative to the root and go through :func:`stele.artifacts.paths.normalise`; what it refuses raises
      ``InvalidParameterValue`` in every method, before anything is touched.
    * A write is whole or absent. Of several writers of one path the last one wins, and the contents of all are kept as
      versions. Writing the content that is there already changes nothing.

    Attributes:
        uri: The root, for messages: no credentials in it.
    """

    uri: str

    def list(self, path: str = "") -> Files:
        """The direct children of a directory, by path; empty when there is no such directory, or it is a file."""
        ...

    def stat(self, path: str) -> FileInfo | None:
        """A file with its digest and version where they are known, or a directory; None when there is neither."""
        ...

    def open_read(self, path: str, *, offset: int = 0, length: int | None = None, version: int | None = None) -> Reader:
        """Open a file for reading.

        Args:
            path: A file.
            offset: First byte to read.
            length: How many bytes at most, 1 or more; None reads to the end.
            version: Which of its versions; None is the current one.

        Raises:
            DoesNotExist: No such file or version.
            InvalidParameterValue: It is a directory, or a part was asked for that begins behind the end.
        """
        ...

    def write(self, path: str, chunks: Iterable[bytes]) -> FileInfo:
        """Write a file; directories above it are made.

        Raises:
            InvalidParameterValue: It is a directory, or lies below a file.
            Unavailable: The disk is full. Nothing was written.
        """
        ...

    def delete(self, path: str) -> None:
        """Remove a file with its versions, or a directory with all below it; the empty path removes everything.

        What does not exist is no error.
        """
        ...

    def versions(self, path: str) -> Versions:
        """Every content that a file had and that is still there, oldest first; empty where versions are not kept."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


def file_path(path: str) -> str:
    """The path of a file, normalised.

    Raises:
        InvalidParameterValue: It is not allowed, or it is the root.
    """
    key = normalise(path)
    if not key:
        raise InvalidParameterValue("The artifact path is empty. It must name a file.")
    return key


def check_range(offset: int, length: int | None, size: int) -> None:
    """Check which part of a file is asked for.

    Raises:
        InvalidParameterValue: It begins behind the end, or has no bytes.
    """
    if offset < 0 or (length is not None and length < 1):
        raise InvalidParameterValue(f"Bytes from {offset}, {length} of them, are no part of a file.")
    if (offset or length is not None) and offset >= size:
        raise InvalidParameterValue(f"The file has {size} bytes; a part that begins at {offset} is behind its end.")


def walk(repository: ArtifactRepository, path: str = "") -> Iterator[FileInfo]:
    """Every file below a directory, in the order of a listing, or the file itself."""
    below = [normalise(path)]
    first = True
    while below:
        directory = below.pop()
        children = repository.list(directory)
        if first and not children and directory and (info := repository.stat(directory)) and not info.is_dir:
            yield info
        first = False
        yield from (child for child in children if not child.is_dir)
        below.extend(child.path for child in reversed(children) if child.is_dir)


class Subtree:
    """The part of a repository below a directory, as a repository of its own.

    Args:
        repository: The whole. It stays open when this is closed.
        path: The directory; it need not exist.
    """

    def __init__(self, repository: ArtifactRepository, path: str) -> None:
        self._repository = repository
        self._path = normalise(path)
        self.uri = f"{repository.uri.rstrip('/')}/{self._path}"

    def list(self, path: str = "") -> Files:
        """See :meth:`ArtifactRepository.list`."""
        return [self._inside(info) for info in self._repository.list(self._outside(path))]

    def stat(self, path: str) -> FileInfo | None:
        """See :meth:`ArtifactRepository.stat`."""
        info = self._repository.stat(self._outside(path))
        return self._inside(info) if info else None

    def open_read(self, path: str, *, offset: int = 0, length: int | None = None, version: int | None = None) -> Reader:
        """See :meth:`ArtifactRepository.open_read`."""
        reader = self._repository.open_read(self._outside(path), offset=offset, length=length, version=version)
        return Reader(self._inside(reader.info), iter(reader), reader.close)

    def write(self, path: str, chunks: Iterable[bytes]) -> FileInfo:
        """See :meth:`ArtifactRepository.write`."""
        return self._inside(self._repository.write(self._outside(file_path(path)), chunks))

    def delete(self, path: str) -> None:
        """See :meth:`ArtifactRepository.delete`."""
        self._repository.delete(self._outside(path))

    def versions(self, path: str) -> Versions:
        """See :meth:`ArtifactRepository.versions`."""
        return self._repository.versions(self._outside(path))

    def close(self) -> None:
        """Does nothing: the repository belongs to somebody else."""

    def _outside(self, path: str) -> str:
        # Checked before it is joined: '..' must not reach the names of the prefix.
        return "/".join(part for part in (self._path, normalise(path)) if part)

    def _inside(self, info: FileInfo) -> FileInfo:
        path = info.path[len(self._path) + 1 :] if self._path else info.path
        return FileInfo(path, info.is_dir, info.file_size, info.sha256, info.version)


class Mounted:
    """A repository whose content lies in a directory of this one: the inverse of :class:`Subtree`.

    Args:
        repository: The content. It stays open when this is closed.
        path: The directory.
    """

    def __init__(self, repository: ArtifactRepository, path: str) -> None:
        self._repository = repository
        self._path = file_path(path)
        self.uri = repository.uri

    def list(self, path: str = "") -> Files:
        """See :meth:`ArtifactRepository.list`."""
        if not normalise(path):
            return [FileInfo(self._path.partition("/")[0], True)]
        return [self._outside(info) for info in self._repository.list(self._inside(path))]

    def stat(self, path: str) -> FileInfo | None:
        """See :meth:`ArtifactRepository.stat`."""
        inner = self._inside(path)
        info = self._repository.stat(inner) if inner else FileInfo("", True)
        return self._outside(info) if info else None

    def open_read(self, path: str, *, offset: int = 0, length: int | None = None, version: int | None = None) -> Reader:
        """See :meth:`ArtifactRepository.open_read`."""
        reader = self._repository.open_read(self._inside(path), offset=offset, length=length, version=version)
        return Reader(self._outside(reader.info), iter(reader), reader.close)

    def write(self, path: str, chunks: Iterable[bytes]) -> FileInfo:
        """See :meth:`ArtifactRepository.write`."""
        return self._outside(self._repository.write(self._inside(path), chunks))

    def delete(self, path: str) -> None:
        """See :meth:`ArtifactRepository.delete`."""
        self._repository.delete(self._inside(path))

    def versions(self, path: str) -> Versions:
        """See :meth:`ArtifactRepository.versions`."""
        return self._repository.versions(self._inside(path))

    def close(self) -> None:
        """Does nothing: the repository belongs to somebody else."""

    def _inside(self, path: str) -> str:
        key = normalise(path)
        if key != self._path and not key.startswith(f"{self._path}/"):
            raise DoesNotExist(f"There is nothing at {shown(path)}.")
        return key[len(self._path) + 1 :]

    def _outside(self, info: FileInfo) -> FileInfo:
        path = f"{self._path}/{info.path}" if info.path else self._path
        return FileInfo(path, info.is_dir, info.file_size, info.sha256, info.version)
