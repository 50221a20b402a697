"""A page about this installation, for a bug report."""

from __future__ import annotations

import os
import platform
import sys

from stele import settings
from stele.client.client import Client
from stele.client.context import installed_packages
from stele.errors import SteleError

__all__ = ["diagnose", "doctor"]

_SECRETS = ("TOKEN", "PASSWORD", "URI", "RUN_CONTEXT")
_DEPENDENCIES = (
    "alembic", "click", "httptools", "lark", "msgspec", "numpy", "pandas", "polars", "psycopg", "pyarrow", "pymysql",
    "rich", "scikit-learn", "sqlalchemy", "starlette", "stele", "urllib3",
)  # fmt: skip


def doctor(mask_envs: bool = False) -> None:
    """Print versions, settings and whether the store answers.

    Args:
        mask_envs: Hide the values of all settings; secrets and addresses are hidden always.
    """
    for line in diagnose(mask_envs):
        print(line)  # noqa: T201 - this is what the function is for


def diagnose(mask_envs: bool = False) -> list[str]:
    """What :func:`doctor` prints, line by line."""
    client = Client()
    versions = dict(line.lower().split("==", 1) for line in installed_packages())
    return [
        f"System: {platform.platform()}",
        f"Python: {platform.python_version()} ({sys.executable})",
        f"Tracking store: {client!r}",
        f"The store answers: {_answers(client)}",
        "Packages: " + ", ".join(f"{name} {versions[name]}" for name in _DEPENDENCIES if name in versions),
        "Settings:",
        *_settings(mask_envs),
    ]


def _answers(client: Client) -> str:
    try:
        client.search_experiments(max_results=1)
    except SteleError as error:
        return f"no, {error}"
    return "yes"


def _settings(mask: bool) -> list[str]:
    lines = []
    for setting in settings.SETTINGS:
        for name in (setting.name, setting.twin):
            if name and (value := os.environ.get(name)):
                hidden = mask or any(word in name for word in _SECRETS)
                lines.append(f"  {name}: {'***' if hidden else value}")
    return lines or ["  none"]
