"""Reads the columns of a frame: each through the index that covers it, where there is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
from sqlalchemy import ColumnElement, Connection, FromClause, Select, select, true

from stele.errors import InvalidParameterValue, shown
from stele.limits import MAX_KEY_CHARACTERS, check_length
from stele.schema.codec import required
from stele.schema.enums import RunStatus
from stele.schema.run_table import ColumnAggregate, ColumnKind, RunColumn
from stele.search.tree import Field, OrderKey
from stele.stores.sql.keys import Keys
from stele.stores.sql.raw_columns import NO_INTEGER, integer_columns, numbers_by_run, texts_by_run
from stele.stores.sql.run_frames import Frame, Kept, Mask
from stele.stores.sql.run_values import NONE, Numbers, Texts
from stele.stores.sql.search_clauses import KINDS, Clauses, Names, aggregate, key_table, resolve_names
from stele.stores.sql.search_dialect import dialect_of
from stele.stores.sql.tables import MAX_DOUBLE, runs

__all__ = ["ATTRIBUTES", "RunReader", "check_column", "check_columns", "plain"]

ATTRIBUTES = ("run_name", "status", "user_id", "start_time", "end_time", "duration")
"""Attributes that are columns."""
_TIMES = ("start_time", "end_time", "duration")
_TEXT_ATTRIBUTES = {"run_name": "name", "user_id": "user_id", "run_id": "run_id", "artifact_uri": "artifact_uri"}


def check_column(column: RunColumn, path: str) -> RunColumn:
    """The column, unchanged when there can be such a one.

    Raises:
        InvalidParameterValue: Otherwise.
    """
    for name, allowed in (("kind", get_args(ColumnKind)), ("aggregate", get_args(ColumnAggregate))):
        value = getattr(column, name)
        if value not in allowed:
            raise InvalidParameterValue(f"{path}.{name} {shown(value)} is not one of {', '.join(allowed)}.")
    check_length(required(column.key, f"{path}.key"), MAX_KEY_CHARACTERS, f"{path}.key")
    if column.kind == "attribute" and column.key not in ATTRIBUTES:
        raise InvalidParameterValue(f"{path}.key {shown(column.key)} is not one of {', '.join(ATTRIBUTES)}.")
    if column.kind != "metric" and column.aggregate != "last":
        raise InvalidParameterValue(f"{path}.aggregate {shown(column.aggregate)} is of metrics only.")
    return column


def plain(value: float | None) -> float:
    """A number of ``latest_metrics`` as it was logged: NULL is NaN, the greatest doubles are infinities."""
    if value is None:
        return math.nan
    return value if abs(value) < MAX_DOUBLE else math.copysign(math.inf, value)


def check_columns(columns: Sequence[RunColumn], path: str, fewest: int, most: int) -> None:
    """Check columns and their number.

    Raises:
        InvalidParameterValue: There are too few or too many, or one cannot be.
    """
    if not fewest <= len(columns) <= most:
        raise InvalidParameterValue(f"{path} has {len(columns)} entries, {fewest} to {most} are allowed.")
    for place, column in enumerate(columns):
        check_column(column, f"{path}[{place}]")


@dataclass
class RunReader:
    """Reads columns of one frame for one request.

    Args:
        connection: Where to read what is not kept.
        keys: The store's key numbers.
        frame: The runs.
        kept: What is known of them.
        now: What ``now()`` is, milliseconds since 1970.
    """

    connection: Connection
    keys: Keys
    frame: Frame
    kept: Kept
    now: int
    _names: dict[tuple[int, str], tuple[int, ...]] = field(default_factory=dict)

    def clauses(self, names: Names) -> Clauses:
        """Turns filters into conditions."""
        return Clauses(dialect_of(self.connection), names, self.now)

    def resolve(self, fields: Sequence[Field]) -> Names:
        """The key ids of fields in the experiments of the frame."""
        missing = [each for each in fields if (KINDS.get(each.entity, -1), each.key) not in self._names]
        if missing:
            order = [OrderKey(each) for each in missing]
            found = resolve_names(self.connection, self.keys, list(self.frame.experiments), None, order)
            self._names |= {(KINDS.get(each.entity, -1), each.key): () for each in missing} | found
        return self._names

    def key_ids(self, kind: str, key: str) -> tuple[int, ...]:
        """The key ids of one name."""
        return self.resolve([Field(kind, key)])[KINDS[kind], key]

    def numbers(self, column: RunColumn) -> Numbers:
        """A column of numbers; of texts, those that are numbers."""
        if column.kind == "attribute" and column.key in _TIMES:
            return self._time(column.key)
        if column.kind in ("metric", "param"):
            make = self._metric if column.kind == "metric" else self._param
            return self.kept.get(("numbers", column), lambda: make(column), metrics=column.kind == "metric")
        return self.texts(column).numbers

    def is_numeric(self, column: RunColumn) -> bool:
        """Whether a param has values, and all of them are numbers."""
        numbers = self.numbers(column)
        has = self.kept.get(("has", column), lambda: self._has(column), metrics=False)
        return bool(has.any()) and bool((has == numbers.present).all())

    def texts(self, column: RunColumn) -> Texts:
        """A column of texts: a param, a tag or an attribute.

        Raises:
            InvalidParameterValue: It is one of numbers.
        """
        if not self.is_text(column):
            raise InvalidParameterValue(
                f"The {column.kind} {shown(column.key)} holds numbers; a param, a tag or another attribute is needed."
            )
        make = self._text_attribute if column.kind == "attribute" else self._text
        return self.kept.get(("texts", column), lambda: make(column), metrics=False)

    def is_text(self, column: RunColumn) -> bool:
        """Whether a column holds texts."""
        return column.kind in ("param", "tag") or (column.kind == "attribute" and column.key not in _TIMES)

    def _metric(self, column: RunColumn) -> Numbers:
        table = key_table("metric", "column")
        numbers = self._numbers(column, table, aggregate(table, column.aggregate), true())
        values = numbers.values
        values[values >= MAX_DOUBLE], values[values <= -MAX_DOUBLE] = np.inf, -np.inf
        return numbers

    def _param(self, column: RunColumn) -> Numbers:
        table = key_table("param", "column")
        return self._numbers(column, table, table.c.number, table.c.number.is_not(None))

    def _numbers(
        self, column: RunColumn, table: FromClause, value: ColumnElement[Any], condition: ColumnElement[bool]
    ) -> Numbers:
        values, present = np.full(len(self.frame), np.nan), np.zeros(len(self.frame), bool)
        if ids := self.key_ids(column.kind, column.key):
            query = select(table.c.run, value).where(table.c.key_id.in_(ids), condition)
            runs_found, found = numbers_by_run(self.connection, query)
            places, known = self.frame.places(runs_found)
            values[places[known]] = found[known]
            present[places[known]] = True
        return Numbers(values, present)

    def _has(self, column: RunColumn) -> Mask:
        table = key_table(column.kind, "column")
        ids = self.key_ids(column.kind, column.key)
        return self.frame.mask(*integer_columns(self.connection, select(table.c.run).where(table.c.key_id.in_(ids))))

    def _text(self, column: RunColumn) -> Texts:
        table = key_table(column.kind, "column")
        whole = self.clauses({}).whole(table.c.value, table)
        ids = self.key_ids(column.kind, column.key)
        return self._texts(select(table.c.run, whole).where(table.c.key_id.in_(ids)))

    def _text_attribute(self, column: RunColumn) -> Texts:
        if column.key == "status":
            names = list(RunStatus.NAMES)
            by_number = np.full(max(names) + 1, NONE, np.int32)
            by_number[names] = np.arange(len(names), dtype=np.int32)
            return Texts.of(by_number[self.frame.statuses], list(RunStatus.NAMES.values()))
        stage = runs.c.stage.in_(self.frame.stages)
        own = dialect_of(self.connection).numbers(runs.c.experiment_id, self.frame.experiments)
        return self._texts(select(runs.c.run, runs.c[_TEXT_ATTRIBUTES[column.key]]).where(own, stage))

    def _texts(self, query: Select[Any]) -> Texts:
        numbers, found, words = texts_by_run(self.connection, query)
        places, known = self.frame.places(numbers)
        codes = np.full(len(self.frame), NONE, np.int32)
        codes[places[known]] = found[known]
        return Texts.of(codes, words)

    def _time(self, key: str) -> Numbers:
        frame = self.frame
        ended = frame.ends != NO_INTEGER
        if key == "start_time":
            return Numbers(frame.starts.astype(np.float64), np.ones(len(frame), bool))
        times = frame.ends if key == "end_time" else frame.ends - np.where(ended, frame.starts, 0)
        return Numbers(np.where(ended, times, np.nan), ended)
