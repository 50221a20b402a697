"""The contract of changes of many runs at once; a part of that of the table of runs."""

from __future__ import annotations

from typing import Any

import pytest

from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import metrics as m
from stele.schema import run_changes as rc
from stele.schema import runs as r
from stele.stores.base import TrackingStore
from stele.testing.run_table_calls import (
    CrowdContract,
    ids,
    new_run,
    table,
)

__all__ = ["RunChangesContract"]


class RunChangesContract(CrowdContract):
    """Tests of one change of many runs."""

    def test_bulk_tags(self, store: TrackingStore, experiment: str) -> None:
        runs = [new_run(store, experiment, tags={"team": "x"}) for _ in range(3)]
        request = rc.ChangeRuns(run_ids=[*runs, runs[0]], action="set_tag", key="team", value="y")
        store.set_tag(r.SetTag(run_id=runs[0], key="team", value="y"))
        assert store.change_runs(request).changed == 2
        assert store.change_runs(request).changed == 0
        search = r.SearchRuns(experiment_ids=[experiment], filter="tags.team = 'y'")
        found = store.search_runs(search).runs
        assert {run.info.run_id for run in found} == set(runs)
        assert {run.data.tags["team"] for run in found} == {"y"}
        delete = rc.ChangeRuns(run_ids=runs[:2], action="delete_tag", key="team")
        assert store.change_runs(delete).changed == 2
        assert store.change_runs(delete).changed == 0
        assert [run.info.run_id for run in store.search_runs(search).runs] == [runs[2]]

    def test_bulk_names(self, store: TrackingStore, experiment: str) -> None:
        run_id = new_run(store, experiment)
        request = rc.ChangeRuns(run_ids=[run_id], action="set_tag", key="mlflow.runName", value="renamed")
        assert store.change_runs(request).changed == 1
        assert store.get_run(r.GetRun(run_id=run_id)).run.info.run_name == "renamed"

    def test_bulk_delete_and_restore(self, store: TrackingStore, experiment: str) -> None:
        runs = [new_run(store, experiment, start=start) for start in (2, 1)]
        assert store.change_runs(rc.ChangeRuns(run_ids=runs, action="delete")).changed == 2
        assert store.change_runs(rc.ChangeRuns(run_ids=runs, action="delete")).changed == 0
        assert ids(table(store, experiment)) == []
        assert store.change_runs(rc.ChangeRuns(run_ids=runs[:1], action="restore")).changed == 1
        assert ids(table(store, experiment)) == runs[:1]

    def test_bulk_archive(self, store: TrackingStore, experiment: str) -> None:
        run_id = new_run(store, experiment)
        for action, changed in (("archive", 1), ("archive", 0), ("unarchive", 1), ("unarchive", 0)):
            assert store.change_runs(rc.ChangeRuns(run_ids=[run_id], action=action)).changed == changed  # type: ignore[arg-type]
        assert ids(table(store, experiment)) == [run_id]

    def test_bulk_is_all_or_nothing(self, store: TrackingStore, experiment: str) -> None:
        runs = [new_run(store, experiment) for _ in range(2)]
        deleted = new_run(store, experiment)
        store.delete_run(r.DeleteRun(run_id=deleted))
        for others, error in (("missing", DoesNotExist), (deleted, InvalidParameterValue)):
            for action in ("archive", "set_tag"):
                request = rc.ChangeRuns(run_ids=[*runs, others], action=action, key="t", value="1")
                with pytest.raises(error, match=others):
                    store.change_runs(request)
        with pytest.raises(DoesNotExist, match="missing"):
            store.change_runs(rc.ChangeRuns(run_ids=[*runs, "missing"], action="delete"))
        assert set(ids(table(store, experiment))) == set(runs)
        assert store.search_runs(r.SearchRuns(experiment_ids=[experiment], filter="tags.t = '1'")).runs == []

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"run_ids": []}, "run_ids has 0"),
            ({"run_ids": [str(number) for number in range(10_001)]}, "run_ids has 10001"),
            ({"action": "set_tag"}, "key"),
            ({"action": "set_tag", "key": "../x"}, "x"),
            ({"action": "delete_tag"}, "key"),
            ({"action": "destroy"}, "action"),
        ],
    )
    def test_bad_bulk(self, store: TrackingStore, experiment: str, change: dict[str, Any], named: str) -> None:
        arguments: dict[str, Any] = {"run_ids": [new_run(store, experiment)], "action": "archive"}
        with pytest.raises(InvalidParameterValue, match=named):
            store.change_runs(rc.ChangeRuns(**arguments | change))

    def test_history_is_untouched(self, store: TrackingStore, experiment: str) -> None:
        run_id = new_run(store, experiment, metrics={"loss": 1.0})
        store.change_runs(rc.ChangeRuns(run_ids=[run_id], action="archive"))
        [point] = store.get_metric_history(m.GetMetricHistory(run_id=run_id, metric_key="loss")).metrics
        assert point.value == 1.0
