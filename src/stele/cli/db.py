"""``stele db``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from stele.cli.output import json_option, show_json
from stele.cli.progress import progress
from stele.cli.results import show_findings
from stele.cli.teaching import Group
from stele.cli.text import size
from stele.client.stores import get_tracking_uri, resolve_uri
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.stores.sql import SqlStore
from stele.stores.sql.engines import open_database
from stele.stores.sql.inspection import inspect_database
from stele.stores.sql.schema_version import upgrade as upgrade_schema

__all__ = ["database_uri", "db", "sqlite_file"]

_SERVERS = ("http://", "https://")
_SQLITE = "sqlite:///"
_LOCAL_ROOT = "./stele-artifacts"


def database_uri(uri: str | None) -> str:
    """The address of a database: as given, else the tracking URI.

    Raises:
        InvalidParameterValue: It is the address of a server.
    """
    found = resolve_uri(uri) if uri else get_tracking_uri()
    if found.startswith(_SERVERS):
        raise InvalidParameterValue(
            f"{shown(found)} is a server. This command works on the database behind it, such as sqlite:///stele.db or "
            "postgresql://host/name."
        )
    return found


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store, None for another one."""
    return Path(uri.removeprefix(_SQLITE).partition("?")[0]) if uri.startswith(_SQLITE) else None


def _require_file(uri: str) -> None:
    """Refuse the address of an SQLite file that is not there, rather than make one."""
    if (file := sqlite_file(uri)) and not file.exists():
        raise DoesNotExist(f"There is no file {shown(str(file))}. The first run that is logged makes it.")


@click.group(cls=Group)
def db() -> None:
    r"""Upgrade, check and compact the database.

    URI is a database; without it the tracking URI is taken.

    \b
    stele db check
    stele db upgrade postgresql://stele@db/stele
    """


@db.command(short_help="Bring a database to the newest schema.")
@click.argument("uri", required=False)
def upgrade(uri: str | None) -> None:
    r"""Bring a database to the newest schema; an empty one gets its tables.

    Make a backup first, and stop the servers that use it.

    \b
    stele db upgrade sqlite:///stele.db
    """
    with closing(open_database(database_uri(uri))) as database:
        before, after = upgrade_schema(database, _LOCAL_ROOT)
        if before == after:
            click.echo(f"{database.name} has schema {after}, the newest. Nothing was changed.")
        else:
            click.echo(
                f"{database.name} has schema {after} now, before it {f'had {before}' if before else 'was empty'}."
            )


@db.command(short_help="Compress the points of all runs.")
@click.argument("uri", required=False)
@json_option
def compact(uri: str | None, as_json: bool) -> None:
    r"""Compress the points of all runs, and give back the space that this frees in an SQLite file.

    Stele does so by itself when a run ends and, on a server, all the time. It may be used meanwhile.

    \b
    stele db compact
    stele db compact postgresql://stele@db/stele
    """
    address = database_uri(uri)
    _require_file(address)
    with SqlStore(address, _LOCAL_ROOT) as store:
        before = store.file_bytes()
        points = sum(store.points_in_logs().values())
        with progress("Compacting points", points) as advance:
            runs = store.compact_all(advance)
        with progress("Giving back pages", store.free_pages()) as advance:
            while pages := store.reclaim_pages():
                advance(pages)
        after = store.file_bytes()
        name = store.db.name
    if as_json:
        show_json({"database": name, "runs": runs, "points": points, "bytes_before": before, "bytes_after": after})
        return
    freed = f"; the file has {size(after)}, before it had {size(before)}" if before else ""
    click.echo(f"{name}: compacted {points:,} points of {runs:,} runs{freed}.")


@db.command(short_help="Look whether a database is in order.")
@click.argument("uri", required=False)
@json_option
@click.pass_context
def check(ctx: click.Context, uri: str | None, as_json: bool) -> None:
    r"""Look whether a database is in order: schema, tables, indexes, and on SQLite every page of the file.

    The exit code is 1 when something is not.

    \b
    stele db check
    """
    address = database_uri(uri)
    _require_file(address)
    with closing(open_database(address)) as database:
        findings = inspect_database(database)
        name = database.name
    if as_json:
        show_json({"database": name, "ok": all(finding.ok for finding in findings), "findings": findings})
    else:
        click.echo(name)
        show_findings([(finding.name, finding.ok, finding.detail) for finding in findings])
    ctx.exit(0 if all(finding.ok for finding in findings) else 1)
