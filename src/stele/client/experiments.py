"""The experiment of new runs, and the fluent functions about experiments."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from stele import settings
from stele.client.calls.experiments import ARCHIVE_PREFIX, missing_tags
from stele.client.client import Client
from stele.client.paged_list import all_pages
from stele.errors import AlreadyExists, InvalidParameterValue, Unavailable, shown
from stele.limits import DEFAULT_PAGE
from stele.schema.enums import LifecycleStage, ViewType
from stele.schema.experiments import Experiment

__all__ = [
    "archive_experiment",
    "check_experiment_tags",
    "create_experiment",
    "current_experiment_id",
    "delete_experiment",
    "delete_experiment_tag",
    "get_experiment",
    "get_experiment_by_name",
    "rename_experiment",
    "reset",
    "restore_archived_experiment",
    "restore_experiment",
    "search_experiments",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
]

_DEFAULT_ID = "0"


class _Active(Struct, frozen=True):
    tracking_uri: str
    experiment_id: str
    name: str


_active: _Active | None = None


def set_experiment(
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    *,
    tags: dict[str, Any] | None = None,
    required_tags: Iterable[str] = (),
) -> Experiment:
    """Make an experiment the one of new runs, in all threads and in processes started from here.

    Args:
        experiment_name: Its name; an experiment that does not exist is created.
        experiment_id: Its id, instead of the name.
        tags: Tags that it shall have; values become text.
        required_tags: Keys of tags without which the experiment may not be used, such as ``["team"]``.

    Returns:
        The experiment.

    Raises:
        DoesNotExist: No experiment has this id. Offline any id is taken, and the sync says so.
        InvalidParameterValue: Not exactly one of name and id was given, the experiment is deleted, or it lacks a
            required tag.
    """
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidParameterValue("set_experiment needs either experiment_name or experiment_id.")
    client = Client()
    new_tags = {str(key): str(value) for key, value in (tags or {}).items()}
    required = list(required_tags)
    if experiment_id is not None:
        experiment = _with_id(client, experiment_id)
    else:
        assert experiment_name is not None
        experiment = _get_or_create(client, experiment_name, new_tags, required)
    if experiment.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameterValue(
            f"The experiment {shown(experiment.name)} (id {experiment.experiment_id}) is deleted. "
            f"Restore it with restore_experiment({experiment.experiment_id!r}) or choose another name."
        )
    _demand_tags(experiment.name, experiment.tags | new_tags, required)
    changed = {key: value for key, value in new_tags.items() if experiment.tags.get(key) != value}
    for key, value in changed.items():
        client.set_experiment_tag(experiment.experiment_id, key, value)
    if changed:
        experiment = _with_id(client, experiment.experiment_id)
    _activate(_Active(client.tracking_uri, experiment.experiment_id, experiment.name))
    return experiment


def _with_id(client: Client, experiment_id: str) -> Experiment:
    """The experiment with an id; offline one of which nothing else is known, as a name is taken there, too."""
    try:
        return client.get_experiment(experiment_id)
    except Unavailable:
        if not settings.OFFLINE.get():
            raise
        return Experiment(experiment_id, "", "", LifecycleStage.ACTIVE)


def _get_or_create(client: Client, name: str, tags: dict[str, str], required: list[str]) -> Experiment:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        _demand_tags(name, tags, required)
        try:
            return client.get_experiment(client.create_experiment(name, tags=tags))
        except AlreadyExists:  # another process was faster
            experiment = client.find_experiment(name)
    return experiment


def _demand_tags(name: str, tags: dict[str, str], required: list[str]) -> None:
    missing = missing_tags(tags, required)
    if missing:
        raise InvalidParameterValue(
            f"The experiment {shown(name)} lacks required tags: {', '.join(missing)}. "
            f"Pass tags={{{missing[0]!r}: ...}} to set_experiment."
        )


def _activate(active: _Active) -> None:
    global _active
    _active = active
    os.environ[settings.EXPERIMENT_NAME.name] = active.name
    os.environ[settings.EXPERIMENT_ID.name] = active.experiment_id


def reset() -> None:
    """Forget the experiment that was set."""
    global _active
    if _active is not None:
        os.environ.pop(settings.EXPERIMENT_NAME.name, None)
        os.environ.pop(settings.EXPERIMENT_ID.name, None)
    _active = None


def current_experiment_id() -> str:
    """The id of the experiment of new runs: the one that was set, else the environment's, else ``0``.

    An experiment that only the environment names is created when it does not exist. After a change of the tracking
    URI the experiment of the same name is looked up, or created, in the new store.
    """
    client = Client()
    if _active is not None and _active.tracking_uri == client.tracking_uri:
        return _active.experiment_id
    name = _active.name if _active is not None else settings.EXPERIMENT_NAME.get()
    if name:
        return set_experiment(name).experiment_id
    return settings.EXPERIMENT_ID.get() or _DEFAULT_ID


def check_experiment_tags(required_tags: Iterable[str], filter_string: str | None = None) -> list[Experiment]:
    """Check that every experiment in use has certain tags, for a CI job.

    The experiment ``Default`` and archived ones are left out.

    Args:
        required_tags: Keys of tags that must not be absent or blank.
        filter_string: Restricts which experiments are checked.

    Returns:
        The experiments that were checked.

    Raises:
        InvalidParameterValue: Some lack a tag; the message names them.
    """
    required = list(required_tags)
    checked = [
        experiment
        for experiment in search_experiments(filter_string=filter_string)
        if experiment.experiment_id != _DEFAULT_ID and not experiment.name.startswith(ARCHIVE_PREFIX)
    ]
    failing = {item.name: missing for item in checked if (missing := missing_tags(item.tags, required))}
    if failing:
        listing = "; ".join(f"{shown(name)} lacks {', '.join(missing)}" for name, missing in failing.items())
        raise InvalidParameterValue(f"{len(failing)} of {len(checked)} experiments lack required tags: {listing}.")
    return checked


def create_experiment(name: str, artifact_location: str | None = None, tags: dict[str, Any] | None = None) -> str:
    """Create an experiment and return its id; see :meth:`stele.Client.create_experiment`."""
    return Client().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str) -> Experiment:
    """An experiment by its id; see :meth:`stele.Client.get_experiment`."""
    return Client().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """An experiment by its name, or None; see :meth:`stele.Client.get_experiment_by_name`."""
    return Client().get_experiment_by_name(name)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[Experiment]:
    """The experiments that a filter finds, over all pages.

    Args:
        view_type: A value of ``ViewType``.
        max_results: How many at most; None means all.
        filter_string: Condition such as ``tags.team = 'risk'``.
        order_by: Clauses such as ``name ASC``; by default the newest come first.

    Raises:
        InvalidParameterValue: An argument is not allowed, or the filter cannot be understood.
    """
    client = Client()
    return all_pages(
        lambda size, token: client.search_experiments(view_type, size, filter_string, order_by, token),
        max_results,
        DEFAULT_PAGE,
    )


def rename_experiment(experiment_id: str, new_name: str) -> None:
    """Give an experiment another name; see :meth:`stele.Client.rename_experiment`."""
    Client().rename_experiment(experiment_id, new_name)


def delete_experiment(experiment_id: str) -> None:
    """Mark an experiment and its runs as deleted; see :meth:`stele.Client.delete_experiment`."""
    Client().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str) -> None:
    """Bring a deleted experiment back; see :meth:`stele.Client.restore_experiment`."""
    Client().restore_experiment(experiment_id)


def archive_experiment(name_or_id: str) -> Experiment:
    """Rename an experiment to ``_archived/<name>``; see :meth:`stele.Client.archive_experiment`."""
    return Client().archive_experiment(name_or_id)


def restore_archived_experiment(name_or_id: str) -> Experiment:
    """Give an archived experiment its name back; see :meth:`stele.Client.restore_archived_experiment`."""
    return Client().restore_archived_experiment(name_or_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag of the current experiment."""
    Client().set_experiment_tag(current_experiment_id(), key, value)


def set_experiment_tags(tags: dict[str, Any]) -> None:
    """Set tags of the current experiment."""
    for key, value in tags.items():
        set_experiment_tag(key, value)


def delete_experiment_tag(key: str) -> None:
    """Remove a tag of the current experiment."""
    Client().delete_experiment_tag(current_experiment_id(), key)
