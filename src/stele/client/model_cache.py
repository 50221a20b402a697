"""Files of models on this machine, by the digest that was recorded when they were logged.

A directory for each digest, named after it, and beside it ``<digest>.json``: the size, the times and the inode of each
file when its content was last compared with the digest. While these are the same, the content is; when they are not,
it is compared again, and files that differ are thrown away. Nobody but the user may enter the cache, so only programs
of the same user could have changed a file, and they cannot set the time of the change (``ctime``).

Any number of processes may use a cache: each entry is filled under a lock and put in place whole.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from filelock import FileLock

from stele import settings
from stele.artifacts.digests import files_below, manifest_digest
from stele.errors import DataLoss, PermissionDenied

__all__ = ["ModelCache", "cache_of_user"]

_PRIVATE = 0o700
_IN_USE_SECONDS = 3600
"""An entry that was used so lately may be being loaded, and stays whatever the bound is."""

Facts = dict[str, tuple[int, int, int, int]]


def cache_of_user() -> ModelCache | None:
    """The cache that the settings describe; None when there is to be none."""
    limit = settings.MODEL_CACHE_BYTES.get()
    if not limit:
        return None
    chosen = settings.MODEL_CACHE_DIR.get()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return ModelCache(Path(chosen) if chosen else home / "stele" / "models", limit)


class ModelCache:
    """Files of models by digest.

    Args:
        directory: Where; it is made for this user alone.
        limit: Bytes that the entries may take together. The least recently used ones go first.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._limit = limit

    def get(self, digest: str, fetch: Callable[[Path], object]) -> Path:
        """The directory with the files that have this digest. Nobody may change what is in it.

        Args:
            digest: ``sha256:`` and 64 hexadecimal digits.
            fetch: Puts the files into an empty directory; called when they are not here.

        Raises:
            DataLoss: What was fetched has another digest.
            PermissionDenied: The directory of the cache belongs to somebody else, or is open to others.
        """
        self._make_private()
        name = digest.removeprefix("sha256:")
        entry, record = self._directory / name, self._directory / f"{name}.json"
        with FileLock(self._directory / f"{name}.lock"):
            if not self._is_intact(entry, record, digest):
                self._fill(entry, record, digest, fetch)
            os.utime(record)  # when it was used last
        self._evict(keep=name)
        return entry

    def _make_private(self) -> None:
        self._directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        found = self._directory.lstat()
        foreign = hasattr(os, "getuid") and found.st_uid != os.getuid()
        if foreign or not stat.S_ISDIR(found.st_mode) or (os.name == "posix" and found.st_mode & 0o077):
            raise PermissionDenied(
                f"{self._directory} cannot be a cache of models: others may change what is in it. Remove it, or name "
                f"another directory in {settings.MODEL_CACHE_DIR.name}."
            )

    def _is_intact(self, entry: Path, record: Path, digest: str) -> bool:
        if not entry.is_dir() or entry.is_symlink():
            return False
        facts = _facts(entry)
        if facts is not None and facts == _recorded(record):
            return True
        if facts is None or manifest_digest(entry) != digest:
            return False
        record.write_bytes(msgspec.json.encode(facts))
        return True

    def _fill(self, entry: Path, record: Path, digest: str, fetch: Callable[[Path], object]) -> None:
        _remove(entry)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=self._directory))
        try:
            fetch(fresh)
            found = manifest_digest(fresh)
            if found != digest:
                raise DataLoss(f"The files of the model have the digest {found}, but {digest} was recorded for them.")
            _protect(fresh)
            os.replace(fresh, entry)  # noqa: PTH105 - the same call, named after what it does
        finally:
            _remove(fresh)
        record.write_bytes(msgspec.json.encode(_facts(entry)))

    def _evict(self, keep: str) -> None:
        """Remove the entries that were not used for the longest time until the others fit."""
        entries: list[tuple[float, str, int]] = []
        for record in self._directory.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # another process has just removed it
                size = sum(item[0] for item in _recorded(record).values())
                entries.append((record.stat().st_mtime, record.stem, size))
        left = sum(size for _, _, size in entries)
        for used, name, size in sorted(entries):
            if left <= self._limit:
                return
            if name == keep or time.time() - used < _IN_USE_SECONDS:
                continue
            with FileLock(self._directory / f"{name}.lock"):
                (self._directory / f"{name}.json").unlink(missing_ok=True)
                _remove(self._directory / name)
            left -= size


def _facts(directory: Path) -> Facts | None:
    """Size, modification, change and inode of each file, by path; None when there is something else than files."""
    facts: Facts = {}
    for path in sorted(files_below(directory)):
        found = (directory / path).lstat()
        if not stat.S_ISREG(found.st_mode):
            return None
        facts[path] = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    return facts


def _recorded(record: Path) -> Facts:
    try:
        return msgspec.json.decode(record.read_bytes(), type=Facts)
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def _protect(directory: Path) -> None:
    """Make files read only, so that nobody changes them by mistake."""
    for path in files_below(directory):
        (directory / path).chmod(0o400)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
