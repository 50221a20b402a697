"""Saved views in SQL. The row of the experiment is locked while its views change, so that names stay apart."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select, update

from stele import limits
from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue, shown
from stele.schema import views as v
from stele.schema.codec import required
from stele.schema.experiments import Empty
from stele.stores.sql.core import StoreCore, active_experiment, actor, experiment_number, found_experiment, now_ms
from stele.stores.sql.tables import views

__all__ = ["ViewOperations"]

_v = views.c


class ViewOperations(StoreCore):
    """The part of a store that keeps what pages show."""

    def list_views(self, request: v.ListViews) -> v.ListViewsResponse:
        number = experiment_number(request.experiment_id)
        query = select(views).where(_v.experiment_id == number).order_by(_v.name)

        def work(connection: Connection) -> v.ListViewsResponse:
            found_experiment(connection, number)
            return v.ListViewsResponse(views=[_entity(row) for row in connection.execute(query)])

        return self.db.read(work)

    def create_view(self, request: v.CreateView) -> v.ViewResponse:
        number = experiment_number(request.experiment_id)
        name, state, now = _checked_name(request.name), _checked_state(request.state), now_ms()
        row: dict[str, Any] = {
            "view_id": uuid.uuid4().hex,
            "experiment_id": number,
            "name": name,
            "state": state,
            "principal": actor()[: limits.MAX_USER_ID_CHARACTERS],
            "creation_time": now,
            "last_update_time": now,
        }

        def work(connection: Connection) -> v.ViewResponse:
            active_experiment(connection, number, lock=True)
            names = _names(connection, number)
            _refuse_taken(names, name)
            if len(names) >= limits.MAX_VIEWS:
                raise InvalidParameterValue(
                    f"Experiment '{number}' has {len(names)} views, at most {limits.MAX_VIEWS} are allowed. Delete one."
                )
            connection.execute(views.insert(), row)
            return v.ViewResponse(view=_found(connection, row["view_id"]))

        return self.db.write(work)

    def update_view(self, request: v.UpdateView) -> v.ViewResponse:
        changes: dict[str, Any] = {}
        if request.name is not None:
            changes["name"] = _checked_name(request.name)
        if request.state is not None:
            changes["state"] = _checked_state(request.state)

        def work(connection: Connection) -> v.ViewResponse:
            view = _found(connection, request.view_id)
            number = int(view.experiment_id)
            active_experiment(connection, number, lock=True)
            if "name" in changes:
                names = _names(connection, number)
                names.pop(view.view_id, None)
                _refuse_taken(names, changes["name"])
            if changes:
                this = update(views).where(_v.view_id == view.view_id)
                connection.execute(this.values(last_update_time=now_ms(), **changes))
            return v.ViewResponse(view=_found(connection, view.view_id))

        return self.db.write(work)

    def delete_view(self, request: v.ViewId) -> Empty:
        view_id = required(request.view_id, "view_id")

        def work(connection: Connection) -> Empty:
            if not connection.execute(delete(views).where(_v.view_id == view_id)).rowcount:
                raise _no_view(view_id)
            return Empty()

        return self.db.write(work)


def _checked_name(name: str) -> str:
    if not name.strip():
        raise InvalidParameterValue(
            f"name {shown(name)} is empty. A view's name has 1 to {limits.MAX_VIEW_NAME_CHARACTERS} characters."
        )
    return limits.check_length(name, limits.MAX_VIEW_NAME_CHARACTERS, "name")


def _checked_state(state: str) -> str:
    if (size := len(state.encode())) > limits.MAX_VIEW_BYTES:
        raise InvalidParameterValue(f"state has {size} bytes, at most {limits.MAX_VIEW_BYTES} are allowed.")
    try:
        value = msgspec.json.decode(state)
    except (msgspec.DecodeError, RecursionError) as e:
        raise InvalidParameterValue(f"state is not valid JSON: {e}.") from e
    if not isinstance(value, dict):
        raise InvalidParameterValue(f"state must be the text of a JSON object, not {shown(state)}.")
    return state


def _names(connection: Connection, number: int) -> dict[str, str]:
    """The names of an experiment's views by their ids."""
    query = select(_v.view_id, _v.name).where(_v.experiment_id == number)
    return {row.view_id: row.name for row in connection.execute(query)}


def _refuse_taken(names: dict[str, str], name: str) -> None:
    if name in names.values():
        raise AlreadyExists(f"The experiment has a view named {shown(name)} already.")


def _found(connection: Connection, view_id: str) -> v.View:
    row = connection.execute(select(views).where(_v.view_id == required(view_id, "view_id"))).one_or_none()
    if row is None:
        raise _no_view(view_id)
    return _entity(row)


def _no_view(view_id: str) -> DoesNotExist:
    return DoesNotExist(f"No view has the id {shown(view_id)}.")


def _entity(row: Any) -> v.View:
    return v.View(
        view_id=row.view_id,
        experiment_id=str(row.experiment_id),
        name=row.name,
        state=row.state,
        principal=row.principal,
        creation_time=row.creation_time,
        last_update_time=row.last_update_time,
    )
