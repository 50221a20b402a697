"""Experiments: create, find, rename, tag, archive, delete."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from stele.client.calls.base import StoreCalls
from stele.client.paged_list import PagedList
from stele.client.tag_names import ARCHIVED_AT
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.limits import MAX_EXPERIMENT_NAME_CHARACTERS
from stele.schema import experiments as messages
from stele.schema.enums import ViewType, view_name
from stele.schema.experiments import Experiment, ExperimentTag

__all__ = ["ARCHIVE_PREFIX", "ExperimentCalls", "missing_tags"]

ARCHIVE_PREFIX = "_archived/"


def missing_tags(tags: dict[str, str], required: Iterable[str]) -> list[str]:
    """The demanded tags that are absent or blank, in the order of the demand."""
    return [key for key in required if not tags.get(key, "").strip()]


class ExperimentCalls(StoreCalls):
    """The part of a client that is about experiments."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: dict[str, Any] | None = None
    ) -> str:
        """Create an experiment.

        Args:
            name: 1 to 500 characters, unlike the name of any other experiment, deleted ones too.
            artifact_location: URI under which its runs keep files; None leaves it to the store.
            tags: Tags by key; values become text.

        Returns:
            The id of the experiment.

        Raises:
            AlreadyExists: The name is taken.
            InvalidParameterValue: The name, the location or a tag is not allowed.
        """
        request = messages.CreateExperiment(
            name=name,
            artifact_location=artifact_location or "",
            tags=[ExperimentTag(str(key), str(value)) for key, value in (tags or {}).items()],
        )
        return self._store.create_experiment(request).experiment_id

    def get_experiment(self, experiment_id: str) -> Experiment:
        """An experiment by its id, deleted or not.

        Raises:
            DoesNotExist: There is none.
        """
        return self._store.get_experiment(messages.GetExperiment(experiment_id=str(experiment_id))).experiment

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """An experiment by its name, deleted or not; None when there is none."""
        try:
            return self._store.get_experiment_by_name(messages.GetExperimentByName(experiment_name=name)).experiment
        except DoesNotExist:
            return None

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """One page of experiments.

        Args:
            view_type: A value of ``ViewType``.
            max_results: Size of the page, 1 to 50 000.
            filter_string: Condition such as ``name LIKE 'fraud%' AND tags.team = 'risk'``.
            order_by: Clauses such as ``creation_time DESC``.
            page_token: ``token`` of the page before.

        Raises:
            InvalidParameterValue: An argument is not allowed, or the filter cannot be understood.
        """
        request = messages.SearchExperiments(
            filter=filter_string or "",
            order_by=list(order_by or []),
            view_type=view_name(view_type),  # type: ignore[arg-type]  # the name was checked
            page_token=page_token or "",
        )
        if max_results is not None:
            request.max_results = max_results
        response = self._store.search_experiments(request)
        return PagedList(response.experiments, response.next_page_token)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Give an experiment another name.

        Raises:
            AlreadyExists: The name is taken.
            DoesNotExist: There is no such experiment.
            InvalidParameterValue: The name is not allowed, or the experiment is deleted.
        """
        self._store.update_experiment(messages.UpdateExperiment(experiment_id=str(experiment_id), new_name=new_name))

    def delete_experiment(self, experiment_id: str) -> None:
        """Mark an experiment and all its runs as deleted. Nothing is removed; :meth:`restore_experiment` undoes it.

        Raises:
            DoesNotExist: There is no such experiment.
        """
        self._store.delete_experiment(messages.DeleteExperiment(experiment_id=str(experiment_id)))

    def restore_experiment(self, experiment_id: str) -> None:
        """Bring a deleted experiment back, with all its runs.

        Raises:
            DoesNotExist: There is no such experiment.
        """
        self._store.restore_experiment(messages.RestoreExperiment(experiment_id=str(experiment_id)))

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        """Set a tag of an experiment; the value becomes text of at most 20 000 characters.

        Raises:
            DoesNotExist: There is no such experiment.
            InvalidParameterValue: The key or value is not allowed, or the experiment is deleted.
        """
        self._store.set_experiment_tag(
            messages.SetExperimentTag(experiment_id=str(experiment_id), key=key, value=str(value))
        )

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag of an experiment.

        Raises:
            DoesNotExist: There is no such experiment or tag.
        """
        self._store.delete_experiment_tag(messages.DeleteExperimentTag(experiment_id=str(experiment_id), key=key))

    def find_experiment(self, name_or_id: str) -> Experiment:
        """An experiment by name, else by id.

        Raises:
            DoesNotExist: Neither finds one.
        """
        found = self.get_experiment_by_name(name_or_id)
        return found if found is not None else self.get_experiment(name_or_id)

    def archive_experiment(self, name_or_id: str) -> Experiment:
        """Rename an experiment to ``_archived/<name>`` and tag it with the time; its runs stay readable.

        An archived experiment is returned as it is.

        Raises:
            AlreadyExists: Another experiment of that name is in the archive.
            DoesNotExist: There is no such experiment.
            InvalidParameterValue: The new name would have more than 500 characters, or the experiment is deleted.
        """
        experiment = self.find_experiment(name_or_id)
        if experiment.name.startswith(ARCHIVE_PREFIX):
            return experiment
        name = ARCHIVE_PREFIX + experiment.name
        if len(name) > MAX_EXPERIMENT_NAME_CHARACTERS:
            raise InvalidParameterValue(
                f"The experiment name {shown(experiment.name)} is too long to be archived: with {ARCHIVE_PREFIX!r} "
                f"in front it would have {len(name)} characters of at most {MAX_EXPERIMENT_NAME_CHARACTERS}."
            )
        self.rename_experiment(experiment.experiment_id, name)
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        self.set_experiment_tag(experiment.experiment_id, ARCHIVED_AT, moment)
        return self.get_experiment(experiment.experiment_id)

    def restore_archived_experiment(self, name_or_id: str) -> Experiment:
        """Give an archived experiment its name back.

        Args:
            name_or_id: Its name with or without ``_archived/``, or its id.

        Raises:
            AlreadyExists: The name was taken meanwhile.
            DoesNotExist: The archive has no such experiment.
        """
        experiment = self.get_experiment_by_name(ARCHIVE_PREFIX + name_or_id.removeprefix(ARCHIVE_PREFIX))
        experiment = experiment or self.find_experiment(name_or_id)
        if not experiment.name.startswith(ARCHIVE_PREFIX):
            raise DoesNotExist(f"The experiment {shown(experiment.name)} is not archived.")
        self.rename_experiment(experiment.experiment_id, experiment.name.removeprefix(ARCHIVE_PREFIX))
        if ARCHIVED_AT in experiment.tags:
            self.delete_experiment_tag(experiment.experiment_id, ARCHIVED_AT)
        return self.get_experiment(experiment.experiment_id)
