"""Experiments with what goes on in them: a few statements for a page, none for an experiment that has not changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from stele import limits, settings
from stele.schema.enums import RunStatus, view_name
from stele.schema.experiment_overview import DescribeExperiments, DescribeExperimentsResponse, ExperimentOverview
from stele.schema.experiments import Experiment
from stele.schema.run_table import EXPERIMENT_ARCHIVED_TAG, OWNER_TAG
from stele.stores.sql.changes import changes_of
from stele.stores.sql.core import StoreCore, now_ms
from stele.stores.sql.experiments import entities
from stele.stores.sql.parts import parts
from stele.stores.sql.raw_columns import raw_rows
from stele.stores.sql.search import ExperimentQuery, count_experiments, deadline, find_experiments, set_time_limit
from stele.stores.sql.search_dialect import dialect_of
from stele.stores.sql.tables import STAGE_ACTIVE, runs

__all__ = ["OverviewOperations"]

_DAYS = 28
_DAY = 86_400_000


@dataclass
class _Activity:
    """What goes on in one experiment: its active runs."""

    statuses: dict[str, int] = field(default_factory=dict)
    last: int | None = None
    first_run: int | None = None
    first_user: str = ""
    days: list[int] = field(default_factory=lambda: [0] * _DAYS)

    nbytes = 1_000


class OverviewOperations(StoreCore):
    """What the list of experiments shows."""

    def describe_experiments(self, request: DescribeExperiments) -> DescribeExperimentsResponse:
        now = now_ms()
        query = ExperimentQuery(
            filter_string=request.filter,
            view=view_name(request.view),
            order_by=request.order_by,
            max_results=limits.check_max_results(request.max_results, limits.MAX_OVERVIEW_PAGE),
            page_token=request.page_token or None,
            now_ms=now,
        )

        def read(connection: Connection) -> DescribeExperimentsResponse:
            set_time_limit(connection, int(settings.SEARCH_SECONDS.get() * 1000))
            page = find_experiments(connection, query)
            total, matched = count_experiments(connection, query)
            with deadline():
                activities = self._activities(connection, page.experiments, now // _DAY)
            found = entities(connection, page.experiments)
            return DescribeExperimentsResponse(
                experiments=[_overview(each, activities[int(each.experiment_id)]) for each in found],
                total=total,
                matched=matched,
                next_page_token=page.next_page_token or "",
            )

        return self.db.read(read)

    def _activities(self, connection: Connection, numbers: Sequence[int], today: int) -> dict[int, _Activity]:
        """What goes on in experiments, by id; ``today`` counts days since 1970."""
        states = dict(changes_of(connection, numbers).runs)
        keys = {number: ("activity", number, states.get(number), today) for number in numbers}
        kept = {number: self.frames.parts.get(key) for number, key in keys.items()}
        missing = [number for number, activity in kept.items() if activity is None]
        fresh = _read(connection, missing, today)
        for number, activity in fresh.items():
            self.frames.parts.keep(keys[number], activity)
        return {number: activity for number, activity in kept.items() if activity is not None} | fresh


def _overview(experiment: Experiment, activity: _Activity) -> ExperimentOverview:
    tags = experiment.tags
    return ExperimentOverview(
        experiment=experiment,
        runs=activity.statuses,
        archived=bool(tags.get(EXPERIMENT_ARCHIVED_TAG)),
        owner=tags.get(OWNER_TAG) or activity.first_user,
        last_activity=activity.last,
        activity=activity.days,
    )


def _read(connection: Connection, numbers: Sequence[int], today: int) -> dict[int, _Activity]:
    """What goes on in experiments: three statements, none for no experiment."""
    found = {number: _Activity() for number in numbers}
    if not found:
        return found
    c = runs.c
    own = dialect_of(connection).numbers(c.experiment_id, numbers), c.stage == STAGE_ACTIVE
    figures = func.count(), func.max(c.start_time), func.max(c.end_time), func.min(c.run)
    query = select(c.experiment_id, c.status, *figures).where(*own).group_by(c.experiment_id, c.status)
    for number, status, count, started, ended, first in raw_rows(connection, query):
        activity = found[number]
        activity.statuses[RunStatus.NAMES[status]] = count
        activity.last = _greatest((activity.last, started, ended))
        activity.first_run = first if activity.first_run is None else min(first, activity.first_run)
    start = (today - _DAYS + 1) * _DAY
    day = ((c.start_time - start) // _DAY).label("day")
    recent = c.start_time >= start, c.start_time < (today + 1) * _DAY
    by_day = select(c.experiment_id, day, func.count()).where(*own, *recent).group_by(c.experiment_id, "day")
    for number, place, count in raw_rows(connection, by_day):
        found[number].days[int(place)] = count
    _add_users(connection, found.values())
    return found


def _add_users(connection: Connection, activities: Iterable[_Activity]) -> None:
    by_run: dict[Any, _Activity] = {each.first_run: each for each in activities if each.first_run is not None}
    for part in parts(by_run):
        for number, user in raw_rows(connection, select(runs.c.run, runs.c.user_id).where(runs.c.run.in_(part))):
            by_run[number].first_user = user


def _greatest(times: Iterable[int | None]) -> int | None:
    return max((time for time in times if time is not None), default=None)
