"""Removing the contents that local files had before they were overwritten."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from stele.artifacts.history import History
from stele.artifacts.paths import RESERVED
from stele.errors import SteleError

__all__ = ["Swept", "sweep_versions"]


class Swept(Struct, frozen=True):
    """What was removed of one file, or would be; ``problem`` says why the rest of it stays, if anything had to."""

    path: Path
    versions: int
    size: int
    problem: str = ""


def sweep_versions(root: Path, before: int, *, dry_run: bool = False) -> Iterator[Swept]:
    """Remove kept versions below a directory; symbolic links are not followed.

    Files stay as they are, and so do the numbers of their versions. It may run while others write, and be interrupted.

    Args:
        root: The directory.
        before: Only versions that were overwritten earlier, milliseconds since 1970.
        dry_run: Remove nothing.

    Yields:
        One item for each file that has such versions.
    """
    for directory, names, files in os.walk(root):
        if RESERVED not in names:
            continue
        names.remove(RESERVED)
        for name in files:
            found = _swept(Path(directory, name), before, dry_run=dry_run)
            if found.versions or found.problem:
                yield found


def _swept(file: Path, before: int, *, dry_run: bool) -> Swept:
    history = History(file)
    try:
        if not history.overwritten(before):
            return Swept(file, 0, 0)
        if dry_run:
            sizes = [path.lstat().st_size for path in history.overwritten(before)]
        else:
            with history.locked():
                sizes = history.forget(before)
    except FileNotFoundError:  # its directory went meanwhile
        return Swept(file, 0, 0)
    except (SteleError, OSError) as e:
        return Swept(file, 0, 0, str(e))
    return Swept(file, len(sizes), sum(sizes))
