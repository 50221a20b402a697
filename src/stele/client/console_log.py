"""Whether what a program prints is kept with its runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stele import settings
from stele.registry import Registry

if TYPE_CHECKING:
    from stele.client.client import Client
    from stele.client.console_recorder import ConsoleRecorder
    from stele.schema.runs import Run

__all__ = ["disable_console_logging", "enable_console_logging", "recorder", "reset"]

_PARTS: Registry[Callable[..., Any]] = Registry(
    "part of console logging", (), {"recorder": "stele.client.console_recorder:ConsoleRecorder"}
)
"""Imported when a run asks for it."""


class _Chosen:
    """What code set; None leaves it to the environment."""

    enabled: bool | None = None


def enable_console_logging() -> None:
    """Keep what is printed with every run that starts from now on."""
    _Chosen.enabled = True


def disable_console_logging() -> None:
    """Keep nothing that is printed with runs that start from now on, unless start_run asks for it."""
    _Chosen.enabled = False


def recorder(client: Client, run: Run, asked: bool | None) -> ConsoleRecorder | None:
    """What keeps the text that is printed from now on with a run; None when that is not wanted.

    Args:
        client: Where to keep it.
        run: The run.
        asked: What start_run was told; None means what code set, else the environment.
    """
    if asked is None:
        asked = settings.CONSOLE.get() if _Chosen.enabled is None else _Chosen.enabled
    if not asked:
        return None
    made: ConsoleRecorder = _PARTS.get("recorder")(client, run)
    made.start()
    return made


def reset() -> None:
    """Forget what code set."""
    _Chosen.enabled = None
