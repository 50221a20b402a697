"""What a new run says about where it came from: user, program, source code, machine.

Quick facts become tags of the new run. Slow ones (uncommitted changes, installed packages, GPUs) are collected in
the background, once for all runs of half a minute, and written as files under ``environment/``. Nothing here raises,
no environment variable is recorded, and words of the command line that look like secrets are blanked.
"""

from __future__ import annotations

import functools
import getpass
import logging
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from stele import settings
from stele.client import git
from stele.client import tag_names as names
from stele.client.gpu import gpu_names

__all__ = [
    "SlowFacts",
    "context_tags",
    "installed_packages",
    "redacted",
    "slow_facts",
    "source_name",
    "source_type",
]

_LOGGER = logging.getLogger(__name__)
_FRESH_SECONDS = 30.0
_SECRET = re.compile(r"token|passw|secret|credential|api[-_]?key|access[-_]?key|auth", re.IGNORECASE)
_HIDDEN = "***"


def context_tags() -> dict[str, str]:
    """The tags of a run that starts now."""
    tags = {names.USER: _user(), names.SOURCE_NAME: source_name(), names.SOURCE_TYPE: source_type()}
    if settings.CAPTURE.get():
        tags |= {names.PYTHON_VERSION: platform.python_version(), names.HOST: platform.node()}
        tags |= _commit_tags()
    return {key: value for key, value in (tags | _tags_of_environment()).items() if value}


def _commit_tags() -> dict[str, str]:
    commit = _commit(_source_directory(), _moment())
    if commit is None:
        return {}
    return {
        names.GIT_COMMIT: commit.sha,
        names.GIT_BRANCH: commit.branch,
        names.GIT_REPOSITORY: commit.repository,
    }


def _moment() -> int:
    # One answer per half minute: a sweep asks git once, a notebook that lives for days sees new commits and packages.
    return int(time.monotonic() / _FRESH_SECONDS)


@functools.lru_cache(maxsize=1)
def _commit(directory: str, _moment: int) -> git.Commit | None:
    return git.commit(directory)


def _tags_of_environment() -> dict[str, str]:
    text = settings.RUN_CONTEXT.get()
    if not text:
        return {}
    try:
        return {key: str(value) for key, value in msgspec.json.decode(text, type=dict[str, Any]).items()}
    except msgspec.MsgspecError:
        _LOGGER.warning("%s is no JSON object of tags and is ignored.", settings.RUN_CONTEXT.name)
        return {}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def source_type() -> str:
    """``NOTEBOOK`` in Jupyter, else ``LOCAL``."""
    return "NOTEBOOK" if _notebook_shell() is not None else "LOCAL"


def source_name() -> str:
    """The path of the notebook or script, or ``<console>``."""
    shell = _notebook_shell()
    if shell is not None:
        path = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
        return str(path or "ipykernel_launcher.py")
    return sys.argv[0] if sys.argv and sys.argv[0] else "<console>"


def _source_directory() -> str:
    """Where the script lies, or the working directory when there is no script."""
    path = source_name()
    is_file = os.path.isfile(path)  # noqa: PTH113 - pathlib costs 5 ms at import
    return os.path.dirname(os.path.abspath(path)) if is_file else os.getcwd()  # noqa: PTH100, PTH109, PTH120


def _notebook_shell() -> Any:
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None
    return shell if shell is not None and hasattr(shell, "kernel") else None


class SlowFacts(Struct, frozen=True):
    """What takes longer to find out: ``files`` maps a path below the artifact root to a text."""

    tags: dict[str, str]
    files: dict[str, str]


def slow_facts() -> SlowFacts:
    """Uncommitted changes, installed packages and the machine of this process."""
    return _slow_facts(_source_directory(), _moment())


@functools.lru_cache(maxsize=1)
def _slow_facts(directory: str, _moment: int) -> SlowFacts:
    tags: dict[str, str] = {}
    files = {
        "environment/environment.json": msgspec.json.format(msgspec.json.encode(_machine()), indent=2).decode() + "\n",
        "environment/requirements.txt": "".join(f"{line}\n" for line in installed_packages()),
    }
    if gpu_names():
        tags[names.GPU] = ", ".join(gpu_names())
    commit = _commit(directory, _moment)
    if commit is not None:
        dirty = git.is_dirty(commit.root)
        tags |= {} if dirty is None else {names.GIT_DIRTY: str(dirty).lower()}
        limit = settings.CAPTURE_DIFF_BYTES.get()
        changes = git.diff(commit.root, limit) if limit and dirty else None
        files |= {"environment/git.diff": changes} if changes else {}
    return SlowFacts(tags, files)


def _machine() -> dict[str, Any]:
    return {
        "command": redacted([sys.executable, *sys.argv]),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "host": platform.node(),
        "cpu_count": os.cpu_count(),
        "gpus": list(gpu_names()),
    }


def redacted(words: Sequence[str]) -> list[str]:
    """A command line without what looks like a secret: values of flags such as ``--token``, and users in URLs."""
    result: list[str] = []
    hide = False
    for word in words:
        name, equals, _ = word.partition("=")
        secret = bool(_SECRET.search(name)) and (word.startswith("-") or bool(equals))
        if hide and not word.startswith("-"):
            result.append(_HIDDEN)
        elif secret and equals:
            result.append(f"{name}={_HIDDEN}")
        else:
            result.append(re.sub(r"://[^/\s]*@", "://", word))
        hide = secret and not equals
    return result


def installed_packages() -> tuple[str, ...]:
    """The installed distributions as ``name==version``, sorted."""
    from importlib import metadata  # 15 ms that only this needs

    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"] if distribution.metadata else None
        if name:
            found.setdefault(name.lower(), f"{name}=={distribution.version}")
    return tuple(found[name] for name in sorted(found))


def reset() -> None:
    """Ask anew for everything that was found out about this process."""
    _commit.cache_clear()
    _slow_facts.cache_clear()
    gpu_names.cache_clear()
