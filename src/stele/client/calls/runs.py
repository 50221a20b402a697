"""Runs: create, find, update, end, delete."""

from __future__ import annotations

from typing import Any

from stele.client.calls.base import StoreCalls, as_tags, integer, milliseconds
from stele.client.paged_list import PagedList, all_pages
from stele.client.tag_names import PARENT_RUN_ID, USER
from stele.limits import DEFAULT_PAGE
from stele.schema import runs as messages
from stele.schema.enums import ViewType, status_name, view_name
from stele.schema.runs import Run, RunInfo

__all__ = ["RunCalls"]


class RunCalls(StoreCalls):
    """The part of a client that is about runs."""

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: dict[str, Any] | None = None,
        run_name: str | None = None,
        fork_from: str | None = None,
        fork_step: int | None = None,
    ) -> Run:
        """Create a run with the status RUNNING. Unlike ``start_run`` this makes nothing active.

        Args:
            experiment_id: The experiment it belongs to.
            start_time: Milliseconds since 1970; None means now.
            tags: Tags by key; values become text.
            run_name: None lets the store invent one.
            fork_from: A run of the same experiment whose points are the beginning of this run's series, shared and not
                copied. Params and tags are not taken over.
            fork_step: The last step that the two share; None for all.

        Raises:
            DoesNotExist: There is no such experiment, or no run to fork.
            InvalidParameterValue: The experiment is deleted, a name or tag is not allowed, or the run to fork is
                deleted or in another experiment.
        """
        request = messages.CreateRun(
            experiment_id=str(experiment_id),
            user_id=str((tags or {}).get(USER, "")),
            run_name=run_name or "",
            start_time=milliseconds(start_time, "start_time"),
            tags=as_tags(tags),
            fork_from=fork_from or "",
            fork_step=None if fork_step is None else integer(fork_step, "fork_step"),
        )
        return self._store.create_run(request).run

    def get_run(self, run_id: str) -> Run:
        """A run with everything that was logged to it, latest values of metrics only; deleted runs too.

        Raises:
            DoesNotExist: There is no such run.
        """
        return self._store.get_run(messages.GetRun(run_id=run_id)).run

    def get_parent_run(self, run_id: str) -> Run | None:
        """The run under which a run is nested; None when it has no parent.

        Raises:
            DoesNotExist: There is no such run.
        """
        parent = self.get_run(run_id).data.tags.get(PARENT_RUN_ID)
        return self.get_run(parent) if parent else None

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Change the status or the name of a run.

        Args:
            run_id: The run.
            status: A name or number of ``RunStatus``.
            name: The new name.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The status or name is not allowed, or the run is deleted.
        """
        self._update(run_id, status, None, name)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """End a run.

        Args:
            run_id: The run.
            status: A name or number of ``RunStatus``; None means FINISHED.
            end_time: Milliseconds since 1970; None means now.

        Raises:
            DoesNotExist: There is no such run.
            InvalidParameterValue: The status is not allowed, or the run is deleted.
        """
        self._update(run_id, status or "FINISHED", milliseconds(end_time, "end_time"), None)

    def _update(self, run_id: str, status: str | int | None, end_time: int | None, name: str | None) -> RunInfo:
        request = messages.UpdateRun(run_id=run_id, end_time=end_time, run_name=name or "")
        if status is not None:
            request.status = status_name(status)  # type: ignore[assignment]  # the name was checked
        return self._store.update_run(request).run_info

    def delete_run(self, run_id: str) -> None:
        """Mark a run as deleted. Nothing is removed; :meth:`restore_run` undoes it.

        Raises:
            DoesNotExist: There is no such run.
        """
        self._store.delete_run(messages.DeleteRun(run_id=run_id))

    def restore_run(self, run_id: str) -> None:
        """Bring a deleted run back.

        Raises:
            DoesNotExist: There is no such run.
        """
        self._store.restore_run(messages.RestoreRun(run_id=run_id))

    def search_runs(
        self,
        experiment_ids: list[str],
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """One page of runs.

        Args:
            experiment_ids: Where to look; unknown ids find nothing.
            filter_string: Condition such as ``metrics.auc > 0.9 AND params.model = 'forest'``.
            run_view_type: A value of ``ViewType``.
            max_results: Size of the page, 1 to 50 000.
            order_by: Clauses such as ``metrics.auc DESC``; ties are ordered by start time, newest first.
            page_token: ``token`` of the page before.

        Raises:
            InvalidParameterValue: An argument is not allowed, or the filter cannot be understood.
        """
        if isinstance(experiment_ids, (str, int)):
            experiment_ids = [experiment_ids]
        request = messages.SearchRuns(
            experiment_ids=[str(experiment_id) for experiment_id in experiment_ids],
            filter=filter_string or "",
            run_view_type=view_name(run_view_type),  # type: ignore[arg-type]  # the name was checked
            max_results=max_results,
            order_by=list(order_by or []),
            page_token=page_token or "",
        )
        response = self._store.search_runs(request)
        return PagedList(response.runs, response.next_page_token)

    def all_runs(
        self,
        experiment_ids: list[str],
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = None,
        order_by: list[str] | None = None,
    ) -> list[Run]:
        """The runs of all pages; see :meth:`search_runs`. None as ``max_results`` means all."""
        return all_pages(
            lambda size, token: self.search_runs(experiment_ids, filter_string, run_view_type, size, order_by, token),
            max_results,
            DEFAULT_PAGE,
        )
