"""The part of the contract of a tracking store that is about params, tags and metrics of a run."""

from __future__ import annotations

import math
import threading

import pytest

from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.schema.runs import Param, RunTag
from stele.stores.base import TrackingStore
from stele.testing.tracking_calls import history_of, stored_run

__all__ = ["TrackedValuesContract"]


class TrackedValuesContract:
    """Tests of what a run keeps; the fixtures are those of ``TrackingStoreContract``."""

    # -- params and tags

    def test_param_is_written_once(self, store: TrackingStore, run: str) -> None:
        for _ in range(2):
            store.log_param(r.LogParam(run_id=run, key="lr", value="0.1"))
        with pytest.raises(InvalidParameterValue, match=r"0\.2"):
            store.log_param(r.LogParam(run_id=run, key="lr", value="0.2"))
        assert stored_run(store, run).data.params == {"lr": "0.1"}

    def test_tag_is_replaced_and_deleted(self, store: TrackingStore, run: str) -> None:
        for value in ("1", "2"):
            store.set_tag(r.SetTag(run_id=run, key="k", value=value))
        assert stored_run(store, run).data.tags["k"] == "2"
        store.delete_tag(r.DeleteTag(run_id=run, key="k"))
        assert "k" not in stored_run(store, run).data.tags
        with pytest.raises(DoesNotExist):
            store.delete_tag(r.DeleteTag(run_id=run, key="k"))

    def test_long_values_are_cut(self, store: TrackingStore, run: str) -> None:
        store.log_param(r.LogParam(run_id=run, key="p", value="x" * 7_000))
        store.log_param(r.LogParam(run_id=run, key="p", value="x" * 6_500))
        store.set_tag(r.SetTag(run_id=run, key="t", value="é" * 9_000))
        data = stored_run(store, run).data
        assert (len(data.params["p"]), data.tags["t"]) == (6_000, "é" * 8_000)

    def test_empty_value(self, store: TrackingStore, run: str) -> None:
        store.log_param(r.LogParam(run_id=run, key="p"))
        assert stored_run(store, run).data.params == {"p": ""}

    @pytest.mark.parametrize(
        "key", ["", "a" * 251, "/a", "a/", "a//b", "../a", "a/../b", ".", "..", "a\0b", "a;b", "a'b", "a\nb", "a*", "$"]
    )
    def test_bad_key(self, store: TrackingStore, run: str, key: str) -> None:
        before = stored_run(store, run)
        good = Metric("good", 1.0, 1, 1)
        for batch in (
            r.LogBatch(run_id=run, metrics=[good, Metric(key, 1.0, 1, 1)]),
            r.LogBatch(run_id=run, metrics=[good], params=[Param("p", "v"), Param(key, "v")]),
            r.LogBatch(run_id=run, metrics=[good], tags=[RunTag("t", "v"), RunTag(key, "v")]),
        ):
            with pytest.raises(InvalidParameterValue, match=r"\[1\]\.key"):
                store.log_batch(batch)
        assert stored_run(store, run) == before

    @pytest.mark.parametrize("key", ["a", "a/b.c-d_e f:g", "ÄÖ漢字", "0" * 250, "a..b"])
    def test_good_key(self, store: TrackingStore, run: str, key: str) -> None:
        batch = r.LogBatch(
            run_id=run, metrics=[Metric(key, 2.0, 1, 1)], params=[Param(key, "v")], tags=[RunTag(key, "w")]
        )
        store.log_batch(batch)
        data = stored_run(store, run).data
        assert (data.metrics[key], data.params[key], data.tags[key]) == (2.0, "v", "w")

    # -- batches

    def test_batch_is_atomic(self, store: TrackingStore, run: str) -> None:
        store.log_param(r.LogParam(run_id=run, key="p", value="old"))
        before = stored_run(store, run)
        batch = r.LogBatch(
            run_id=run,
            metrics=[Metric("m", 1.0, 1, 1)],
            params=[Param("q", "1"), Param("p", "new")],
            tags=[RunTag("t", "1")],
        )
        with pytest.raises(InvalidParameterValue, match="old"):
            store.log_batch(batch)
        assert stored_run(store, run) == before
        assert store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key="m")).metrics == []

    def test_key_of_a_refused_batch_is_made_anew(self, store: TrackingStore, experiment: str, run: str) -> None:
        store.log_param(r.LogParam(run_id=run, key="p", value="1"))
        with pytest.raises(InvalidParameterValue, match="written once"):
            store.log_batch(
                r.LogBatch(run_id=run, params=[r.Param("p", "2")], tags=[r.RunTag("refused", "x")]),
            )
        for key in ("other", "refused"):
            store.set_tag(r.SetTag(run_id=run, key=key, value=key))
        search = r.SearchRuns(experiment_ids=[experiment], filter="tags.other = 'other' AND tags.refused = 'refused'")
        assert [found.info.run_id for found in store.search_runs(search).runs] == [run]

    def test_batch_limits(self, store: TrackingStore, run: str) -> None:
        metrics = [Metric(f"m{i}", 1.0, 1, 1) for i in range(1_001)]
        params = [Param(f"p{i}", "1") for i in range(101)]
        tags = [RunTag(f"t{i}", "1") for i in range(101)]
        for batch in (
            r.LogBatch(run_id=run, metrics=metrics),
            r.LogBatch(run_id=run, params=params),
            r.LogBatch(run_id=run, tags=tags),
            r.LogBatch(run_id=run, metrics=metrics[:1_000], tags=tags[:1]),
            r.LogBatch(run_id=run, params=[Param("p", "1"), Param("p", "1")]),
        ):
            with pytest.raises(InvalidParameterValue):
                store.log_batch(batch)
        assert stored_run(store, run).data.metrics == {}
        store.log_batch(r.LogBatch(run_id=run, metrics=metrics[:800], params=params[:100], tags=tags[:100]))
        data = stored_run(store, run).data
        assert (len(data.metrics), len(data.params), len(data.tags)) == (800, 100, 101)

    def test_last_of_equal_tags_wins(self, store: TrackingStore, run: str) -> None:
        store.log_batch(r.LogBatch(run_id=run, tags=[RunTag("t", "1"), RunTag("t", "2")]))
        assert stored_run(store, run).data.tags["t"] == "2"

    @pytest.mark.parametrize("run_id", ["a b", "../x", "x" * 257, "-a", "a;b"])
    def test_malformed_run_id_in_batch(self, store: TrackingStore, run_id: str) -> None:
        with pytest.raises(InvalidParameterValue, match="run_id"):
            store.log_batch(r.LogBatch(run_id=run_id))

    # -- metrics

    def test_history_order_and_duplicates(self, store: TrackingStore, run: str) -> None:
        points = [(3.0, 20, 2), (1.0, 10, 5), (2.0, 20, 2), (1.0, 10, 5), (4.0, 20, 1)]
        for value, timestamp, step in points:
            store.log_metric(r.LogMetric(run_id=run, key="k", value=value, timestamp=timestamp, step=step))
        assert history_of(store, run, "k") == [(10, 5, 1.0), (20, 1, 4.0), (20, 2, 2.0), (20, 2, 3.0)]

    def test_latest_is_greatest_step_then_time_then_value(self, store: TrackingStore, run: str) -> None:
        for value, timestamp, step in [(1.0, 100, 3), (9.0, 5, 2), (2.0, 100, 3), (1.5, 99, 3)]:
            store.log_metric(r.LogMetric(run_id=run, key="k", value=value, timestamp=timestamp, step=step))
            assert stored_run(store, run).data.metrics["k"] in (1.0, 2.0)
        assert stored_run(store, run).data.metric_list == [Metric("k", 2.0, 100, 3)]

    def test_values_that_are_not_finite(self, store: TrackingStore, run: str) -> None:
        values = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "max": 1.7976931348623157e308, "tiny": 5e-324}
        metrics = [Metric(key, value, 1, 1) for key, value in values.items()]
        for _ in range(2):
            store.log_batch(r.LogBatch(run_id=run, metrics=metrics))
        found = stored_run(store, run).data.metrics
        assert math.isnan(found.pop("nan"))
        assert found == {key: value for key, value in values.items() if key != "nan"}
        history = history_of(store, run, "nan")
        assert len(history) == 1
        assert math.isnan(history[0][2])

    def test_nan_counts_as_zero_among_equals(self, store: TrackingStore, run: str) -> None:
        store.log_batch(r.LogBatch(run_id=run, metrics=[Metric("k", v, 1, 1) for v in (math.nan, -1.0)]))
        assert math.isnan(stored_run(store, run).data.metrics["k"])
        store.log_batch(r.LogBatch(run_id=run, metrics=[Metric("k", 1.0, 1, 1)]))
        assert stored_run(store, run).data.metrics["k"] == 1.0

    def test_extreme_steps(self, store: TrackingStore, run: str) -> None:
        for step in (-(2**63), 0, 2**63 - 1):
            store.log_metric(r.LogMetric(run_id=run, key="k", value=1.0, timestamp=2**62, step=step))
        assert [step for _, step, _ in history_of(store, run, "k")] == [-(2**63), 0, 2**63 - 1]

    @pytest.mark.parametrize(("timestamp", "step"), [(-1, 0), (2**63, 0), (0, 2**63), (0, -(2**63) - 1)])
    def test_bad_time_or_step(self, store: TrackingStore, run: str, timestamp: int, step: int) -> None:
        with pytest.raises(InvalidParameterValue):
            store.log_batch(r.LogBatch(run_id=run, metrics=[Metric("k", 1.0, timestamp, step)]))

    def test_history_pages(self, store: TrackingStore, run: str) -> None:
        metrics = [Metric("k", float(i % 7), i // 3, i) for i in range(100)]
        store.log_batch(r.LogBatch(run_id=run, metrics=[*metrics, Metric("other", 1.0, 1, 1)]))
        whole = history_of(store, run, "k")
        assert len(whole) == 100
        query = m.GetMetricHistory(run_id=run, metric_key="k", max_results=30)
        sizes, found = [], []
        while True:
            page = store.get_metric_history(query)
            sizes.append(len(page.metrics))
            found += [(x.timestamp, x.step, x.value) for x in page.metrics]
            if not page.next_page_token:
                break
            query.page_token = page.next_page_token
        assert (found, sizes) == (whole, [30, 30, 30, 10])

    def test_no_token_behind_a_page_that_is_exactly_full(self, store: TrackingStore, run: str) -> None:
        store.log_batch(r.LogBatch(run_id=run, metrics=[Metric("k", 1.0, i, i) for i in range(10)]))
        page = store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key="k", max_results=10))
        assert (len(page.metrics), page.next_page_token) == (10, "")

    @pytest.mark.parametrize("token", ["x", "e30=", "WzFd", "Ww==", "é", "WzAsIDEsICIweDFwOTk5OSJd"])
    def test_foreign_history_token(self, store: TrackingStore, run: str, token: str) -> None:
        store.log_metric(r.LogMetric(run_id=run, key="k", value=1.0, timestamp=1))
        with pytest.raises(InvalidParameterValue, match="page_token"):
            store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key="k", max_results=1, page_token=token))

    def test_history_of_nothing(self, store: TrackingStore, run: str) -> None:
        assert history_of(store, run, "never logged") == []
        assert history_of(store, "0" * 32, "k") == []

    def test_bulk_interval_keeps_both_ends(self, store: TrackingStore, experiment: str) -> None:
        runs = [store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id for _ in range(2)]
        for run_id in runs:
            store.log_batch(r.LogBatch(run_id=run_id, metrics=[Metric("k", float(i), i, i) for i in range(500)]))
        query = m.GetMetricHistoryBulkInterval(run_ids=runs, metric_key="k", max_results=20)
        points = store.get_metric_history_bulk_interval(query).metrics
        for run_id in runs:
            steps = [point.step for point in points if point.run_id == run_id]
            assert (steps[0], steps[-1], len(steps)) == (0, 499, 20)
        query.start_step, query.end_step = 100, 110
        points = store.get_metric_history_bulk_interval(query).metrics
        assert sorted({point.step for point in points}) == list(range(100, 111))

    @pytest.mark.parametrize(
        "query",
        [
            m.GetMetricHistoryBulkInterval(run_ids=[], metric_key="k"),
            m.GetMetricHistoryBulkInterval(run_ids=["a"] * 101, metric_key="k"),
            m.GetMetricHistoryBulkInterval(run_ids=["a"], metric_key=""),
            m.GetMetricHistoryBulkInterval(run_ids=["a"], metric_key="k", max_results=2501),
            m.GetMetricHistoryBulkInterval(run_ids=["a"], metric_key="k", max_results=0),
            m.GetMetricHistoryBulkInterval(run_ids=["a"], metric_key="k", start_step=1),
            m.GetMetricHistoryBulkInterval(run_ids=["a"], metric_key="k", start_step=2, end_step=1),
        ],
    )
    def test_bad_bulk_interval(self, store: TrackingStore, query: m.GetMetricHistoryBulkInterval) -> None:
        with pytest.raises(InvalidParameterValue):
            store.get_metric_history_bulk_interval(query)

    # -- many at once

    def test_writers_of_one_run_lose_nothing(self, store: TrackingStore, run: str) -> None:
        failures: list[BaseException] = []

        def write(writer: int) -> None:
            try:
                for i in range(10):
                    store.log_batch(
                        r.LogBatch(
                            run_id=run,
                            metrics=[Metric(f"m{writer}", float(i), i, i), Metric("shared", float(writer), i, i)],
                            params=[Param(f"p{writer}.{i}", "1")],
                            tags=[RunTag(f"t{writer}", str(i))],
                        )
                    )
            except BaseException as e:
                failures.append(e)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        data = stored_run(store, run).data
        assert {f"t{i}": "9" for i in range(4)}.items() <= data.tags.items()
        assert len(data.params) == 40
        assert len(history_of(store, run, "shared")) == 40
        assert data.metrics == {f"m{i}": 9.0 for i in range(4)} | {"shared": 3.0}
