"""Experiments that are known by name only, because no server could be asked for their id."""

from __future__ import annotations

from typing import Any

import msgspec

from stele.errors import AlreadyExists, DoesNotExist
from stele.schema import experiments as e
from stele.stores.base import TrackingStore

__all__ = ["Experiments", "name_of", "placeholder"]

_PREFIX = "name:"


def placeholder(name: str) -> str:
    """What stands for the id of an experiment until a server is asked."""
    return _PREFIX + name


def name_of(experiment_id: str) -> str | None:
    """The name that a placeholder stands for; None when it is an id."""
    return experiment_id.removeprefix(_PREFIX) if experiment_id.startswith(_PREFIX) else None


class Experiments:
    """Turns placeholders into ids of a store, and makes the experiments that are not there."""

    def __init__(self, store: TrackingStore) -> None:
        self._store = store
        self._ids: dict[str, str] = {}

    def resolved(self, operation: str, request: Any) -> Any:
        """The request with an id in the place of a placeholder; None when nothing is left to be done.

        Raises:
            SteleError: The store cannot be asked now, or refuses the experiment.
        """
        if operation == "create_experiment":
            self._ids[request.name] = self._find_or_create(request)
            return None
        name = name_of(getattr(request, "experiment_id", ""))
        if name is None:
            return request
        if name not in self._ids:
            self._ids[name] = self._find_or_create(e.CreateExperiment(name=name))
        return msgspec.structs.replace(request, experiment_id=self._ids[name])

    def _find_or_create(self, request: e.CreateExperiment) -> str:
        found = self._find(request.name)
        if found is None:
            try:
                return self._store.create_experiment(request).experiment_id
            except AlreadyExists:  # another process was faster
                found = self._find(request.name)
        if found is None:
            raise DoesNotExist(f"The experiment {request.name!r} can neither be found nor made.")
        return found

    def _find(self, name: str) -> str | None:
        try:
            request = e.GetExperimentByName(experiment_name=name)
            return self._store.get_experiment_by_name(request).experiment.experiment_id
        except DoesNotExist:
            return None
