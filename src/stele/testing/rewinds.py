"""The contract of rewinding and forking: what is read equals what a list of points in memory would show."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import metrics as m
from stele.schema import rewinds as w
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.stores.base import TrackingStore

__all__ = ["RewindContract"]

Point = tuple[int, int, float]
"""Step, timestamp, value."""


class Model:
    """What a run must show: the points of each key, and what each rewind that is not undone took away."""

    def __init__(self, points: dict[str, set[Point]] | None = None) -> None:
        self.points: dict[str, set[Point]] = {key: set(items) for key, items in (points or {}).items()}
        self.taken: list[tuple[int, dict[str, set[Point]]]] = []

    def log(self, key: str, points: set[Point]) -> None:
        self.points.setdefault(key, set()).update(points)

    def rewind(self, step: int) -> None:
        self.taken.append((step, self._take(step)))

    def undo(self) -> None:
        step, before = self.taken.pop()
        instead = self._take(step)
        for key, items in before.items():
            self.log(key, items)
        if any(instead.values()):
            self.taken.append((step, instead))

    def fork(self, step: int | None) -> Model:
        shared = {key: {p for p in items if step is None or p[0] <= step} for key, items in self.points.items()}
        return Model(shared)

    def _take(self, step: int) -> dict[str, set[Point]]:
        taken = {key: {p for p in items if p[0] > step} for key, items in self.points.items()}
        for key, items in taken.items():
            self.points[key] -= items
        return taken

    def shown(self) -> dict[str, list[Point]]:
        return {key: sorted(items) for key, items in self.points.items() if items}


KEYS = ("a", "b")
steps = st.integers(0, 9)
batches = st.lists(st.tuples(st.sampled_from(KEYS), steps, st.sampled_from((1.0, 2.0, 3.0))), min_size=1, max_size=8)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("log"), batches),
        st.tuples(st.just("rewind"), steps),
        st.tuples(st.just("undo"), st.none()),
        st.tuples(st.just("fork"), st.none() | steps),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("switch"), st.integers(0, 3)),
    ),
    max_size=14,
)


class RewindContract:
    """A test module subclasses it and defines ``store``, and ``compact``, a function that compacts everything."""

    @pytest.fixture
    def experiment(self, store: TrackingStore) -> str:
        """The id of an experiment for all of these tests."""
        return store.create_experiment(e.CreateExperiment(name=f"rewind-{uuid.uuid4().hex}")).experiment_id

    @given(plan=actions)
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    def test_any_history_shows_what_it_should(
        self, store: TrackingStore, experiment: str, compact: Callable[[], None], plan: list[tuple[str, object]]
    ) -> None:
        models = [(new_run(store, experiment), Model())]
        current = 0
        for action, argument in plan:
            run_id, model = models[current]
            match action, argument:
                case "log", list(points):
                    log(store, run_id, points)
                    for key, step, value in points:
                        model.log(key, {(step, step, value)})
                case "rewind", int(step):
                    store.rewind_run(w.RewindRun(run_id=run_id, step=step))
                    model.rewind(step)
                case "undo", _ if model.taken:
                    store.undo_rewind(w.UndoRewind(run_id=run_id))
                    model.undo()
                case "fork", step if len(models) < 4:
                    request = r.CreateRun(experiment_id=experiment, fork_from=run_id, fork_step=step)  # type: ignore[arg-type]
                    models.append((store.create_run(request).run.info.run_id, model.fork(step)))  # type: ignore[arg-type]
                case "compact", _:
                    compact()
                case "switch", int(place):
                    current = place % len(models)
        for run_id, model in models:
            check(store, run_id, model)

    def test_rewind_tells_and_records(self, store: TrackingStore, experiment: str) -> None:
        run_id = new_run(store, experiment)
        log(store, run_id, [("a", step, 1.0) for step in range(10)])
        assert store.rewind_run(w.RewindRun(run_id=run_id, step=3)).hidden_points == 6
        log(store, run_id, [("a", 4, 9.0)])
        undone = store.undo_rewind(w.UndoRewind(run_id=run_id))
        assert (undone.hidden_points, undone.restored_points) == (1, 6)
        listed = store.list_rewinds(w.ListRewinds(run_id=run_id)).rewinds
        assert [(item.step, item.undone_time is None) for item in listed] == [(3, False), (3, True)]
        assert all(item.principal and item.creation_time > 0 for item in listed)

    def test_points_that_were_logged_twice_count_once(
        self, store: TrackingStore, experiment: str, compact: Callable[[], None]
    ) -> None:
        run_id = new_run(store, experiment)
        for value, first, last in ((1.0, 0, 10), (2.0, 5, 8)):
            for _ in range(2):
                log(store, run_id, [("a", step, value) for step in range(first, last)])
                compact()
            log(store, run_id, [("a", step, value) for step in range(first, last)])
            if value == 1.0:
                assert store.rewind_run(w.RewindRun(run_id=run_id, step=4)).hidden_points == 5
        for expected in ((3, 5), (5, 3), (3, 5)):
            undone = store.undo_rewind(w.UndoRewind(run_id=run_id))
            assert (undone.hidden_points, undone.restored_points) == expected

    def test_a_fork_counts_what_it_shares(self, store: TrackingStore, experiment: str) -> None:
        parent = new_run(store, experiment)
        log(store, parent, [("a", step, 1.0) for step in range(10)])
        request = r.CreateRun(experiment_id=experiment, fork_from=parent)
        fork = store.create_run(request).run.info.run_id
        assert store.rewind_run(w.RewindRun(run_id=fork, step=3)).hidden_points == 6
        log(store, fork, [("a", 4, 2.0)])
        undone = store.undo_rewind(w.UndoRewind(run_id=fork))
        assert (undone.hidden_points, undone.restored_points) == (1, 6)

    def test_undoing_undos_of_a_fork(self, store: TrackingStore, experiment: str, compact: Callable[[], None]) -> None:
        parent = new_run(store, experiment)
        log(store, parent, [("a", step, 1.0) for step in range(10)])
        fork = store.create_run(r.CreateRun(experiment_id=experiment, fork_from=parent)).run.info.run_id
        model = Model({"a": {(step, step, 1.0) for step in range(10)}})
        store.rewind_run(w.RewindRun(run_id=fork, step=3))
        model.rewind(3)
        log(store, fork, [("a", step, 2.0) for step in range(4, 7)])
        model.log("a", {(step, step, 2.0) for step in range(4, 7)})
        for _ in range(3):
            store.undo_rewind(w.UndoRewind(run_id=fork))
            model.undo()
            check(store, fork, model)
            compact()

    def test_undoing_a_rewind_of_a_fork_whose_parent_was_rewound(self, store: TrackingStore, experiment: str) -> None:
        parent = new_run(store, experiment)
        log(store, parent, [("a", 1, 1.0), ("b", 5, 2.0), ("b", 6, 3.0)])
        fork = store.create_run(r.CreateRun(experiment_id=experiment, fork_from=parent)).run.info.run_id
        store.rewind_run(w.RewindRun(run_id=parent, step=3))  # which has no b any more
        assert store.rewind_run(w.RewindRun(run_id=fork, step=3)).hidden_points == 2
        assert store.undo_rewind(w.UndoRewind(run_id=fork)).restored_points == 2
        check(store, fork, Model({"a": {(1, 1, 1.0)}, "b": {(5, 5, 2.0), (6, 6, 3.0)}}))

    def test_a_fork_undoes_an_undoing(self, store: TrackingStore, experiment: str) -> None:
        grandparent, first = new_run(store, experiment), Model()
        runs = [(grandparent, first)]
        for step, value in ((8, 1.0), (12, 2.0), (None, 3.0)):
            run_id, model = runs[-1]
            points = [("a", step, value) for step in range(10 + len(runs) * 4)]
            log(store, run_id, points)
            model.log("a", {(step, step, value) for _, step, _ in points})
            request = r.CreateRun(experiment_id=experiment, fork_from=run_id, fork_step=step)
            runs.append((store.create_run(request).run.info.run_id, model.fork(step)))
        fork, model = runs[-1]
        for step in (10, 4):
            store.rewind_run(w.RewindRun(run_id=fork, step=step))
            model.rewind(step)
            log(store, fork, [("a", step + 1, -1.0)])
            model.log("a", {(step + 1, step + 1, -1.0)})
        for _ in range(5):
            store.undo_rewind(w.UndoRewind(run_id=fork))
            model.undo()
            for run_id, expected in runs:
                check(store, run_id, expected)

    def test_rewind_of_nothing(self, store: TrackingStore, experiment: str) -> None:
        run_id = new_run(store, experiment)
        assert store.rewind_run(w.RewindRun(run_id=run_id, step=-5)).hidden_points == 0
        log(store, run_id, [("a", 1, 1.0)])
        assert histories(store, run_id) == {"a": [(1, 1, 1.0)]}

    def test_summaries_follow(self, store: TrackingStore, experiment: str) -> None:
        run_id = new_run(store, experiment)
        log(store, run_id, [("a", step, float(step)) for step in range(10)])
        log(store, run_id, [("late", 8, 5.0)])
        store.rewind_run(w.RewindRun(run_id=run_id, step=3))
        assert store.get_run(r.GetRun(run_id=run_id)).run.data.metrics == {"a": 3.0}
        for filter_string, hits in (
            ("max(metrics.a) = 3 AND count(metrics.a) = 4 AND mean(metrics.a) = 1.5", 1),
            ("metrics.late > 0", 0),
        ):
            query = r.SearchRuns(experiment_ids=[experiment], filter=f"{filter_string} AND run_id = '{run_id}'")
            assert len(store.search_runs(query).runs) == hits
        store.undo_rewind(w.UndoRewind(run_id=run_id))
        assert store.get_run(r.GetRun(run_id=run_id)).run.data.metrics == {"a": 9.0, "late": 5.0}

    def test_fork_is_a_run_of_its_own(self, store: TrackingStore, experiment: str) -> None:
        parent = new_run(store, experiment)
        log(store, parent, [("a", step, float(step)) for step in range(10)])
        request = r.CreateRun(experiment_id=experiment, fork_from=parent, fork_step=4)
        fork = store.create_run(request).run.info.run_id
        log(store, fork, [("a", 5, 50.0)])
        log(store, parent, [("a", 2, -1.0), ("a", 10, 10.0)])  # what comes later is the parent's alone
        found = store.get_run(r.GetRun(run_id=fork)).run.data
        assert found.metrics == {"a": 50.0}
        assert found.tags["stele.fork.from"] == parent
        assert found.tags["stele.fork.step"] == "4"
        assert [value for *_, value in histories(store, fork)["a"]] == [0.0, 1.0, 2.0, 3.0, 4.0, 50.0]
        query = r.SearchRuns(experiment_ids=[experiment], filter=f"count(metrics.a) = 6 AND run_id = '{fork}'")
        assert len(store.search_runs(query).runs) == 1

    def test_long_series_are_shared_and_parted(
        self, store: TrackingStore, experiment: str, compact: Callable[[], None]
    ) -> None:
        parent = new_run(store, experiment)
        for start in range(0, 30_000, 1_000):
            log(store, parent, [("a", step, step / 7) for step in range(start, start + 1_000)])
        compact()
        request = r.CreateRun(experiment_id=experiment, fork_from=parent, fork_step=20_000)
        fork = store.create_run(request).run.info.run_id
        store.rewind_run(w.RewindRun(run_id=parent, step=12_345))
        log(store, fork, [("a", 20_001, -1.0)])
        compact()
        expected = [(step, step, step / 7) for step in range(20_001)]
        assert histories(store, parent)["a"] == expected[:12_346]
        assert histories(store, fork)["a"] == [*expected, (20_001, 20_001, -1.0)]
        query = m.GetMetricHistoryBulkInterval(run_ids=[fork], metric_key="a", start_step=19_999, end_step=20_001)
        points = store.get_metric_history_bulk_interval(query).metrics
        assert [point.step for point in points] == [19_999, 20_000, 20_001]

    def test_what_cannot_be_done(self, store: TrackingStore, experiment: str) -> None:
        run_id = new_run(store, experiment)
        with pytest.raises(InvalidParameterValue, match="no rewind"):
            store.undo_rewind(w.UndoRewind(run_id=run_id))
        with pytest.raises(InvalidParameterValue, match="step"):
            store.rewind_run(w.RewindRun(run_id=run_id, step=2**63 - 1))
        with pytest.raises(InvalidParameterValue, match="fork_step 3 is given without fork_from"):
            store.create_run(r.CreateRun(experiment_id=experiment, fork_step=3))
        missing = uuid.uuid4().hex
        for call in (
            lambda: store.rewind_run(w.RewindRun(run_id=missing, step=1)),
            lambda: store.undo_rewind(w.UndoRewind(run_id=missing)),
            lambda: store.list_rewinds(w.ListRewinds(run_id=missing)),
            lambda: store.create_run(r.CreateRun(experiment_id=experiment, fork_from=missing)),
        ):
            with pytest.raises(DoesNotExist, match=missing):
                call()
        with pytest.raises(InvalidParameterValue, match="experiment"):
            store.create_run(r.CreateRun(experiment_id="0", fork_from=run_id))
        store.delete_run(r.DeleteRun(run_id=run_id))
        with pytest.raises(InvalidParameterValue, match="deleted"):
            store.create_run(r.CreateRun(experiment_id=experiment, fork_from=run_id))


def new_run(store: TrackingStore, experiment: str) -> str:
    """The id of a fresh run."""
    return store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id


def log(store: TrackingStore, run_id: str, points: list[tuple[str, int, float]]) -> None:
    """Log (key, step, value); the time of a point is its step."""
    metrics = [Metric(key, value, step, step) for key, step, value in points]
    store.log_batch(r.LogBatch(run_id=run_id, metrics=metrics))


def histories(store: TrackingStore, run_id: str) -> dict[str, list[Point]]:
    """(step, timestamp, value) of the points of each key that a run has."""
    result = {}
    for key in store.get_run(r.GetRun(run_id=run_id)).run.data.metrics:
        points = store.get_metric_history(m.GetMetricHistory(run_id=run_id, metric_key=key)).metrics
        result[key] = [(point.step, point.timestamp, point.value) for point in points]
    return result


def check(store: TrackingStore, run_id: str, model: Model) -> None:
    """What a run shows, in histories and summaries."""
    shown = model.shown()
    assert histories(store, run_id) == shown
    metrics = store.get_run(r.GetRun(run_id=run_id)).run.data.metrics
    assert metrics == {key: points[-1][2] for key, points in shown.items()}
    experiment = store.get_run(r.GetRun(run_id=run_id)).run.info.experiment_id
    for key, points in shown.items():
        values = [value for *_, value in points]
        text = f"count(metrics.{key}) = {len(points)} AND min(metrics.{key}) = {min(values)}"
        text += f" AND max(metrics.{key}) = {max(values)} AND first(metrics.{key}) = {values[0]}"
        query = r.SearchRuns(experiment_ids=[experiment], filter=f"{text} AND run_id = '{run_id}'")
        assert len(store.search_runs(query).runs) == 1, text
