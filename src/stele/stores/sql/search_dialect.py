"""What SQLite, PostgreSQL and MySQL/MariaDB say differently in a search."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    String,
    and_,
    any_,
    bindparam,
    case,
    cast,
    event,
    exists,
    false,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import True_
from sqlalchemy.sql.selectable import Join

from stele.limits import INT64_MAX
from stele.search import like
from stele.search.automaton import matcher
from stele.search.regex import to_portable

__all__ = ["Dialect", "LookUp", "dialect_of", "look_up", "register_functions", "set_time_limit"]

Condition = ColumnElement[bool]
TextExpression = ColumnElement[str]

_FEW = 100
_PROGRESS_STEPS = 20_000
_LIMITED = "stele_time_limited"
_SORTS = "stele_sorts_long_texts"


class LookUp(Join):
    """A join that takes the rows of its left side as they come and looks each up in the table on its right.

    SQLite has no statistics before ANALYZE, and all databases misjudge LIMIT; we know what the left side has.
    """

    inherit_cache = True


@compiles(LookUp)
def _join_in_order(join: LookUp, compiler: Any, **kwargs: Any) -> str:
    inner = "CROSS JOIN" if compiler.dialect.name == "sqlite" else "STRAIGHT_JOIN"
    left = compiler.process(join.left, **(kwargs | {"asfrom": True}))
    right = compiler.process(join.right, **(kwargs | {"asfrom": True}))
    on = compiler.process(join.onclause, **(kwargs | {"asfrom": False}))
    return f"{left} {'LEFT JOIN' if join.isouter else inner} {right} ON {on}"


@compiles(LookUp, "postgresql")
def _join_laterally(join: LookUp, compiler: Any, **kwargs: Any) -> str:
    left = compiler.process(join.left, **(kwargs | {"asfrom": True}))
    right = compiler.process(join.right, **(kwargs | {"asfrom": True}))
    on = compiler.process(join.onclause, **(kwargs | {"asfrom": False}))
    alias: Any = join.right  # always a table or an alias of one, which has a name
    name = compiler.preparer.format_alias(alias, alias.name)
    # OFFSET 0 keeps PostgreSQL from turning the look-ups into another join.
    looked_up = f"LATERAL (SELECT {name}.* FROM {right} WHERE {on} OFFSET 0) AS {name}"  # noqa: S608  # compiled parts
    return f"{left} {'LEFT JOIN' if join.isouter else 'JOIN'} {looked_up} ON true"


class Dialect(Protocol):
    """Conditions on text that mean the same on every database: case counts, trailing spaces count."""

    def equal(self, text: TextExpression, value: str) -> Condition:
        """The text is exactly this."""

    def among(self, text: TextExpression, values: Sequence[str]) -> Condition:
        """The text is exactly one of these."""

    def starts(self, text: TextExpression, prefix: str) -> Condition | None:
        """The index range of exactly the texts that start with the prefix; None when LIKE makes it itself."""

    def like(self, text: TextExpression, pattern: str) -> Condition:
        """The text fits a LIKE pattern."""

    def ilike(self, text: TextExpression, pattern: str) -> Condition:
        """The text fits an ILIKE pattern."""

    def rlike(self, text: TextExpression, pattern: str) -> Condition:
        """The regular expression occurs in the text."""

    def numbers(self, number: ColumnElement[int], values: Sequence[int]) -> Condition:
        """The number is one of these, of which there may be thousands."""

    def characters(self, text: TextExpression) -> ColumnElement[int]:
        """The number of characters of the text."""

    def exact(self, text: TextExpression) -> ColumnElement[Any]:
        """The text as something that is equal to another one when all its bytes are."""

    def probe(self, key: Condition, value: Condition) -> Condition:
        """A row exists that ``key`` names by an index and that fulfils ``value``, looked up for one run at a time."""

    def first(self, query: Select[Any]) -> Select[Any]:
        """The query as a source whose own conditions are tested before those of what it stands in."""

    def listed(self, query: Select[Any]) -> Select[Any]:
        """The same numbers as a query that is answered once, not for one number at a time."""

    sorts_in_steps: bool
    """Whether it sorts rows that come in the order of the first sort term without reading all of them."""


class _Common:
    sorts_in_steps = True

    def probe(self, key: Condition, value: Condition) -> Condition:
        return exists(literal_column("1")).where(key, value)

    def first(self, query: Select[Any]) -> Select[Any]:
        return query

    def listed(self, query: Select[Any]) -> Select[Any]:
        return query

    def equal(self, text: TextExpression, value: str) -> Condition:
        return text == value

    def among(self, text: TextExpression, values: Sequence[str]) -> Condition:
        return text.in_(values)

    def starts(self, text: TextExpression, prefix: str) -> Condition | None:
        end = like.successor(prefix)
        return and_(text >= prefix, text < end) if end is not None else text >= prefix

    def like(self, text: TextExpression, pattern: str) -> Condition:
        # Without an escape sign of our own, a backslash would be one; MariaDB does not know ESCAPE ''.
        return text.like(pattern.replace("|", "||"), escape="|")

    def characters(self, text: TextExpression) -> ColumnElement[int]:
        return func.char_length(text)

    def exact(self, text: TextExpression) -> ColumnElement[Any]:
        return text


class _Sqlite(_Common):
    def like(self, text: TextExpression, pattern: str) -> Condition:
        return text.bool_op("GLOB")(like.to_glob(pattern))

    def ilike(self, text: TextExpression, pattern: str) -> Condition:
        if pattern.isascii():  # whose letters LIKE takes in any case, four times as fast
            return text.like(pattern)
        return text.bool_op("GLOB")(like.to_glob(pattern, ignore_case=True))

    def rlike(self, text: TextExpression, pattern: str) -> Condition:
        return func.stele_rlike(pattern, text) == 1

    def numbers(self, number: ColumnElement[int], values: Sequence[int]) -> Condition:
        if len(values) <= _FEW:
            return number.in_(values)
        every = func.json_each(json.dumps(values)).table_valued("value")
        return number.in_(select(every.c.value))

    def characters(self, text: TextExpression) -> ColumnElement[int]:
        return func.length(text)


class _PostgreSql(_Common):
    def probe(self, key: Condition, value: Condition) -> Condition:
        # Else PostgreSQL makes a semi-join over the whole key of it (OFFSET), or reads the index of the values (CASE).
        tested = true() if isinstance(value, True_) else case((value, true()), else_=false())
        return self.first(select(literal_column("1")).where(key, tested)).exists()

    def first(self, query: Select[Any]) -> Select[Any]:
        # Else PostgreSQL tests a look-up in another index before a pattern, for each text that a key has.
        return query.offset(literal_column("0"))

    def ilike(self, text: TextExpression, pattern: str) -> Condition:
        return text.bool_op("~")(like.to_regex(pattern, end="$", ignore_case=True))

    def rlike(self, text: TextExpression, pattern: str) -> Condition:
        return text.bool_op("~")(to_portable(pattern, end="$"))

    def numbers(self, number: ColumnElement[int], values: Sequence[int]) -> Condition:
        if len(values) <= _FEW:
            return number.in_(values)
        return number == any_(bindparam(None, list(values), ARRAY(BigInteger)))


class _MySql(_Common):
    sorts_in_steps = False

    def probe(self, key: Condition, value: Condition) -> Condition:
        return case((super().probe(key, value), 1), else_=0) == 1  # else it becomes a semi-join

    def first(self, query: Select[Any]) -> Select[Any]:
        return query.limit(literal_column(str(INT64_MAX)))  # as with PostgreSQL

    def listed(self, query: Select[Any]) -> Select[Any]:
        # Else MySQL looks each number up in the table, all over it.
        return select(self.first(query).subquery("listed").c.run)

    def equal(self, text: TextExpression, value: str) -> Condition:
        return self.among(text, [value])

    def among(self, text: TextExpression, values: Sequence[str]) -> Condition:
        # utf8mb4_bin ignores trailing spaces; the first condition finds the index, the second compares bytes.
        exact = cast(text, mysql.BINARY).in_([value.encode() for value in values])
        return and_(text.in_(values), exact)

    def starts(self, text: TextExpression, prefix: str) -> Condition | None:
        return None  # MySQL makes the range out of LIKE itself, and its order pads with spaces

    def exact(self, text: TextExpression) -> ColumnElement[Any]:
        return cast(text, mysql.BINARY)  # utf8mb4_bin ignores trailing spaces

    def ilike(self, text: TextExpression, pattern: str) -> Condition:
        return text.bool_op("REGEXP")(like.to_regex(pattern, end=r"\z", ignore_case=True))

    def rlike(self, text: TextExpression, pattern: str) -> Condition:
        return text.bool_op("REGEXP")(to_portable(pattern, end=r"\z"))

    def numbers(self, number: ColumnElement[int], values: Sequence[int]) -> Condition:
        if len(values) <= _FEW:
            return number.in_(values)
        every = _EVERY_NUMBER.bindparams(bindparam("numbers", json.dumps(values), String, unique=True))
        return number.in_(select(every.columns(number=BigInteger).subquery().c.number))


_EVERY_NUMBER = text("SELECT t.number FROM JSON_TABLE(:numbers, '$[*]' COLUMNS (number BIGINT PATH '$')) AS t")

_DIALECTS: dict[str, Dialect] = {
    "sqlite": _Sqlite(),
    "postgresql": _PostgreSql(),
    "mysql": _MySql(),
    "mariadb": _MySql(),
}


def dialect_of(connection: Connection) -> Dialect:
    """The words of the database behind a connection."""
    name = connection.dialect.name
    if name in ("mysql", "mariadb") and _SORTS not in connection.info:
        # MySQL sorts by the first 1024 bytes only, which would lose rows between pages. The longest text to sort by
        # has 8000 characters of at most 4 bytes. Once per connection.
        connection.execute(text("SET SESSION max_sort_length = 32768"))
        connection.info[_SORTS] = True
    return _DIALECTS[name]


def register_functions(dbapi_connection: Any) -> None:
    """Give an SQLite connection the functions that searches use. To be called once, after it was opened.

    Args:
        dbapi_connection: A ``sqlite3.Connection``.
    """
    dbapi_connection.create_function("stele_rlike", 2, _rlike, deterministic=True)


def _rlike(pattern: str, value: str | None) -> bool | None:
    return None if value is None else matcher(pattern).search(value)


def set_time_limit(connection: Connection, milliseconds: int) -> None:
    """Stop what runs on a connection after a time; the limit ends with the use of the connection.

    On SQLite the time is that of everything from now on, on the others that of each statement. A statement that runs
    out fails in the driver; :func:`~stele.stores.sql.search.find_runs` makes that a ``DeadlineExceeded``.

    Args:
        connection: An open connection.
        milliseconds: More than 0.
    """
    name = connection.dialect.name
    if name == "sqlite":
        _limit_sqlite(connection, time.monotonic() + milliseconds / 1000)
    elif name == "postgresql":
        # Compiling a search to machine code takes longer than the search.
        jit = func.set_config("jit", "off", True)
        connection.execute(select(func.set_config("statement_timeout", str(milliseconds), True), jit))
    else:
        _limit_mysql(connection, milliseconds)


def _limit_sqlite(connection: Connection, deadline: float) -> None:
    alive = weakref.ref(connection)

    def stop() -> bool:
        # The driver's connection lives on in the pool: it must not inherit the limit.
        user = alive()
        return user is not None and not user.closed and time.monotonic() > deadline

    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(stop, _PROGRESS_STEPS)


def _limit_mysql(connection: Connection, milliseconds: int) -> None:
    if getattr(connection.dialect, "is_mariadb", False):
        connection.execute(text("SET SESSION max_statement_time = :seconds"), {"seconds": milliseconds / 1000})
        connection.info[_LIMITED] = "SET SESSION max_statement_time = DEFAULT"
    else:
        connection.execute(text("SET SESSION max_execution_time = :limit"), {"limit": milliseconds})
        connection.info[_LIMITED] = "SET SESSION max_execution_time = DEFAULT"
    if not event.contains(connection.engine.pool, "reset", _lift):
        event.listen(connection.engine.pool, "reset", _lift)


def _lift(dbapi_connection: Any, record: Any, _state: object) -> None:
    statement = record.info.pop(_LIMITED, None)
    if statement is not None:
        with dbapi_connection.cursor() as cursor:
            cursor.execute(statement)


def look_up(left: FromClause, right: FromClause, on: Condition, *, outer: bool = False) -> LookUp:
    """``left`` joined with the rows of ``right``, looked up one by one.

    Args:
        left: What is read first.
        right: A table or an alias of one.
        on: Names the row by an index of ``right``.
        outer: Whether to keep rows of ``left`` that find nothing.
    """
    return LookUp(left, right, on, isouter=outer)
