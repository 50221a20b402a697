"""Whether a database is as it should be: its schema, its tables and indexes, and on SQLite the file itself."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from stele.errors import InvalidParameterValue
from stele.stores.sql.database import Database
from stele.stores.sql.schema_version import HEAD, REVISIONS, stored_version
from stele.stores.sql.tables import metadata

__all__ = ["Finding", "inspect_database"]

_MOST_ERRORS = 10


class Finding(Struct, frozen=True):
    """One thing that was looked at; ``detail`` says what was found."""

    name: str
    ok: bool
    detail: str


def inspect_database(db: Database, *, pages: bool = True) -> list[Finding]:
    """Look at a database without changing it.

    Args:
        db: The database.
        pages: Read every page of an SQLite file, about a second per GB.

    Raises:
        Unavailable: The database cannot be reached.
    """
    try:
        version = db.read(stored_version)
    except InvalidParameterValue as e:
        return [Finding("schema", False, str(e))]
    findings = [_schema(version)]
    if version is not None:
        findings += [db.read(_tables), db.read(_indexes)]
    if pages and db.family == "sqlite":
        findings.append(db.read(_integrity))
    return findings


def _schema(version: str | None) -> Finding:
    if version is None:
        return Finding("schema", False, "the database is empty; 'stele db upgrade' makes the tables")
    if version == HEAD:
        return Finding("schema", True, f"{version}, the newest")
    if version in REVISIONS:
        return Finding("schema", False, f"{version}, this version of Stele needs {HEAD}; run 'stele db upgrade'")
    return Finding("schema", False, f"{version} was made by a newer version of Stele; this one knows up to {HEAD}")


def _tables(connection: Connection) -> Finding:
    missing = sorted(set(metadata.tables) - set(inspect(connection).get_table_names()))
    return Finding(
        "tables", not missing, f"missing: {', '.join(missing)}" if missing else f"all {len(metadata.tables)}"
    )


def _indexes(connection: Connection) -> Finding:
    """Compare by name: every index that a search relies on has one."""
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    wanted = {index.name: table for table in metadata.tables.values() if table.name in there for index in table.indexes}
    found = {index["name"] for table in there & set(metadata.tables) for index in inspector.get_indexes(table)}
    missing = sorted(f"{name} on {wanted[name].name}" for name in wanted if name not in found and name is not None)
    return Finding("indexes", not missing, f"missing: {', '.join(missing)}" if missing else f"all {len(wanted)}")


def _integrity(connection: Connection) -> Finding:
    try:
        problems = list(connection.scalars(text(f"PRAGMA integrity_check({_MOST_ERRORS})")))
        broken = list(connection.execute(text("PRAGMA foreign_key_check")))
    except DatabaseError as e:  # so damaged that SQLite gives up
        return Finding("integrity", False, str(e.orig))
    if problems == ["ok"] and not broken:
        return Finding("integrity", True, "ok")
    told = [" ".join(str(problem).split()) for problem in problems if problem != "ok"]
    told += [f"{len(broken)} rows refer to rows that do not exist"] if broken else []
    return Finding("integrity", False, "; ".join(told))
