"""Stamps that tell whether a row was changed: ``runs.change_stamp`` is set by every statement that writes the row.

A stamp is the time of the database's clock in milliseconds, or one more than the stamp before where that is not less:
it grows with every change of its row, whoever made it and on whatever machine. Stamps of different rows need not become
visible in their order, because a transaction takes its stamp before it commits.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

__all__ = ["COMMIT_MILLISECONDS", "clock", "next_stamp"]

COMMIT_MILLISECONDS = 15_000
"""How long after its stamp a change may become visible. Who looks for changes looks back so far, and compares."""


class clock(GenericFunction[int]):  # noqa: N801 - a function of SQL
    """Milliseconds since 1970 by the clock of the database."""

    type = BigInteger()
    inherit_cache = True


class next_stamp(GenericFunction[int]):  # noqa: N801
    """The stamp of a row that is inserted or updated; stands in for a value of ``change_stamp``.

    Args:
        column: The name of the column in an update; without it the row is new.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(clock, "sqlite")
def _sqlite_clock(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)"


@compiles(clock, "postgresql")
def _postgresql_clock(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(clock, "mysql")
@compiles(clock, "mariadb")
def _mysql_clock(_element: Any, _compiler: Any, **_: Any) -> str:
    return "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"


@compiles(next_stamp)
def _next_stamp(element: Any, compiler: Any, **options: Any) -> str:
    now = compiler.process(clock(), **options)
    before = [compiler.process(item, **options) for item in element.clauses]
    return f"CASE WHEN {before[0]} < {now} THEN {now} ELSE {before[0]} + 1 END" if before else now
