"""Finding by a part of a name: five statements at most, over indexes that hold little but names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from stele import limits, settings
from stele.schema import finding as f
from stele.schema.codec import required
from stele.schema.enums import RunStatus
from stele.stores.sql.core import StoreCore
from stele.stores.sql.model_tables import registered_models
from stele.stores.sql.runs import RUN_NAME_TAG
from stele.stores.sql.search import deadline, set_time_limit
from stele.stores.sql.search_dialect import dialect_of
from stele.stores.sql.tables import (
    KIND_METRIC,
    KIND_PARAM,
    KIND_TAG,
    STAGE_ACTIVE,
    entity_keys,
    experiments,
    run_texts,
    runs,
)

__all__ = ["FindOperations"]

_KINDS: dict[int, Literal["metric", "param"]] = {KIND_METRIC: "metric", KIND_PARAM: "param"}
_LOOKED_AT = 1_000
"""Runs with such a name of which those in use are given: newer ones that were deleted stand before them."""

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{3,}")
_RUN = runs.c.run_id, runs.c.name, runs.c.experiment_id, runs.c.status, runs.c.start_time


class FindOperations(StoreCore):
    """The part of a store that finds what somebody half remembers."""

    def find_by_name(self, request: f.FindByName) -> f.FindByNameResponse:
        text = limits.check_length(required(request.text, "text"), limits.MAX_KEY_CHARACTERS, "text")
        most = limits.check_max_results(request.max_results, limits.MAX_FOUND)

        def work(connection: Connection) -> f.FindByNameResponse:
            set_time_limit(connection, int(settings.SEARCH_SECONDS.get() * 1000))
            with deadline():
                return f.FindByNameResponse(
                    experiments=_experiments(connection, text, most),
                    runs=_runs(connection, text, most),
                    models=_models(connection, text, most),
                    keys=_keys(connection, text, most),
                )

        return self.db.read(work)


def _has(connection: Connection, column: Any, text: str) -> Any:
    return dialect_of(connection).ilike(column, f"%{text}%")


def _experiments(connection: Connection, text: str, most: int) -> list[f.FoundExperiment]:
    c = experiments.c
    query = select(c.experiment_id, c.name).where(c.stage == STAGE_ACTIVE, _has(connection, c.name, text))
    rows = connection.execute(query.order_by(c.last_update_time.desc(), c.experiment_id.desc()).limit(most))
    return [f.FoundExperiment(str(number), name) for number, name in rows]


def _runs(connection: Connection, text: str, most: int) -> list[f.FoundRun]:
    found: list[Any] = []
    if _RUN_ID.fullmatch(text):
        dialect = dialect_of(connection)
        begins = dialect.starts(runs.c.run_id, text)
        if begins is None:
            begins = dialect.like(runs.c.run_id, f"{text.replace('_', '%')}%")
        by_id = select(*_RUN).where(runs.c.stage == STAGE_ACTIVE, begins).order_by(runs.c.run_id)
        found += connection.execute(by_id.limit(most)).all()
    # The name stands in the tag too, whose index holds nothing else: to look through runs would read their documents.
    keys = select(entity_keys.c.key_id).where(entity_keys.c.kind == KIND_TAG, entity_keys.c.name == RUN_NAME_TAG)
    named = select(run_texts.c.run).where(run_texts.c.key_id.in_(keys), _has(connection, run_texts.c.value, text))
    newest = named.order_by(run_texts.c.run.desc()).limit(_LOOKED_AT).subquery()
    by_name = select(*_RUN).join_from(newest, runs, runs.c.run == newest.c.run).where(runs.c.stage == STAGE_ACTIVE)
    found += connection.execute(by_name.order_by(newest.c.run.desc()).limit(most)).all()
    return [_run(row) for row in _once(found)][:most]


def _once(rows: Iterable[Any]) -> Iterable[Any]:
    return {row.run_id: row for row in rows}.values()


def _run(row: Any) -> f.FoundRun:
    return f.FoundRun(row.run_id, row.name, str(row.experiment_id), RunStatus.NAMES[row.status], row.start_time)


def _models(connection: Connection, text: str, most: int) -> list[f.FoundModel]:
    c = registered_models.c
    query = select(c.name).where(_has(connection, c.name, text)).order_by(c.last_update_time.desc(), c.name)
    return [f.FoundModel(name) for name in connection.scalars(query.limit(most))]


def _keys(connection: Connection, text: str, most: int) -> list[f.FoundKey]:
    c = entity_keys.c
    query = (
        select(c.kind, c.name, func.count(), func.max(c.experiment_id))
        .where(c.kind.in_(_KINDS), _has(connection, c.name, text))
        .group_by(c.kind, c.name)
        .order_by(c.name, c.kind)
        .limit(most)
    )
    return [f.FoundKey(_KINDS[kind], name, count, str(last)) for kind, name, count, last in connection.execute(query)]
