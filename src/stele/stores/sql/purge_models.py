"""Removing deleted logged models for good, and those of deleted experiments.

One that a registered version is stays, deleted or not: the version's files are its own. As with runs, a model is
claimed first, by ``deleted_time = 0``, so that an interrupted purge is carried on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, not_, or_, select, update

from stele.stores.sql.core import StoreCore
from stele.stores.sql.model_tables import (
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_versions,
)
from stele.stores.sql.purge import ROWS_AT_ONCE, PurgeChoice, delete_some
from stele.stores.sql.tables import CLAIMED, STAGE_DELETED, experiments

__all__ = ["DeletedModel", "PurgeModelOperations"]

_m = logged_models.c
_PARTS = (logged_model_metrics, logged_model_params, logged_model_tags)
_REGISTERED = exists().where(model_versions.c.model_id == _m.model_id)


class DeletedModel(Struct, frozen=True):
    """A logged model that may be removed; ``model`` is its row number."""

    model: int
    model_id: str
    name: str
    experiment_id: int
    artifact_uri: str


class PurgeModelOperations(StoreCore):
    """The part of a store that forgets logged models."""

    def count_deleted_models(self, choice: PurgeChoice) -> int:
        """How many logged models may be removed."""
        query = _chosen(select(func.count()).select_from(logged_models), choice)
        return int(self.db.read(lambda c: c.execute(query).scalar_one()))

    def deleted_models(self, choice: PurgeChoice, limit: int, after: DeletedModel | None = None) -> list[DeletedModel]:
        """Logged models that may be removed, in the order in which they were made.

        Args:
            choice: Which ones; none when it names runs.
            limit: How many at most.
            after: The last one of the page before.
        """
        query = _chosen(select(_m.model, _m.model_id, _m.name, _m.experiment_id, _m.artifact_uri), choice)
        if after is not None:
            query = query.where(_m.model > after.model)
        rows = self.db.read(lambda c: c.execute(query.order_by(_m.model).limit(limit)).all())
        return [DeletedModel(*row) for row in rows]

    def claim_models(self, numbers: Sequence[int]) -> list[int]:
        """Begin to remove models: from here on their files may go. Returns those that nobody has registered since."""

        def work(connection: Connection) -> list[int]:
            query = select(_m.model).where(_m.model.in_(numbers), not_(_REGISTERED)).order_by(_m.model)
            found = list(connection.scalars(query.with_for_update()))
            claim = {"stage": STAGE_DELETED, "deleted_time": CLAIMED}
            connection.execute(update(logged_models).where(_m.model.in_(found)).values(**claim))
            return found

        return self.db.write(work)

    def purge_models(self, numbers: Sequence[int]) -> None:
        """Remove every row of claimed models."""
        while not self.db.write(partial(_purge_some, numbers=numbers)):
            pass

    def has_models(self, experiment_id: int) -> bool:
        """Whether an experiment has logged models, in use or deleted."""
        query = select(exists().where(_m.experiment_id == experiment_id))
        return bool(self.db.read(lambda c: c.execute(query).scalar_one()))


def _chosen(query: Select[Any], choice: PurgeChoice) -> Select[Any]:
    e = experiments.c
    deleted: ColumnElement[bool] = _m.stage == STAGE_DELETED
    gone: ColumnElement[bool] = and_(e.stage == STAGE_DELETED, e.experiment_id != 0)
    if choice.deleted_before is not None:
        deleted = and_(deleted, _m.deleted_time <= choice.deleted_before)
        gone = and_(gone, e.last_update_time <= choice.deleted_before)
    with_experiment = exists().where(e.experiment_id == _m.experiment_id, gone)
    query = query.where(or_(deleted, with_experiment), not_(_REGISTERED))
    if choice.run_ids:
        query = query.where(_m.model < 0)  # runs were named, and no model is one
    if choice.experiment_ids:
        query = query.where(_m.experiment_id.in_(choice.experiment_ids))
    return query


def _purge_some(connection: Connection, numbers: Sequence[int]) -> bool:
    """Remove up to ``ROWS_AT_ONCE`` rows of claimed models; True when nothing is left of them."""
    query = select(_m.model).where(_m.model.in_(numbers), _m.deleted_time == CLAIMED).order_by(_m.model)
    claimed = list(connection.scalars(query.with_for_update()))
    left = ROWS_AT_ONCE
    for table in _PARTS:
        gone = delete_some(connection, table, table.c.model.in_(claimed), left)
        if gone == left:  # and there may be more
            return False
        left -= gone
    connection.execute(delete(logged_models).where(_m.model.in_(claimed)))
    return True
