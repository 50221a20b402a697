"""A bar on a terminal while something takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stele import settings

__all__ = ["in_all", "progress"]


@contextmanager
def progress(label: str, total: int, *, in_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar with counts on a terminal, else silence; what is yielded is told how much more is done.

    Args:
        label: What is going on.
        total: How much there is to do; 0 shows nothing.
        in_bytes: Whether that are bytes.
    """
    if not sys.stderr.isatty() or not settings.PROGRESS.get() or not total:
        yield lambda _count: None
        return
    import rich.console
    import rich.progress as parts

    columns = (
        parts.TextColumn("{task.description}"),
        parts.BarColumn(),
        parts.DownloadColumn() if in_bytes else parts.MofNCompleteColumn(),
        parts.TimeRemainingColumn(),
    )
    with parts.Progress(*columns, console=rich.console.Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)


def in_all(advance: Callable[[int], None]) -> Callable[[int], None]:
    """What is told how much is done in all, made of what is told how much more."""
    done = 0

    def tell(total: int) -> None:
        nonlocal done
        advance(total - done)
        done = total

    return tell
