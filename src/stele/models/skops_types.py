"""The types that skops trusts, kept between processes.

When skops is imported it looks for all estimators of scikit-learn and all functions of NumPy and SciPy, which takes a
third of a server's start. What it finds depends on the versions of these packages only, so it is kept in the user's
cache directory under them, in a directory that nobody else may enter: this is a list of what is trusted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import msgspec

from stele import settings

__all__ = ["forget_types", "keep_types", "recall_types"]

_MODULE = "skops.io._trusted_types"
_PACKAGES = ("skops", "scikit-learn", "scipy", "numpy")
_OWNERS = frozenset({"builtins", "numpy", "scipy", "sklearn"})
_PRIVATE = 0o700

Names = dict[str, list[str]]
"""Name of a list in the module of skops -> dotted names of types and functions."""


def recall_types() -> bool:
    """Put what an earlier process found where skops will look for it, before it is imported; whether there was any.

    skops must not be imported yet. When it then cannot be, :func:`forget_types` takes the lists away again.
    """
    file = _file()
    names = None if file is None else _read(file)
    if names is None:
        return False
    module = sys.modules[_MODULE] = ModuleType(_MODULE)
    vars(module).update(names)
    return True


def forget_types() -> None:
    """Let skops look for itself when it is imported again, and this and later processes with it."""
    sys.modules.pop(_MODULE, None)
    file = _file()
    if file is not None:
        with contextlib.suppress(OSError):
            file.unlink()


def keep_types() -> None:
    """Keep what skops found when it was imported. Where that is not possible it will look again next time."""
    file = _file()
    if file is not None:
        _write(file)


def _file() -> Path | None:
    """Where the lists of the installed versions are kept; None when nothing is to be kept."""
    if not settings.MODEL_CACHE_BYTES.get():
        return None
    try:
        versions = [sys.version, *map(version, _PACKAGES)]
    except PackageNotFoundError:
        return None
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256(msgspec.json.encode(versions)).hexdigest()[:32]
    return home / "stele" / "skops" / f"{key}.json"


def _read(file: Path) -> Names | None:
    """The lists in a file; None when it is not there, or could be from somebody else."""
    try:
        if not _is_private(file.parent):
            return None
        names = msgspec.json.decode(file.read_bytes(), type=Names)
    except (OSError, msgspec.DecodeError):
        return None
    return names if _is_sound(names) else None


def _write(file: Path) -> None:
    names: Names = {
        name: value
        for name, value in vars(sys.modules.get(_MODULE) or ModuleType("")).items()
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value)
    }
    if not _is_sound(names):
        return
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        if not _is_private(file.parent):
            return
        handle, fresh = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.encode(names))
        Path(fresh).replace(file)


def _is_sound(names: Names) -> bool:
    """Whether there is something in the lists, of the packages whose versions are in the file's name only."""
    return bool(names) and all(name.partition(".")[0] in _OWNERS for each in names.values() for name in each)


def _is_private(directory: Path) -> bool:
    found = directory.lstat()
    own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return own and stat.S_ISDIR(found.st_mode) and not (os.name == "posix" and found.st_mode & 0o077)
