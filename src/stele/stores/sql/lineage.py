"""Where a version comes from: datasets, run, logged model, version, aliases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from stele import limits
from stele.schema import governance as g
from stele.schema.logged_models import LoggedModel
from stele.schema.runs import Run
from stele.stores.sql.core import StoreCore
from stele.stores.sql.model_rows import model_entities
from stele.stores.sql.model_tables import logged_models, model_versions, registered_models
from stele.stores.sql.registry_rows import found_registered, found_version, version_entities
from stele.stores.sql.run_rows import fetch_runs, run_entity
from stele.stores.sql.tables import runs

__all__ = ["LineageOperations"]

_CODE_TAGS = ("mlflow.source.", "stele.git.", "mlflow.user")


class LineageOperations(StoreCore):
    """The part of the registry that looks back."""

    def get_lineage(self, request: g.GetLineage) -> g.LineageResponse:
        def work(connection: Connection) -> g.LineageResponse:
            registered = found_registered(connection, request.name)
            row = found_version(connection, registered, request.version)
            names = {registered.registered: registered.name}
            (version,) = version_entities(connection, names, [row], aliases=True)
            run = self._run(connection, row.run_id)
            code = [tag for tag in run.data.tag_list if tag.key.startswith(_CODE_TAGS)] if run is not None else []
            inputs = run.inputs if run is not None else None
            lineage = g.Lineage(
                version=version,
                model=_model(connection, row.model_id),
                run=None if run is None else run.info,
                code=code,
                datasets=[] if inputs is None else inputs.dataset_inputs,
                input_models=[] if inputs is None else [model.model_id for model in inputs.model_inputs],
                siblings=_siblings(connection, row),
            )
            return g.LineageResponse(lineage=lineage)

        return self.db.read(work)

    def _run(self, connection: Connection, run_id: str) -> Run | None:
        if not run_id:
            return None
        number = connection.scalar(select(runs.c.run).where(runs.c.run_id == run_id))
        found = fetch_runs(connection, self.keys, self.described, [] if number is None else [number])
        return run_entity(found[0], outputs=True) if found else None


def _model(connection: Connection, model_id: str) -> LoggedModel | None:
    row = connection.execute(select(logged_models).where(logged_models.c.model_id == model_id)).one_or_none()
    if row is None:
        return None
    (model,) = model_entities(connection, [row], limits.MAX_MODEL_POINTS_IN_SEARCH)
    return model


def _siblings(connection: Connection, row: Any) -> list[Any]:
    """The other versions that are the same logged model."""
    v, m = model_versions.c, registered_models.c
    if not row.model_id:
        return []
    query = select(model_versions, m.name).join(registered_models, m.registered == v.registered)
    found = connection.execute(query.where(v.model_id == row.model_id).order_by(m.name, v.version)).all()
    others = [other for other in found if (other.registered, other.version) != (row.registered, row.version)]
    return version_entities(connection, {other.registered: other.name for other in others}, others, aliases=True)
