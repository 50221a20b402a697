"""The few statements that the three databases spell differently."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite

__all__ = ["insert_ignore", "upsert"]


def insert_ignore(connection: Connection, table: Table) -> Insert:
    """An insert that leaves a row with the same key as it is."""
    return _insert_ignore(connection.dialect.name, table)


def upsert(connection: Connection, table: Table) -> Insert:
    """An insert that replaces every other column of a row with the same primary key."""
    return _upsert(connection.dialect.name, table)


@cache  # building a statement takes longer than running it
def _insert_ignore(dialect: str, table: Table) -> Insert:
    if dialect in ("mysql", "mariadb"):
        return mysql.insert(table).prefix_with("IGNORE")
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


@cache
def _upsert(dialect: str, table: Table) -> Insert:
    key = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in key]
    if dialect in ("mysql", "mariadb"):
        statement = mysql.insert(table)
        return statement.on_duplicate_key_update({name: statement.inserted[name] for name in others})
    conflict: Any = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    result: Insert = conflict.on_conflict_do_update(
        index_elements=key, set_={name: conflict.excluded[name] for name in others}
    )
    return result
