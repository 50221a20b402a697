"""What all tables are made of: their metadata, and types that mean the same on every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, String, Text
from sqlalchemy.dialects import mysql

__all__ = ["BLOB", "CLUSTERED", "ID", "LONG_TEXT", "TABLE", "metadata", "word"]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# Row numbers: 64 bits everywhere; SQLite needs the word INTEGER to make the column its row id.
ID = BigInteger().with_variant(Integer, "sqlite")
# Text compared byte by byte on all three databases, so that = and LIKE mean the same.
BLOB = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
LONG_TEXT = (
    Text()
    .with_variant(Text(collation="C"), "postgresql")
    .with_variant(mysql.LONGTEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
)


def word(length: int) -> String:
    """Short text."""
    return (
        String(length)
        .with_variant(String(length, collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")
    )


TABLE: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}
CLUSTERED: dict[str, Any] = TABLE | {"sqlite_with_rowid": False}
