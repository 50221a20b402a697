"""Which schema a database has: a fresh one is made, another one is refused, an older one is upgraded on demand.

The version stands in a table of our own, ``stele_schema``, so that a database shared with another program that uses
Alembic is never mistaken for ours or the other way round.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text

from stele.errors import Conflict, InvalidParameterValue, Unavailable
from stele.stores.sql.core import now_ms
from stele.stores.sql.database import Database
from stele.stores.sql.tables import STAGE_ACTIVE, experiments, metadata

__all__ = ["HEAD", "REVISIONS", "VERSION_TABLE", "prepare", "run_migrations", "stored_version", "upgrade"]

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Every schema there ever was, oldest first; the names of the files in ``migrations/versions``."""

HEAD = REVISIONS[-1]
VERSION_TABLE = "stele_schema"

_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))

_LOCK_NUMBER = 0x5374656C65  # "Stele"
_LOCK_SECONDS = 60


def prepare(db: Database, artifact_root: str) -> None:
    """Make the tables in an empty database, and refuse one whose schema is not this version's.

    Any number of processes may call this at the same time on the same empty database.

    Raises:
        Conflict: The schema is older or newer.
        InvalidParameterValue: The tables belong to another program.
    """
    version = db.read(stored_version)
    if version is None:
        version = db.write(lambda connection: _create(connection, artifact_root))
    if version == HEAD:
        return
    if version in REVISIONS:
        raise Conflict(
            f"The database {db.name} has schema {version}, this version of Stele needs {HEAD}. "
            f"Make a backup, then run: stele db upgrade '{db.name}'"
        )
    raise Conflict(
        f"The database {db.name} has schema {version}, which a newer version of Stele made; "
        f"this one knows up to {HEAD}. Install that version; nothing was changed."
    )


def stored_version(connection: Connection) -> str | None:
    """The schema of a database, None when it is empty.

    Raises:
        InvalidParameterValue: There are tables, but not ours.
    """
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        return connection.scalar(select(_version.c.version_num))
    if ours := tables & set(metadata.tables):
        owner = "MLflow" if "latest_metrics" in ours and "alembic_version" in tables else "another program"
        raise InvalidParameterValue(
            f"The database already holds tables of {owner} ({', '.join(sorted(ours))}). "
            "Stele needs a database of its own."
        )
    return None


def _create(connection: Connection, artifact_root: str) -> str:
    """Make everything, unless another process was faster; returns the version that is there then."""
    family = connection.dialect.name
    if family == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
    elif family in ("mysql", "mariadb"):
        return _create_on_mysql(connection, artifact_root)
    return stored_version(connection) or _create_tables(connection, artifact_root)


def _create_on_mysql(connection: Connection, artifact_root: str) -> str:
    # Each DDL statement commits by itself here, so the lock is the session's, and the version row comes last: a
    # creation that was interrupted is carried on by the next process.
    lock = {"name": f"stele-{_LOCK_NUMBER}", "seconds": _LOCK_SECONDS}
    if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), lock) != 1:
        raise Unavailable(f"Another process has been preparing the database for {_LOCK_SECONDS} s.")
    try:
        version = stored_version(connection) or _create_tables(connection, artifact_root)
        connection.exec_driver_sql("COMMIT")  # before the lock is given back: the next process must see the rows
        return version
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), lock)


def _create_tables(connection: Connection, artifact_root: str) -> str:
    _version.create(connection, checkfirst=True)
    metadata.create_all(connection)
    if connection.scalar(select(experiments.c.experiment_id).where(experiments.c.experiment_id == 0)) is None:
        now = now_ms()
        default = {
            "experiment_id": 0,
            "name": "Default",
            "artifact_location": f"{artifact_root.rstrip('/')}/0",
            "stage": STAGE_ACTIVE,
            "creation_time": now,
            "last_update_time": now,
        }
        connection.execute(experiments.insert(), default)
    connection.execute(_version.insert(), {"version_num": HEAD})
    return HEAD


def upgrade(db: Database, artifact_root: str) -> tuple[str | None, str]:
    """Bring a database to the newest schema; returns its version before and after.

    Raises:
        Conflict: The schema is newer than this version of Stele.
    """
    before = db.read(stored_version)
    if before is None or before == HEAD or before not in REVISIONS:
        prepare(db, artifact_root)
        return before, HEAD
    db.write(run_migrations)
    return before, HEAD


def run_migrations(connection: Connection) -> None:
    """Apply every schema that the database lacks."""
    from alembic import command  # heavy, and needed by nobody else
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    command.upgrade(config, HEAD)
