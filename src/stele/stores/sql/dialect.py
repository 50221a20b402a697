"""The few statements that the three databases spell differently, and those that are spelt once."""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, Dialect, Insert, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable

__all__ = ["AS_THEY_ARE", "Answer", "Prepared", "insert_ignore", "insert_ignore_of", "upsert", "upsert_of"]

AS_THEY_ARE = "stele_as_they_are"
"""Execution option of statements whose results are numbers, texts and bytes."""

_OPTIONS = {AS_THEY_ARE: True}


def insert_ignore(connection: Connection, table: Table) -> Insert:
    """An insert that leaves a row with the same key as it is."""
    return insert_ignore_of(connection.dialect.name, table)


def upsert(connection: Connection, table: Table) -> Insert:
    """An insert that replaces every other column of a row with the same primary key."""
    return upsert_of(connection.dialect.name, table)


@cache  # building a statement takes longer than running it
def insert_ignore_of(dialect: str, table: Table) -> Insert:
    """As :func:`insert_ignore`, from the name of the dialect."""
    if dialect in ("mysql", "mariadb"):
        return mysql.insert(table).prefix_with("IGNORE")
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


@cache
def upsert_of(dialect: str, table: Table) -> Insert:
    """As :func:`upsert`, from the name of the dialect."""
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


class Prepared:
    """A statement whose text is made once for each database.

    SQLAlchemy finds the text of a statement in its cache in 50 to 100 us, and runs a text in 10 to 25; SQLite needs 2
    for a short one, so it is asked without SQLAlchemy unless somebody listens to what that runs. Nothing is converted
    on the way: numbers, texts and bytes go as they are.

    Args:
        statement: One whose parameters are numbers, texts and bytes, or where they are expanding, lists of these; or a
            function that makes it from the name of the database's dialect. It brings all its lists along, or none.
    """

    def __init__(self, statement: Executable | Callable[[str], Executable]) -> None:
        self._statement = statement
        self._spelt: dict[str, _Spelt] = {}

    def __call__(self, connection: Connection, values: dict[str, Any]) -> CursorResult[Any] | Answer:
        """Run it with a value for each parameter; no list may be empty."""
        text, parameters = self._spelt_for(connection).with_values(values)
        if connection.dialect.name == "sqlite" and not _is_heard(connection):
            return _asked(connection, text, parameters)
        return connection.exec_driver_sql(text, parameters, _OPTIONS)

    def rows(self, connection: Connection, values: dict[str, Any]) -> Sequence[Any]:
        """The rows of a query for one who needs no names."""
        answer = self(connection, values)
        return answer.plain_rows if isinstance(answer, Answer) else answer.all()

    def many(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Run it once for each row of values, none of which is a list."""
        spelt = self._spelt_for(connection)
        order = spelt.order
        if order is None or len(order) < 2 or not spelt.constants.keys() <= rows[0].keys():
            connection.exec_driver_sql(spelt.text, [spelt.with_values(values)[1] for values in rows])
        else:  # the values alone, in their order
            connection.exec_driver_sql(spelt.text, list(map(itemgetter(*order), rows)))

    def columns(self, connection: Connection, columns: Mapping[str, Sequence[Any]]) -> None:
        """Run it once for each row of values in columns, which are all its parameters, each once."""
        spelt = self._spelt_for(connection)
        names = columns.keys() if spelt.order is None else spelt.order
        rows: list[Any] = list(zip(*(columns[name] for name in names), strict=True))
        if spelt.order is None:
            rows = [dict(zip(names, row, strict=True)) for row in rows]
        connection.exec_driver_sql(spelt.text, rows)

    def _spelt_for(self, connection: Connection) -> _Spelt:
        name = connection.dialect.name
        if name not in self._spelt:
            statement: Any = self._statement if isinstance(self._statement, Executable) else self._statement(name)
            self._spelt[name] = _spelt(statement, connection.dialect)
        return self._spelt[name]


class Answer:
    """What SQLite answers: the part of a result of SQLAlchemy that is needed here."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.rowcount = cursor.rowcount
        """How many rows were written."""
        self.plain_rows: list[tuple[Any, ...]] = cursor.fetchall()
        """The rows without names."""
        self._names = tuple([column[0] for column in cursor.description or ()])

    def __iter__(self) -> Iterator[Any]:
        """The rows, each a tuple with names."""
        return map(_row_of(self._names), self.plain_rows)

    def all(self) -> list[Any]:
        """The rows, each a tuple with names."""
        return list(self)

    def first(self) -> Any | None:
        """The first row, or None."""
        return next(iter(self), None)

    def scalar_one(self) -> Any:
        """The value of the only row, which has one."""
        ((value,),) = self.plain_rows
        return value


@cache
def _row_of(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    """Makes a row of a tuple; names that Python does not take become ``_0``, ``_1``, ..."""
    row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024 - known at run time
    return row._make


def _is_heard(connection: Connection) -> bool:
    """Whether somebody, as a tracer does, listens to the statements of a connection."""
    hooks = connection.dispatch
    return bool(hooks.before_cursor_execute or hooks.after_cursor_execute)


def _asked(connection: Connection, text: str, parameters: Any) -> Answer:
    if not connection.in_transaction():
        connection.begin()  # as SQLAlchemy does by itself
    database: Any = connection.connection.driver_connection
    try:
        return Answer(database.execute(text, parameters))
    except sqlite3.Error as e:
        raise DBAPIError.instance(text, parameters, e, sqlite3.Error, dialect=connection.dialect) from e


def _spelt(statement: Any, dialect: Dialect) -> _Spelt:
    compiled = statement.compile(dialect=dialect)
    expanding = {name for name, bind in compiled.binds.items() if bind.expanding}
    lists = [name for name, value in compiled.params.items() if name in expanding and value is None]
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    if expanding and not lists:  # it brings them along
        given_later = dict.fromkeys(name for name, value in compiled.params.items() if value is None)
        whole = compiled.construct_expanded_state(given_later)
        return _Spelt(whole.statement, whole.positiontup, dict(whole.parameters), [], mark)
    return _Spelt(compiled.string, compiled.positiontup, compiled.params, lists, mark)


class _Spelt(NamedTuple):
    """A statement for one database."""

    text: str
    order: list[str] | None
    """The parameters by place, None where they go by name."""
    constants: dict[str, Any]
    """Values that the statement came with."""
    lists: list[str]
    """The parameters that stand for lists."""
    mark: str
    """A parameter that goes by place."""

    def with_values(self, values: dict[str, Any]) -> tuple[str, Any]:
        """The text and the values as the driver takes them."""
        named = self.constants | values
        if not self.lists:
            return self.text, named if self.order is None else tuple([named[name] for name in self.order])
        text = self.text
        for name in self.lists:
            text = text.replace(f"__[POSTCOMPILE_{name}]", self._places(name, len(named[name])))
        if self.order is not None:
            return text, tuple([item for name in self.order for item in self._items(name, named[name])])
        return text, {
            key: item
            for name, value in named.items()
            for key, item in zip(self._names(name, value), self._items(name, value), strict=True)
        }

    def _places(self, name: str, count: int) -> str:
        if self.order is not None:
            return ", ".join([self.mark] * count)
        return ", ".join(f"%({name}_{place})s" for place in range(count))

    def _names(self, name: str, value: Any) -> list[str]:
        return [f"{name}_{place}" for place in range(len(value))] if name in self.lists else [name]

    def _items(self, name: str, value: Any) -> Sequence[Any]:
        return value if name in self.lists else (value,)
