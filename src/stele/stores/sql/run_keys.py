"""Which keys the runs of experiments have, and in which of them selected runs differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Table, and_, func, literal, null, select

from stele import limits
from stele.errors import InvalidParameterValue, shown
from stele.schema.run_table import (
    DifferingColumns,
    DifferingColumnsResponse,
    KeyKind,
    ListRunKeys,
    ListRunKeysResponse,
    RunColumn,
    RunKey,
)
from stele.stores.sql import summaries
from stele.stores.sql.changes import changes_of
from stele.stores.sql.core import experiment_number
from stele.stores.sql.parts import parts
from stele.stores.sql.run_selection import SelectedRuns, Selection
from stele.stores.sql.search_clauses import KINDS
from stele.stores.sql.search_dialect import dialect_of
from stele.stores.sql.tables import (
    STAGE_DELETED,
    TEXT_PREFIX,
    entity_keys,
    latest_metrics,
    run_texts,
    runs,
)

__all__ = ["RunKeyOperations"]

_NAMES = {number: kind for kind, number in KINDS.items()}
_FEW = 1_000
_ORDER: tuple[KeyKind, ...] = get_args(KeyKind)


@dataclass(frozen=True)
class _Keys:
    """All keys of some experiments, as they are sent."""

    keys: tuple[RunKey, ...]

    @property
    def nbytes(self) -> int:
        """The memory it takes, about."""
        return 300 * len(self.keys)


class RunKeyOperations(SelectedRuns):
    """What columns there are."""

    def list_run_keys(self, request: ListRunKeys) -> ListRunKeysResponse:
        ids = sorted({experiment_number(each, "experiment_ids") for each in request.experiment_ids})
        for kind in request.kinds:
            if kind not in _ORDER:
                raise InvalidParameterValue(f"kinds {shown(kind)} is not one of {', '.join(_ORDER)}.")
        limits.check_max_results(request.max_results, limits.MAX_PAGE)
        wanted = request.contains.casefold()

        def read(connection: Connection) -> ListRunKeysResponse:
            changes = changes_of(connection, ids)
            found = self.frames.parts.get(("keys", *changes))
            if found is None:
                found = _Keys(tuple(_counted_keys(connection, ids)))
                self.frames.parts.keep(("keys", *changes), found)
            fitting = [
                key
                for key in found.keys
                if (not request.kinds or key.kind in request.kinds) and wanted in key.name.casefold()
            ]
            return ListRunKeysResponse(keys=fitting[: request.max_results], total=len(fitting))

        if self.db.read(summaries.any_pending):
            self.apply_all()
        return self.db.read(read) if ids else ListRunKeysResponse(keys=[], total=0)

    def differing_columns(self, request: DifferingColumns) -> DifferingColumnsResponse:
        def read(selection: Selection) -> DifferingColumnsResponse:
            spreads = selection.remembered("spreads", lambda: _Spreads(_spreads(selection))).by_key
            runs_selected = len(selection.selected.places)
            differing = [key for key, spread in spreads.items() if spread.runs < runs_selected or spread.differs]
            columns = [RunColumn(_NAMES[kind], name) for kind, name in sorted(differing)]  # type: ignore[arg-type]
            return DifferingColumnsResponse(differing=columns, equal=len(spreads) - len(differing))

        return self.on_selection(request, read)


def _counted_keys(connection: Connection, ids: Sequence[int]) -> list[RunKey]:
    """The keys of active runs: those of all runs are counted in the indexes, those of deleted ones are taken off."""
    c = entity_keys.c
    texts, metrics = run_texts.c, latest_metrics.c
    in_texts = _count(texts.key_id), _count(texts.key_id, texts.number.is_not(None))
    in_metrics = _count(metrics.key_id), literal(0)
    own = dialect_of(connection).numbers(c.experiment_id, ids)
    found: dict[tuple[int, str], tuple[int, bool]] = {}
    for table, is_own, counts in (
        (run_texts, c.kind != KINDS["metric"], in_texts),
        (latest_metrics, c.kind == KINDS["metric"], in_metrics),
    ):
        deleted = _of_deleted(connection, ids, table)
        for key_id, kind, name, number, numeric in connection.execute(
            select(c.key_id, c.kind, c.name, *counts).where(own, is_own)
        ):
            gone, gone_numeric = deleted.get(key_id, (0, 0))
            if number > gone:
                before, was_numeric = found.get((kind, name), (0, True))
                is_numeric = kind == KINDS["metric"] or number - gone == numeric - gone_numeric
                found[kind, name] = before + number - gone, was_numeric and is_numeric
    keys = [RunKey(_NAMES[kind], name, *item) for (kind, name), item in found.items()]  # type: ignore[arg-type]
    return sorted(keys, key=lambda key: (_ORDER.index(key.kind), -key.runs, key.name))


def _count(key_id: ColumnElement[int], *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """In how many runs a key of ``entity_keys`` stands: a scalar, which all databases answer from an index."""
    return select(func.count()).where(key_id == entity_keys.c.key_id, *conditions).scalar_subquery()


def _of_deleted(connection: Connection, ids: Sequence[int], table: Table) -> dict[int, tuple[int, int]]:
    """In how many deleted runs each key stands, and in how many of them as a number, by its own number."""
    query = (
        select(table.c.key_id, func.count(), func.count(table.c.number if "number" in table.c else null()))
        .join_from(runs, table, table.c.run == runs.c.run)
        .where(dialect_of(connection).numbers(runs.c.experiment_id, ids), runs.c.stage == STAGE_DELETED)
        .group_by(table.c.key_id)
    )
    return {key_id: (number, numeric) for key_id, number, numeric in connection.execute(query)}


@dataclass(frozen=True)
class _Spread:
    """The values of one key: in how many runs it stands, and whether they are not all the same."""

    runs: int
    least: Any
    greatest: Any
    differs: bool

    def joined(self, other: _Spread) -> _Spread:
        """Of the same name in two experiments."""
        # NULL is NaN: equal to itself, and to no number.
        same = self.least == other.least and not self.differs and not other.differs
        return replace(self, runs=self.runs + other.runs, differs=not same)


@dataclass(frozen=True)
class _Spreads:
    """The spreads of all keys of the selected runs, by kind and name."""

    by_key: dict[tuple[int, str], _Spread]

    @property
    def nbytes(self) -> int:
        """The memory it takes, about."""
        return 1_000 * len(self.by_key)


def _spreads(selection: Selection) -> dict[tuple[int, str], _Spread]:
    reader = selection.reader
    connection, ids = reader.connection, reader.frame.experiments
    chosen = selection.numbers(selection.selected.places)
    if not chosen:
        return {}
    found = _text_spreads(connection, _among(connection, run_texts, ids, chosen))
    found |= _metric_spreads(connection, _among(connection, latest_metrics, ids, chosen))
    c = entity_keys.c
    query = select(c.key_id, c.kind, c.name).where(dialect_of(connection).numbers(c.experiment_id, ids))
    by_name: dict[tuple[int, str], _Spread] = {}
    for key_id, kind, name in connection.execute(query):
        if (spread := found.get(key_id)) is not None:
            before = by_name.get((kind, name))
            by_name[kind, name] = spread if before is None else before.joined(spread)
    return by_name


def _among(connection: Connection, table: Table, ids: Sequence[int], chosen: list[int]) -> ColumnElement[bool]:
    """The rows of some runs of some experiments, to be read key by key unless the runs are few."""
    numbers = dialect_of(connection).numbers
    if len(chosen) <= _FEW:
        return numbers(table.c.run, chosen)
    keys = select(entity_keys.c.key_id).where(numbers(entity_keys.c.experiment_id, ids))
    every = select(func.count()).select_from(runs).where(numbers(runs.c.experiment_id, ids))
    if connection.execute(every).scalar_one() == len(chosen):
        return table.c.key_id.in_(keys)
    # Written as a sum, so that no database looks the runs up one by one.
    return and_(table.c.key_id.in_(keys), numbers(table.c.run + 0, chosen))


def _text_spreads(connection: Connection, chosen: ColumnElement[bool]) -> dict[int, _Spread]:
    t, dialect = run_texts.c, dialect_of(connection)
    text = dialect.exact(t.value)
    query = select(t.key_id, func.count(), func.min(text), func.max(text)).where(chosen).group_by(t.key_id)
    found = {
        key_id: _Spread(number, least, greatest, least != greatest)
        for key_id, number, least, greatest in connection.execute(query)
    }
    # Texts that fill the index may differ behind it.
    long = [key_id for key_id, spread in found.items() if not spread.differs and len(spread.least) >= TEXT_PREFIX]
    rest = dialect.exact(func.coalesce(t.rest, ""))
    for part in parts(long):
        query = select(t.key_id, func.count(), func.min(rest), func.max(rest)).where(t.key_id.in_(part), chosen)
        for key_id, _, least, greatest in connection.execute(query.group_by(t.key_id)):
            whole = found[key_id].least, least
            found[key_id] = replace(found[key_id], least=whole, differs=least != greatest)
    return found


def _metric_spreads(connection: Connection, chosen: ColumnElement[bool]) -> dict[int, _Spread]:
    m = latest_metrics.c
    query = select(m.key_id, func.count(), func.count(m.value), func.min(m.value), func.max(m.value))
    return {
        key_id: _Spread(number, least, greatest, least != greatest or 0 < numbers < number)  # NaN is NULL
        for key_id, number, numbers, least, greatest in connection.execute(query.where(chosen).group_by(m.key_id))
    }
