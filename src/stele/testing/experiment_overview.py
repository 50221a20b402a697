"""The contract of the list of experiments with what goes on in them."""

from __future__ import annotations

import time
import uuid

import pytest

from stele.errors import InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import runs as r
from stele.schema.experiment_overview import DescribeExperiments, DescribeExperimentsResponse, ExperimentOverview
from stele.stores.base import TrackingStore

__all__ = ["ExperimentOverviewContract"]

DAY = 86_400_000


def described(store: TrackingStore, prefix: str, **arguments: object) -> DescribeExperimentsResponse:
    """The experiments whose names begin with a text."""
    request = DescribeExperiments(filter=f"name LIKE '{prefix}%'", order_by=["name"], **arguments)  # type: ignore[arg-type]
    return store.describe_experiments(request)


class ExperimentOverviewContract:
    """A test module subclasses it and defines ``store``."""

    @pytest.fixture
    def prefix(self) -> str:
        return f"overview-{uuid.uuid4().hex}"

    @pytest.fixture
    def experiment(self, store: TrackingStore, prefix: str) -> str:
        return store.create_experiment(e.CreateExperiment(name=f"{prefix}-1")).experiment_id

    def one(self, store: TrackingStore, prefix: str) -> ExperimentOverview:
        [found] = described(store, prefix).experiments
        return found

    def test_an_empty_experiment(self, store: TrackingStore, prefix: str, experiment: str) -> None:
        found = self.one(store, prefix)
        assert found.experiment == store.get_experiment(e.GetExperiment(experiment_id=experiment)).experiment
        assert (found.runs, found.archived, found.owner, found.last_activity) == ({}, False, "", None)
        assert found.activity == [0] * 28

    def test_runs_are_summed_up(self, store: TrackingStore, prefix: str, experiment: str) -> None:
        today = time.time_ns() // 1_000_000 // DAY * DAY  # midnight in UTC
        starts = (today, today, today - 3 * DAY + 5, today - 27 * DAY, today - 27 * DAY - 1, today + DAY)
        runs = [
            store.create_run(r.CreateRun(experiment_id=experiment, user_id=f"user {place}", start_time=start)).run.info
            for place, start in enumerate(starts)
        ]
        store.update_run(r.UpdateRun(run_id=runs[2].run_id, status="FAILED", end_time=today + 2 * DAY))
        found = self.one(store, prefix)
        assert found.runs == {"RUNNING": 5, "FAILED": 1}
        assert found.owner == "user 0"
        assert found.last_activity == today + 2 * DAY
        assert {day: count for day, count in enumerate(found.activity) if count} == {0: 1, 24: 1, 27: 2}
        for run in runs[:3]:
            store.delete_run(r.DeleteRun(run_id=run.run_id))
        found = self.one(store, prefix)
        assert (found.runs, found.owner, found.last_activity) == ({"RUNNING": 3}, "user 3", today + DAY)
        assert sum(found.activity) == 1

    def test_tags_say_who_and_whether_archived(self, store: TrackingStore, prefix: str, experiment: str) -> None:
        store.create_run(r.CreateRun(experiment_id=experiment, user_id="somebody"))
        for key, value in (("stele.owner", "ann"), ("stele.archived_at", "2026-11-28T12:00:00Z")):
            store.set_experiment_tag(e.SetExperimentTag(experiment_id=experiment, key=key, value=value))
        found = self.one(store, prefix)
        assert (found.owner, found.archived) == ("ann", True)

    def test_pages_count_everything(self, store: TrackingStore, prefix: str, experiment: str) -> None:
        for number in (2, 3):
            store.create_experiment(e.CreateExperiment(name=f"{prefix}-{number}"))
        first = described(store, prefix, max_results=2)
        second = described(store, prefix, max_results=2, page_token=first.next_page_token)
        names = [item.experiment.name for page in (first, second) for item in page.experiments]
        assert names == [f"{prefix}-{number}" for number in (1, 2, 3)]
        assert (first.matched, second.matched, second.next_page_token) == (3, 3, "")
        assert first.total == second.total >= 4
        store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
        deleted = described(store, prefix, view="DELETED_ONLY")
        assert [item.experiment.experiment_id for item in deleted.experiments] == [experiment]

    @pytest.mark.parametrize("most", [0, 1_001])
    def test_bad_page_size(self, store: TrackingStore, most: int) -> None:
        with pytest.raises(InvalidParameterValue, match=f"max_results {most}"):
            store.describe_experiments(DescribeExperiments(max_results=most))
