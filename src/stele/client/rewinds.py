"""Fluent functions about going back in a run."""

from __future__ import annotations

from stele.client.fluent import client_of
from stele.errors import InvalidParameterValue, shown
from stele.schema.rewinds import Rewind, RewindResponse
from stele.schema.runs import Run

__all__ = ["list_rewinds", "rewind", "undo_rewind"]


def rewind(run: str | Run, step: int) -> RewindResponse:
    """Hide the points of a run behind a step; see :meth:`stele.Client.rewind`.

    Args:
        run: The run or its id, active or not.
        step: The last step that stays.
    """
    run_id = _id(run)
    return client_of(run_id).rewind(run_id, step)


def undo_rewind(run: str | Run) -> RewindResponse:
    """Show again what the last rewind of a run hid; see :meth:`stele.Client.undo_rewind`."""
    run_id = _id(run)
    return client_of(run_id).undo_rewind(run_id)


def list_rewinds(run: str | Run) -> list[Rewind]:
    """The rewinds of a run, oldest first; see :meth:`stele.Client.list_rewinds`."""
    run_id = _id(run)
    return client_of(run_id).list_rewinds(run_id)


def _id(run: str | Run) -> str:
    try:
        return run if isinstance(run, str) else run.info.run_id
    except AttributeError as e:
        raise InvalidParameterValue(f"run {shown(run)} is no run and no run id.") from e
