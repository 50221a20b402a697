"""``stele doctor``: what is installed, and whether each thing that a run needs is there and works."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from msgspec import Struct

from stele import settings
from stele.artifacts import scheme_of
from stele.artifacts.local import local_root
from stele.cli.config import masked
from stele.cli.db import sqlite_file
from stele.cli.finding import open_client
from stele.cli.output import heading, json_option, show_facts, show_json
from stele.cli.results import show_findings
from stele.cli.teaching import Command
from stele.cli.text import size
from stele.client.client import Client
from stele.client.context import installed_packages
from stele.client.stores import open_store
from stele.errors import SteleError
from stele.stores.sql.engines import open_database
from stele.stores.sql.inspection import Finding, inspect_database
from stele.transport import Request, Transport

__all__ = ["doctor"]

_PACKAGES = (
    "alembic", "click", "httptools", "lark", "mlflow", "mlflow-skinny", "msgspec", "numpy", "pandas", "polars",
    "psycopg", "pyarrow", "pymysql", "rich", "scikit-learn", "sqlalchemy", "starlette", "urllib3",
)  # fmt: skip
_LITTLE_SPACE_BYTES = 1_000_000_000
_SKEW_SECONDS = 5.0
_TEST_DIRECTORY = "stele-doctor"


class Report(Struct):
    """What was found out; ``settings`` are the variables that are set, masked."""

    versions: dict[str, str]
    store: str
    checks: list[Finding]
    settings: dict[str, str]


@click.command(cls=Command)
@click.option("--mask-envs", is_flag=True, help="Hide the values of all variables, not only of secrets.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, mask_envs: bool, as_json: bool) -> None:
    r"""Find out what is wrong with this installation: versions, store, disk, files, clock.

    The exit code is 1 when something is. Paste the output into a bug report.

    \b
    stele doctor
    stele doctor --mask-envs --json
    """
    client = open_client()
    report = Report(_versions(), masked("", client.tracking_uri), list(_checks(client)), _variables(mask_envs))
    if as_json:
        show_json(report)
    else:
        show_facts(report.versions | {"Store": report.store})
        heading("Checks")
        show_findings([(check.name, check.ok, check.detail) for check in report.checks])
        if report.settings:
            heading("Variables")
            show_facts(report.settings)
    ctx.exit(0 if all(check.ok for check in report.checks) else 1)


def _versions() -> dict[str, str]:
    there = dict(line.lower().split("==", 1) for line in installed_packages())
    return {
        "Stele": version("stele"),
        "Python": f"{platform.python_version()} ({sys.executable})",
        "System": platform.platform(),
        "Packages": ", ".join(f"{name} {there[name]}" for name in _PACKAGES if name in there),
    }


def _variables(mask: bool) -> dict[str, str]:
    names = [name for setting in settings.SETTINGS for name in (setting.name, setting.twin) if name]
    found = {name: os.environ[name] for name in names if os.environ.get(name)}
    return {name: "***" if mask else masked(name, value) for name, value in found.items()}


def _checks(client: Client) -> Iterator[Finding]:
    """Look at one thing after the other; what needs the store is left out when it does not answer."""
    file = sqlite_file(client.tracking_uri)
    if file is not None and not file.exists():
        yield Finding("store", True, f"there is none yet; the first run makes {file}")
        yield from _space({"disk": file.parent})
    else:
        yield from _store_checks(client)
    yield _settings_valid()
    git = shutil.which("git")
    yield Finding("git", git is not None, git or "not found; runs cannot record the commit of their source code")


def _store_checks(client: Client) -> Iterator[Finding]:
    try:
        started = time.perf_counter()
        location = client.search_experiments(3, max_results=1, order_by=["experiment_id ASC"])[0].artifact_location
        milliseconds = (time.perf_counter() - started) * 1000
    except SteleError as e:
        yield Finding("store", False, str(e))
        return
    except IndexError:
        yield Finding("store", True, "answers; it has no experiments")
        return
    yield Finding("store", True, f"answers in {milliseconds:.0f} ms")
    transport: Transport | None = getattr(open_store(client.tracking_uri), "transport", None)
    if transport is not None:
        yield from _guarded("clock", lambda: _clock(transport))
    else:
        with closing(open_database(client.tracking_uri)) as database:
            yield from inspect_database(database, pages=False)
    places = {"disk of the store": sqlite_file(client.tracking_uri)}
    if scheme_of(location) == "file":
        places["disk of the files"] = local_root(location)
    yield from _space({name: path.parent for name, path in places.items() if path is not None})
    yield from _guarded("files", lambda: _files(client, location))


def _guarded(name: str, check: Callable[[], Finding]) -> Iterator[Finding]:
    try:
        yield check()
    except (SteleError, OSError) as e:
        yield Finding(name, False, str(e))


def _clock(transport: Transport) -> Finding:
    """A server's idea of the time: ``Date`` has whole seconds, so half a second is expected."""
    before = time.time()
    with transport.send(Request("GET", "/health")) as response:
        sent = response.headers.get("date")
        response.read()
    if sent is None:
        return Finding("clock", True, "the server does not tell its time")
    skew = parsedate_to_datetime(sent).timestamp() + 0.5 - (before + time.time()) / 2
    same = abs(skew) < _SKEW_SECONDS
    return Finding(
        "clock",
        same,
        "as the server's" if same else f"{abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} the server's",
    )


def _existing(path: Path) -> Path:
    """The directory, or the nearest one above it that exists."""
    path = path.absolute()
    while not path.is_dir():
        path = path.parent
    return path


def _space(places: dict[str, Path]) -> Iterator[Finding]:
    seen: set[int] = set()
    for name, path in places.items():
        directory = _existing(path)
        device = directory.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(directory).free
        yield Finding(name, free >= _LITTLE_SPACE_BYTES, f"{size(free)} free at {directory}")


def _files(client: Client, location: str) -> Finding:
    """Write, read and remove a file where experiments keep theirs."""
    if scheme_of(location) == "file":
        directory = _existing(local_root(location))
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"stele")
        return Finding("files", True, f"{location} can be written")
    repository = client.open_repository(location)
    name, content = f"{_TEST_DIRECTORY}/{uuid4().hex}", uuid4().bytes
    repository.write(name, [content])
    same = repository.open_read(name).read() == content
    repository.delete(name)
    repository.delete(_TEST_DIRECTORY)
    return Finding("files", same, f"{location} {'can be written and read' if same else 'gives back other bytes'}")


def _settings_valid() -> Finding:
    problems: list[Any] = []
    for setting in settings.SETTINGS:
        try:
            setting.get()
        except SteleError as e:
            problems.append(e)
    return Finding("variables", not problems, " ".join(map(str, problems)) or "all valid")
