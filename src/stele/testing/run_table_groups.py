"""The contract of groups, keys, values and columns; a part of that of the table of runs."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from stele.schema import run_table as t
from stele.schema import runs as r
from stele.schema.run_table import RunColumn
from stele.stores.base import TrackingStore
from stele.testing.run_table_calls import (
    LOSS,
    OPTIMIZER,
    TEAM,
    CrowdContract,
    new_run,
    table,
)

__all__ = ["RunGroupsContract"]


class RunGroupsContract(CrowdContract):
    """Tests of what is summed up."""

    def test_groups_are_summed_up(self, store: TrackingStore, experiment: str) -> None:
        for start, (team, loss) in enumerate(
            [("x", 1.0), ("y", math.nan), ("x", 2.0), (None, math.inf), ("x", math.nan), ("y", None), (None, 4.0)]
        ):
            tags, metrics = {"team": team} if team else {}, {} if loss is None else {"loss": loss}
            new_run(store, experiment, start=start, tags=tags, metrics=metrics)
        request = t.GroupRuns(experiment_ids=[experiment], group_by=[TEAM], aggregates=[LOSS])
        found = store.group_runs(request)
        assert [(group.key, group.count, group.aggregates) for group in found.groups] == [
            ([None], 2, [t.GroupFigures(2, 4.0, 4.0, math.inf)]),
            (["y"], 2, [t.GroupFigures(1, None, None, None)]),
            (["x"], 3, [t.GroupFigures(3, 1.5, 1.0, 2.0)]),
        ]
        assert found.total == 3
        request.offset, request.max_groups, request.order_by = 1, 1, ["metrics.loss"]
        assert [group.key for group in store.group_runs(request).groups] == [[None]]

    def test_a_mean_is_no_infinity(self, store: TrackingStore, experiment: str) -> None:
        for value in (1.5e308, 1.5e308, 0.0):
            new_run(store, experiment, metrics={"loss": value})
        request = t.GroupRuns(experiment_ids=[experiment], group_by=[TEAM], aggregates=[LOSS])
        [group] = store.group_runs(request).groups
        [figures] = group.aggregates
        assert figures.mean == pytest.approx(1e308)
        assert (figures.count, figures.min, figures.max) == (3, 0.0, 1.5e308)

    def test_no_group(self, store: TrackingStore, experiment: str) -> None:
        request = t.GroupRuns(experiment_ids=[experiment], group_by=[TEAM], aggregates=[LOSS])
        assert store.group_runs(request) == t.GroupRunsResponse(groups=[], total=0)

    def test_groups_count_every_run_once(self, store: TrackingStore, crowd: str) -> None:
        columns = [OPTIMIZER, RunColumn("param", "p"), TEAM, RunColumn("attribute", "status")]
        found = store.group_runs(t.GroupRuns(experiment_ids=[crowd], group_by=columns))
        rows = table(store, crowd, columns=columns).rows
        expected = Counter(tuple(row.values) for row in rows)
        assert {tuple(group.key): group.count for group in found.groups} == expected
        assert [tuple(group.key) for group in found.groups] == list(expected)  # by the first run of each
        assert all(sum(group.statuses.values()) == group.count for group in found.groups)

    # -- keys, values, columns

    def test_keys_are_counted(self, store: TrackingStore, experiment: str) -> None:
        new_run(store, experiment, params={"lr": "0.1", "Mixed": "1"}, tags={"team": "x"}, metrics={"loss": 1.0})
        new_run(store, experiment, params={"lr": "1e-3", "Mixed": "one"}, metrics={"loss": 1.0, "val/loss": 2.0})
        gone = new_run(store, experiment, params={"lr": "fast", "gone": "1"}, metrics={"loss": 1.0})
        store.delete_run(r.DeleteRun(run_id=gone))
        found = store.list_run_keys(t.ListRunKeys(experiment_ids=[experiment]))
        assert [(key.kind, key.name, key.runs, key.numeric) for key in found.keys] == [
            ("metric", "loss", 2, True),
            ("metric", "val/loss", 1, True),
            ("param", "Mixed", 2, False),
            ("param", "lr", 2, True),
            ("tag", "mlflow.runName", 2, False),
            ("tag", "team", 1, False),
        ]
        assert found.total == 6
        request = t.ListRunKeys(experiment_ids=[experiment], kinds=["metric", "param"], contains="M", max_results=1)
        some = store.list_run_keys(request)
        assert ([key.name for key in some.keys], some.total) == (["Mixed"], 1)
        store.restore_run(r.RestoreRun(run_id=gone))
        again = store.list_run_keys(t.ListRunKeys(experiment_ids=[experiment], kinds=["param"]))
        assert [(key.name, key.runs, key.numeric) for key in again.keys] == [
            ("lr", 3, False),
            ("Mixed", 2, False),
            ("gone", 1, True),
        ]

    def test_values_are_described(self, store: TrackingStore, experiment: str) -> None:
        for value in ("1", "10", "10", "1000", "10000", None):
            new_run(store, experiment, params={"lr": value} if value else {"word": "a"})
        request = t.DescribeValues(experiment_ids=[experiment], column=RunColumn("param", "lr"))
        found = store.describe_values(request)
        assert (found.runs, found.distinct, found.numeric, found.min, found.max) == (5, 4, True, 1.0, 10_000.0)
        assert found.common == [t.ValueCount("10", 2), *(t.ValueCount(value, 1) for value in ("1", "1000", "10000"))]
        assert found.histogram is not None
        assert found.histogram.log
        assert (len(found.histogram.counts), sum(found.histogram.counts)) == (12, 5)
        assert (found.histogram.edges[0], found.histogram.edges[-1]) == (1.0, 10_000.0)
        words = store.describe_values(t.DescribeValues(experiment_ids=[experiment], column=RunColumn("param", "word")))
        assert (words.runs, words.numeric, words.min, words.histogram) == (1, False, None, None)
        nothing = store.describe_values(t.DescribeValues(experiment_ids=[experiment], column=RunColumn("tag", "none")))
        assert (nothing.runs, nothing.distinct, nothing.numeric, nothing.common) == (0, 0, False, [])

    def test_values_of_a_metric_are_described(self, store: TrackingStore, experiment: str) -> None:
        for value in (1.0, 1.0, -3.0, math.nan, math.inf):
            new_run(store, experiment, metrics={"loss": value})
        request = t.DescribeValues(experiment_ids=[experiment], column=LOSS, filter="metrics.loss != 9")
        found = store.describe_values(request)
        assert (found.runs, found.distinct, found.min, found.max) == (5, 4, -3.0, 1.0)
        assert found.common[0] == t.ValueCount(1.0, 2)
        assert {item.value for item in found.common} == {1.0, -3.0, "NaN", "Infinity"}
        assert found.histogram is not None
        assert found.histogram.counts == [1, *[0] * 10, 2]

    def test_whole_columns(self, store: TrackingStore, crowd: str) -> None:
        columns = [LOSS, RunColumn("metric", "other", "mean"), OPTIMIZER, TEAM, RunColumn("attribute", "start_time")]
        selection: dict[str, Any] = {"filter": "metrics.other < 0.9", "order_by": ["metrics.loss", "params.p DESC"]}
        rows = table(store, crowd, columns=columns, **selection).rows
        found = store.read_columns(t.ReadColumns(experiment_ids=[crowd], columns=columns, **selection))
        assert found.run_ids == [row.run_id for row in rows]
        assert found.names == [row.name for row in rows]
        assert found.statuses == [row.status for row in rows]
        assert found.columns == [[row.values[place] for row in rows] for place in range(len(columns))]
        few = store.read_columns(t.ReadColumns(experiment_ids=[crowd], max_runs=3, **selection))
        assert (few.run_ids, few.matched) == (found.run_ids[:3], len(rows))

    def test_what_differs(self, store: TrackingStore, experiment: str) -> None:
        long = "a" * 300
        for value in ("1", "2"):
            new_run(
                store,
                experiment,
                params={"same": "x", "other": value, "long": long + value, "long same": long},
                tags={"mlflow.runName": "name", **({"only": "1"} if value == "1" else {})},
                metrics={"loss": math.nan, "rate": float(value), "half": math.nan if value == "1" else 1.0},
            )
        found = store.differing_columns(t.DifferingColumns(experiment_ids=[experiment]))
        assert [(column.kind, column.key) for column in found.differing] == [
            ("metric", "half"),
            ("metric", "rate"),
            ("param", "long"),
            ("param", "other"),
            ("tag", "only"),
        ]
        assert found.equal == 4
        one = store.differing_columns(t.DifferingColumns(experiment_ids=[experiment], filter="params.other = '1'"))
        assert (one.differing, one.equal) == ([], 9)

    def test_a_trailing_space_is_a_difference(self, store: TrackingStore, experiment: str) -> None:
        for value in ("a", "a "):
            new_run(store, experiment, params={"p": value}, tags={"mlflow.runName": "name"})
        found = store.differing_columns(t.DifferingColumns(experiment_ids=[experiment]))
        assert [column.key for column in found.differing] == ["p"]
