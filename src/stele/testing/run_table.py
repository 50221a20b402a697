"""The contract of the table of runs: windows, trees, groups, columns and keys say what a search would find."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from stele.errors import InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import rewinds as w
from stele.schema import run_changes as rc
from stele.schema import run_table as t
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.schema.run_table import Cell, RunColumn
from stele.stores.base import TrackingStore
from stele.testing.run_table_calls import (
    LOSS,
    OPTIMIZER,
    TEAM,
    ids,
    new_run,
    table,
)
from stele.testing.run_table_changes import RunChangesContract
from stele.testing.run_table_groups import RunGroupsContract

__all__ = ["RunTableContract"]


class RunTableContract(RunGroupsContract, RunChangesContract):
    """A test module subclasses it and defines ``store``."""

    # -- windows

    @pytest.mark.parametrize("view", ["ACTIVE_ONLY", "DELETED_ONLY", "ALL"])
    @pytest.mark.parametrize(
        "filter_string",
        [
            "",
            "metrics.loss > 0 OR metrics.loss IS NULL",
            "NOT (metrics.loss = 0.5 AND tags.team = 'x')",
            "metrics.loss != 1.5 AND params.optimizer IN ('adam', 'sgd')",
            "params.optimizer = 'adam ' OR params.optimizer LIKE 'a%b'",
            "attributes.status NOT IN ('FINISHED', 'FAILED') AND attributes.end_time IS NOT NULL",
            "attributes.run_name LIKE '%3' OR attributes.duration > 1995",
            "max(metrics.loss) >= 1 AND tags.missing IS NULL",
            "params.missing = 'x'",
            "datasets.name = 'none' OR start_time > 1004",
            "start_time < now()",
        ],
    )
    def test_finds_what_a_search_finds(self, store: TrackingStore, crowd: str, filter_string: str, view: Any) -> None:
        search = r.SearchRuns(experiment_ids=[crowd], filter=filter_string, run_view_type=view)
        expected = store.search_runs(search).runs
        found = table(store, crowd, filter=filter_string, view=view, archived="include")
        assert ids(found) == [run.info.run_id for run in expected]
        assert found.statuses == Counter(run.info.status for run in expected)
        assert found.matched == found.rows_total == len(expected)
        everything = r.SearchRuns(experiment_ids=[crowd], run_view_type=view)
        assert found.total == len(store.search_runs(everything).runs)

    @pytest.mark.parametrize(
        "order",
        [
            ["metrics.loss"],
            ["metrics.loss DESC", "params.p"],
            ["mean(metrics.loss) DESC"],
            ["params.p", "metrics.other DESC"],
            ["params.p DESC", "start_time"],
            ["tags.team DESC", "attributes.run_name DESC", "run_id DESC"],
            ["attributes.status", "end_time DESC"],
            ["duration", "attributes.run_id"],
            ["start_time DESC", "tags.team"],
            ["user_id", "artifact_uri DESC"],
            ["params.missing", "metrics.missing DESC"],
        ],
    )
    def test_has_the_order_of_a_search(self, store: TrackingStore, crowd: str, order: list[str]) -> None:
        search = r.SearchRuns(experiment_ids=[crowd], order_by=order)
        expected = [run.info.run_id for run in store.search_runs(search).runs]
        assert ids(table(store, crowd, order_by=order)) == expected

    def test_windows_are_the_whole(self, store: TrackingStore, crowd: str) -> None:
        whole = ids(table(store, crowd, order_by=["metrics.other"]))
        parts = [table(store, crowd, order_by=["metrics.other"], offset=place, max_rows=7) for place in range(0, 60, 7)]
        assert [run_id for part in parts for run_id in ids(part)] == whole
        assert {part.rows_total for part in parts} == {len(whole)}

    def test_counts_alone(self, store: TrackingStore, crowd: str) -> None:
        found = table(store, crowd, max_rows=0)
        assert (found.rows, found.matched) == ([], found.total)
        assert sum(found.statuses.values()) == found.total > 0

    def test_several_experiments(self, store: TrackingStore, crowd: str, experiment: str) -> None:
        new_run(store, experiment, start=1_003, params={"optimizer": "sgd"}, metrics={"loss": 0.7})
        request = t.QueryRunsTable(experiment_ids=[crowd, experiment], order_by=["metrics.loss", "params.p"])
        search = r.SearchRuns(experiment_ids=[crowd, experiment], order_by=request.order_by)
        expected = [run.info.run_id for run in store.search_runs(search).runs]
        assert ids(store.query_runs_table(request)) == expected

    @pytest.mark.parametrize("experiment_ids", [[], ["999999999"]])
    def test_no_experiment(self, store: TrackingStore, experiment_ids: list[str]) -> None:
        found = store.query_runs_table(t.QueryRunsTable(experiment_ids=experiment_ids, filter="params.p = 'x'"))
        assert (found.rows, found.total, found.matched, found.statuses) == ([], 0, 0, {})

    def test_a_param_of_numbers_is_ordered_by_number(self, store: TrackingStore, experiment: str) -> None:
        values = ("10", "9", "1e-3", "-2", "0.5")
        runs = {value: new_run(store, experiment, params={"lr": value, "mixed": value}) for value in values}
        without = new_run(store, experiment, params={"mixed": "ten"})
        found = ids(table(store, experiment, order_by=["params.lr"]))
        assert found == [*(runs[value] for value in ("-2", "1e-3", "0.5", "9", "10")), without]
        texts = sorted((*values, "ten"))
        assert ids(table(store, experiment, order_by=["params.mixed"])) == [runs.get(text, without) for text in texts]

    # -- rows

    def test_rows_say_everything(self, store: TrackingStore, experiment: str) -> None:
        request = r.CreateRun(experiment_id=experiment, user_id="ann", run_name="first", start_time=5)
        run_id = store.create_run(request).run.info.run_id
        for step, value in enumerate((4.0, math.nan, 1.0, 2.0)):
            store.log_metric(r.LogMetric(run_id=run_id, key="loss", value=value, timestamp=1, step=step))
        store.log_metric(r.LogMetric(run_id=run_id, key="high", value=math.inf, timestamp=1))
        store.log_metric(r.LogMetric(run_id=run_id, key="gone", value=math.nan, timestamp=1))
        store.log_param(r.LogParam(run_id=run_id, key="p", value="12"))
        store.set_tag(r.SetTag(run_id=run_id, key="null", value="null"))
        store.update_run(r.UpdateRun(run_id=run_id, status="FAILED", end_time=9))
        expected: list[tuple[RunColumn, Cell]] = [
            (RunColumn("metric", "loss"), 2.0),
            (RunColumn("metric", "loss", "first"), 4.0),
            (RunColumn("metric", "loss", "min"), 1.0),
            (RunColumn("metric", "loss", "max"), 4.0),
            (RunColumn("metric", "loss", "mean"), 7 / 3),
            (RunColumn("metric", "loss", "count"), 4.0),
            (RunColumn("metric", "high"), "Infinity"),
            (RunColumn("metric", "high", "max"), "Infinity"),
            (RunColumn("metric", "gone"), "NaN"),
            (RunColumn("metric", "gone", "min"), "NaN"),
            (RunColumn("metric", "missing"), None),
            (RunColumn("metric", "missing", "max"), None),
            (RunColumn("param", "p"), "12"),
            (RunColumn("param", "missing"), None),
            (RunColumn("tag", "null"), "null"),
            (RunColumn("attribute", "run_name"), "first"),
            (RunColumn("attribute", "status"), "FAILED"),
            (RunColumn("attribute", "user_id"), "ann"),
            (RunColumn("attribute", "duration"), 4.0),
        ]
        columns = [column for column, _ in expected]
        [row] = table(store, experiment, columns=columns).rows
        assert dict(zip(columns, row.values, strict=True)) == dict(expected)
        assert (row.run_id, row.experiment_id, row.name, row.status) == (run_id, experiment, "first", "FAILED")
        assert (row.start_time, row.end_time, row.user_id, row.lifecycle_stage) == (5, 9, "ann", "active")
        assert (row.archived, row.parent_run_id, row.depth, row.children) == (False, "", 0, 0)
        assert (row.matched, row.expanded) == (True, False)
        read = store.read_columns(t.ReadColumns(experiment_ids=[experiment], columns=columns))
        assert [cells for [cells] in read.columns] == [cell for _, cell in expected]

    def test_a_run_with_very_many_metrics(self, store: TrackingStore, experiment: str) -> None:
        wide = new_run(store, experiment, start=2)
        for start in (0, 1_000):
            metrics = [Metric(f"m{number}", float(number), 1, 1) for number in range(start, start + 1_000)]
            store.log_batch(r.LogBatch(run_id=wide, metrics=metrics))
        narrow = new_run(store, experiment, start=1, metrics={"m7": math.nan, "m1500": 2.0})
        columns = [RunColumn("metric", key) for key in ("m7", "m1500", "m2000")]
        rows = table(store, experiment, columns=[*columns, RunColumn("metric", "m7", "max")]).rows
        assert {row.run_id: row.values for row in rows} == {
            wide: [7.0, 1500.0, None, 7.0],
            narrow: ["NaN", 2.0, None, "NaN"],
        }

    def test_pinned_runs_come_as_they_are_named(self, store: TrackingStore, crowd: str, experiment: str) -> None:
        elsewhere = new_run(store, experiment, metrics={"loss": 3.0})
        chosen = ids(table(store, crowd, filter="tags.team = 'x'"))[:2]
        other = ids(table(store, crowd, filter="tags.team = 'y'"))[0]
        named = [other, elsewhere, "missing", *chosen, other]
        columns = [LOSS, RunColumn("metric", "loss", "max")]
        found = table(store, crowd, filter="tags.team = 'x'", run_ids=named, columns=columns)
        assert ids(found) == [other, elsewhere, *chosen]
        assert [row.matched for row in found.rows] == [False, False, True, True]
        assert found.rows[1].values == [3.0, 3.0]
        assert found.rows_total == found.matched > 2

    def test_archived_runs_hide(self, store: TrackingStore, experiment: str) -> None:
        shown, hidden = (new_run(store, experiment, start=start) for start in (1, 2))
        store.change_runs(rc.ChangeRuns(run_ids=[hidden], action="archive"))
        assert ids(table(store, experiment)) == [shown]
        assert ids(table(store, experiment, archived="only")) == [hidden]
        everything = table(store, experiment, archived="include")
        assert [(row.run_id, row.archived) for row in everything.rows] == [(hidden, True), (shown, False)]
        assert [table(store, experiment, archived=mode).total for mode in ("exclude", "only", "include")] == [1, 1, 2]

    def test_within_a_group(self, store: TrackingStore, crowd: str) -> None:
        request = t.GroupRuns(experiment_ids=[crowd], group_by=[OPTIMIZER, TEAM])
        groups = store.group_runs(request).groups
        assert len(groups) > 5
        for group in groups:
            within = [t.Condition(column, value) for column, value in zip((OPTIMIZER, TEAM), group.key, strict=True)]
            found = table(store, crowd, within=within, columns=[OPTIMIZER, TEAM])
            assert [row.values for row in found.rows] == [group.key] * group.count
            assert (found.matched, found.statuses) == (group.count, group.statuses)

    # -- what was written is seen

    @pytest.mark.parametrize(
        "change",
        [
            lambda store, run: store.log_metric(r.LogMetric(run_id=run, key="loss", value=9.0, timestamp=2, step=2)),
            lambda store, run: store.log_param(r.LogParam(run_id=run, key="new", value="1")),
            lambda store, run: store.set_tag(r.SetTag(run_id=run, key="team", value="z")),
            lambda store, run: store.delete_tag(r.DeleteTag(run_id=run, key="team")),
            lambda store, run: store.update_run(r.UpdateRun(run_id=run, status="FAILED")),
            lambda store, run: store.update_run(r.UpdateRun(run_id=run, run_name="renamed")),
            lambda store, run: store.delete_run(r.DeleteRun(run_id=run)),
            lambda store, run: store.rewind_run(w.RewindRun(run_id=run, step=0)),
            lambda store, run: store.change_runs(rc.ChangeRuns(run_ids=[run], action="archive")),
            lambda store, run: store.change_runs(rc.ChangeRuns(run_ids=[run], action="delete")),
            lambda store, run: store.create_run(
                r.CreateRun(experiment_id=store.get_run(r.GetRun(run_id=run)).run.info.experiment_id, fork_from=run)
            ),
            lambda store, run: store.delete_experiment(
                e.DeleteExperiment(experiment_id=store.get_run(r.GetRun(run_id=run)).run.info.experiment_id)
            ),
        ],
    )
    def test_a_write_is_seen_by_the_next_read(
        self, store: TrackingStore, experiment: str, change: Callable[[TrackingStore, str], object]
    ) -> None:
        for start in range(3):
            run_id = new_run(store, experiment, start=start, tags={"team": "x"}, metrics={"loss": float(start)})
        columns = [LOSS, RunColumn("metric", "loss", "max"), TEAM, RunColumn("param", "new")]

        def seen() -> tuple[object, ...]:
            selection: dict[str, Any] = {"experiment_ids": [experiment], "order_by": ["metrics.loss DESC", "tags.team"]}
            window = store.query_runs_table(t.QueryRunsTable(columns=columns, **selection))
            read = store.read_columns(t.ReadColumns(columns=columns, **selection))
            assert read.run_ids == ids(window)
            assert read.columns == [[row.values[place] for row in window.rows] for place in range(len(columns))]
            groups = store.group_runs(t.GroupRuns(group_by=[TEAM], aggregates=[LOSS], **selection))
            return window.rows, window.statuses, window.version, groups, window.total

        before = seen()
        assert seen() == before
        change(store, run_id)
        after = seen()
        assert after[:2] != before[:2]
        assert after[2] != before[2]
        assert seen() == after

    # -- trees

    def test_children_stand_below_their_parents(self, store: TrackingStore, experiment: str) -> None:
        root = new_run(store, experiment, start=9)
        lone = new_run(store, experiment, start=8)
        first, second = (new_run(store, experiment, start=start, parent=root) for start in (2, 1))
        deep = new_run(store, experiment, start=3, parent=first, tags={"team": "x"})
        folded = table(store, experiment, tree=True)
        assert [(row.run_id, row.depth, row.children, row.expanded) for row in folded.rows] == [
            (root, 0, 2, False),
            (lone, 0, 0, False),
        ]
        assert (folded.rows_total, folded.matched) == (2, 5)
        unfolded = table(store, experiment, tree=True, expanded=[root, first])
        assert [(row.run_id, row.depth) for row in unfolded.rows] == [
            (root, 0),
            (first, 1),
            (deep, 2),
            (second, 1),
            (lone, 0),
        ]
        assert [row.parent_run_id for row in unfolded.rows] == ["", root, first, root, ""]
        upwards = table(store, experiment, tree=True, expanded=[root], order_by=["start_time"])
        assert ids(upwards) == [lone, root, second, first]
        assert ids(table(store, experiment, tree=True, expanded=[root, first], offset=1, max_rows=2)) == [first, deep]

    def test_parents_of_matches_are_kept(self, store: TrackingStore, experiment: str) -> None:
        root = new_run(store, experiment, start=9)
        new_run(store, experiment, start=8)
        middle, _ = (new_run(store, experiment, start=start, parent=root) for start in (2, 1))
        deep = new_run(store, experiment, start=3, parent=middle, tags={"team": "x"})
        found = table(store, experiment, tree=True, filter="tags.team = 'x'", expanded=[root, middle])
        assert [(row.run_id, row.matched, row.children, row.matching_children) for row in found.rows] == [
            (root, False, 2, 1),
            (middle, False, 1, 1),
            (deep, True, 0, 0),
        ]
        assert (found.matched, found.rows_total, found.total) == (1, 3, 5)

    def test_a_child_without_its_parent_is_at_the_top(self, store: TrackingStore, experiment: str) -> None:
        parent = new_run(store, experiment, start=9)
        child = new_run(store, experiment, start=1, parent=parent)
        orphan = new_run(store, experiment, start=2, parent="missing")
        store.delete_run(r.DeleteRun(run_id=parent))
        assert ids(table(store, experiment, tree=True)) == [orphan, child]

    def test_circles_are_cut(self, store: TrackingStore, experiment: str) -> None:
        one, two, three, own = (new_run(store, experiment, start=start) for start in (4, 3, 2, 1))
        for run_id, parent in ((one, two), (two, one), (three, one), (own, own)):
            store.set_tag(r.SetTag(run_id=run_id, key=t.PARENT_TAG, value=parent))
        found = table(store, experiment, tree=True, expanded=[one, two, own])
        assert [(row.run_id, row.depth) for row in found.rows] == [(one, 0), (two, 0), (three, 0), (own, 0)]

    # -- refusals

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"filter": "metrics.loss >"}, "filter|expected|value"),
            ({"order_by": ["nothing"]}, "nothing"),
            ({"max_rows": 1_001}, "max_rows 1001"),
            ({"max_rows": -1}, "max_rows -1"),
            ({"offset": -1}, "offset -1"),
            ({"columns": [LOSS] * 201}, "columns has 201"),
            ({"columns": [RunColumn("param", "p", "max")]}, "aggregate"),
            ({"columns": [RunColumn("attribute", "nothing")]}, "nothing"),
            ({"columns": [RunColumn("metric", "")]}, r"columns\[0\].key"),
            ({"within": [t.Condition(LOSS, "1")]}, "holds numbers"),
            ({"within": [t.Condition(TEAM, "1")] * 5}, "within has 5"),
            ({"experiment_ids": ["x"]}, "experiment_ids"),
            ({"run_ids": ["x"] * 1_001}, "run_ids has 1001"),
        ],
    )
    def test_bad_window(self, store: TrackingStore, crowd: str, change: dict[str, Any], named: str) -> None:
        with pytest.raises(InvalidParameterValue, match=named):
            store.query_runs_table(t.QueryRunsTable(**{"experiment_ids": [crowd]} | change))

    def test_bad_groups(self, store: TrackingStore, crowd: str) -> None:
        for change, named in (
            ({"group_by": []}, "group_by has 0"),
            ({"group_by": [TEAM] * 5}, "group_by has 5"),
            ({"group_by": [LOSS]}, "holds numbers"),
            ({"group_by": [TEAM], "max_groups": 0}, "max_groups 0"),
        ):
            with pytest.raises(InvalidParameterValue, match=named):
                store.group_runs(t.GroupRuns(experiment_ids=[crowd], **change))
