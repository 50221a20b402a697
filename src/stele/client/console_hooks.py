"""Hears what this process prints: through the ``write`` of the streams that ``sys.stdout`` and ``sys.stderr`` are.

The method of the stream itself is replaced, because log handlers hold the stream and not its name. The text reaches
the stream first, always; only then those who listen. What C code and other processes write to the same terminal is not
heard.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["HOOKS", "Hooks", "Listener"]

Listener = Callable[[str], None]
"""Is called with each text that was printed, unless it is empty, by the thread that printed it."""


_LOGGER = logging.getLogger(__name__)


class _Inside(threading.local):
    """Whether a thread is in a hooked stream: one that passes text on to another is heard, the other one is not."""

    yes = False


_INSIDE = _Inside()


class Hooks:
    """The hooks of this process, which are there as long as somebody listens."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._hooks: list[_Hook] = []
        self._listeners: tuple[Listener, ...] = ()

    def add(self, listener: Listener) -> None:
        """Tell a listener what is printed from now on."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name, None)
                if hasattr(stream, "write") and not any(hook.is_on(stream) for hook in self._hooks):
                    hook = _Hook(stream, self._heard)
                    hook.install(name)
                    self._hooks.append(hook)

    def remove(self, listener: Listener) -> None:
        """Tell it nothing any more; when it was the last one, streams get back what was theirs."""
        with self._lock:
            self._listeners = tuple(other for other in self._listeners if other != listener)
            if not self._listeners:
                self._put_back()

    def forget(self) -> None:
        """In a forked child: what it prints belongs to no run of its parent."""
        self._lock = threading.RLock()
        self._listeners = ()
        self._put_back()

    def _put_back(self) -> None:
        for hook in reversed(self._hooks):
            hook.put_back()
        self._hooks = []

    def _heard(self, text: str) -> None:
        for listener in self._listeners:
            try:
                listener(text)
            except Exception:  # printing never fails because of us
                self.remove(listener)
                _LOGGER.warning("What is printed is not heard any more by %r.", listener, exc_info=True)


class _Hook:
    """One stream.

    Args:
        stream: What text is printed to.
        heard: Is told what was.
    """

    def __init__(self, stream: Any, heard: Listener) -> None:
        self._stream = stream
        self._name = ""
        self._own = _own_write(stream)
        self._original = stream.write
        self._write = _listening(stream.write, heard, self)
        self._wrapper: _Wrapper | None = None
        self.is_active = True

    def is_on(self, stream: Any) -> bool:
        """Whether it hears this stream already."""
        return stream is self._stream or stream is self._wrapper

    def install(self, name: str) -> None:
        """Take the place of the method; where the stream does not let us, of the stream in ``sys``."""
        if hasattr(self._stream, "__dict__"):
            with contextlib.suppress(AttributeError, TypeError):
                self._stream.write = self._write
        if _own_write(self._stream) is not self._write:
            self._name, self._wrapper = name, _Wrapper(self._stream, self._write)
            setattr(sys, name, self._wrapper)

    def put_back(self) -> None:
        """Undo that, unless somebody else took our place meanwhile: then texts go through and are not heard."""
        self.is_active = False
        if self._wrapper is not None:
            if getattr(sys, self._name, None) is self._wrapper:
                setattr(sys, self._name, self._stream)
        elif _own_write(self._stream) is self._write:
            if self._own is None:
                del self._stream.write
            else:
                self._stream.write = self._own


def _own_write(stream: Any) -> Any:
    """The method that belongs to the stream itself and not to its class."""
    return getattr(stream, "__dict__", {}).get("write")


def _listening(original: Callable[..., Any], heard: Listener, hook: _Hook) -> Callable[..., Any]:
    inside = _INSIDE

    def write(text: str, *others: Any, **named: Any) -> Any:
        if inside.yes or not hook.is_active:
            return original(text, *others, **named)
        inside.yes = True
        try:
            result = original(text, *others, **named)
        finally:
            inside.yes = False
        if text and isinstance(text, str):
            heard(text)
        return result

    return write


class _Wrapper:
    """A stream in front of one whose ``write`` cannot be replaced."""

    def __init__(self, stream: Any, write: Callable[..., Any]) -> None:
        self._stream = stream
        self.write = write

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


HOOKS = Hooks()
"""The ones of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=HOOKS.forget)
