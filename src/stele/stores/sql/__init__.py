"""The tracking store on SQLite, PostgreSQL and MySQL/MariaDB."""

from stele.stores.sql.store import SqlStore

__all__ = ["SqlStore"]
