"""The state of the source code, asked from the ``git`` program.

Nothing here raises: a directory without a repository, a machine without git and a repository that answers too slowly
give None.
"""

from __future__ import annotations

import os
import re

from msgspec import Struct

__all__ = ["Commit", "commit", "diff", "is_dirty", "without_credentials"]

_SECONDS = 5.0
# A repository may configure programs that git starts. None of them is needed to read its state.
_OPTIONS = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_SECRET_FILES = (".env*", "*.env", "*.pem", "*.key", "*credential*", "*secret*", "id_rsa*", ".netrc", ".pypirc")
_USER_INFO = re.compile(r"^([a-z][a-z0-9+.\-]*://)[^/]*@", re.IGNORECASE)


class Commit(Struct, frozen=True):
    """What is checked out; empty texts where git has no answer."""

    root: str
    sha: str
    branch: str
    repository: str


def commit(directory: str) -> Commit | None:
    """The commit that is checked out around a directory."""
    answer = _git(directory, "rev-parse", "HEAD", "--abbrev-ref", "HEAD", "--show-toplevel")
    if answer is None or len(lines := answer.splitlines()) != 3:
        return None
    sha, branch, root = lines
    repository = (_git(directory, "config", "--get", "remote.origin.url") or "").strip()
    return Commit(root, sha, "" if branch == "HEAD" else branch, without_credentials(repository))


def is_dirty(root: str) -> bool | None:
    """Whether a tracked file differs from the commit."""
    answer = _git(root, "status", "--porcelain", "--untracked-files=no")
    return None if answer is None else bool(answer.strip())


def diff(root: str, max_bytes: int) -> str | None:
    """The changes against the commit, without files whose names speak of secrets.

    Args:
        root: Top directory of the work tree.
        max_bytes: A larger diff is given up.
    """
    exclude = [f":(exclude,icase,glob)**/{pattern}" for pattern in _SECRET_FILES]
    return _git(
        root, "diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD", "--", ".", *exclude, max_bytes=max_bytes
    )


def without_credentials(url: str) -> str:
    """The address of a repository without user, password and query."""
    return _USER_INFO.sub(r"\1", url).partition("?")[0].partition("#")[0]


def _git(directory: str, *arguments: str, max_bytes: int = 1_000_000) -> str | None:
    import shutil  # the fluent API must load fast
    import subprocess
    import threading

    program = shutil.which("git")
    if program is None or not os.path.isdir(directory):  # noqa: PTH112
        return None
    try:
        with subprocess.Popen(  # noqa: S603 - no shell, and the arguments are ours
            [program, *_OPTIONS, "-C", directory, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        ) as process:
            timer = threading.Timer(_SECONDS, process.kill)
            timer.start()
            try:
                assert process.stdout is not None
                output = process.stdout.read(max_bytes + 1)
                if len(output) > max_bytes:
                    process.kill()
                    return None
            finally:
                timer.cancel()
    except OSError:
        return None
    return output.decode("utf-8", "replace") if process.returncode == 0 else None
