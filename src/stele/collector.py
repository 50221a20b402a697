"""The garbage collector of a process that starts to serve.

While it imports and loads, nearly all that it makes stays: collections would look through that again and again and find
nothing. So there are none until it serves. Then what lives as long as the process is kept out of the collector's way: a
full pass over it takes 0.1 s.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["is_starting", "keep_imported", "spare_the_collector", "starting"]

_starts = False


@contextmanager
def starting() -> Iterator[None]:
    """Say that this process starts to serve; nothing is collected in the meantime."""
    global _starts
    was_on, before = gc.isenabled(), _starts
    gc.disable()
    _starts = True
    try:
        yield
    finally:
        _starts = before
        if was_on:
            gc.enable()


def is_starting() -> bool:
    """Whether this process starts to serve, so that all it does until then is done for a server."""
    return _starts


def keep_imported() -> None:
    """Say that a library was imported: in a process that starts to serve, no collection will look at it.

    What is made next is for the collector again, so that loading a model leaves nothing behind.
    """
    if _starts:
        gc.freeze()


def spare_the_collector() -> None:
    """Keep what lives as long as the process out of the garbage collector's way."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
