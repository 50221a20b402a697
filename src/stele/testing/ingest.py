"""The contract of batches in columns: stored whole or not at all, and once however often they are sent."""

from __future__ import annotations

import math
import threading
import uuid

import pytest

from stele import limits
from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue, SteleError
from stele.schema import experiments as e
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.schema.ingest import Ingest, IngestSeries
from stele.stores.base import TrackingStore

__all__ = ["IngestContract"]


class IngestContract:
    """A test module subclasses it and defines ``store`` and ``twin``, two stores of one database."""

    @pytest.fixture
    def experiment(self, store: TrackingStore) -> str:
        """The id of a fresh experiment."""
        return store.create_experiment(e.CreateExperiment(name=f"ingest-{uuid.uuid4().hex}")).experiment_id

    @pytest.fixture
    def run(self, store: TrackingStore, experiment: str) -> str:
        """The id of a fresh run."""
        return new_run(store, experiment)

    @pytest.fixture
    def sender(self) -> str:
        """The id of a fresh sender."""
        return uuid.uuid4().hex

    def test_columns_are_points(self, store: TrackingStore, run: str, sender: str) -> None:
        values = [0.5, math.nan, math.inf, -math.inf, -0.0]
        answer = store.ingest(batch(sender, 1, column(run, "loss", values), column(run, "acc", [1.0])))
        assert (answer.points, answer.repeated_batch) == (6, False)
        found = history(store, run, "loss")
        assert [(t, s) for t, s, _ in found] == [(1000 + i, i) for i in range(5)]
        assert repr([v for *_, v in found]) == repr(values)
        assert store.get_run(r.GetRun(run_id=run)).run.data.metrics["acc"] == 1.0

    def test_runs_of_several_experiments_in_one_batch(self, store: TrackingStore, experiment: str, sender: str) -> None:
        other = store.create_experiment(e.CreateExperiment(name=f"ingest-{uuid.uuid4().hex}")).experiment_id
        runs = [new_run(store, experiment), new_run(store, other), new_run(store, experiment)]
        store.ingest(batch(sender, 1, *[column(run, "loss", [float(i)]) for i, run in enumerate(runs)]))
        assert [history(store, run, "loss") for run in runs] == [[(1000, 0, float(i))] for i in range(3)]

    def test_repeated_batch_counts_once(self, store: TrackingStore, twin: TrackingStore, run: str, sender: str) -> None:
        for target in (store, twin, store):
            target.ingest(batch(sender, 1, column(run, "loss", [1.0])))
        # Other points under an old number are not stored either: the number decides, not the content.
        answer = twin.ingest(batch(sender, 1, column(run, "loss", [2.0, 3.0])))
        assert (answer.points, answer.repeated_batch) == (2, True)
        assert history(twin, run, "loss") == [(1000, 0, 1.0)]
        assert not store.ingest(batch(sender, 7, column(run, "loss", [1.0, 2.0]))).repeated_batch
        assert twin.ingest(batch(sender, 6, column(run, "loss", [9.0]))).repeated_batch
        assert history(store, run, "loss") == [(1000, 0, 1.0), (1001, 1, 2.0)]

    def test_numbers_belong_to_a_sender(self, store: TrackingStore, run: str, sender: str) -> None:
        store.ingest(batch(sender, 5, column(run, "loss", [1.0])))
        assert not store.ingest(batch(f"{sender}-b", 1, column(run, "loss", [1.0, 2.0]))).repeated_batch

    def test_same_batch_from_many_threads_counts_once(
        self, store: TrackingStore, twin: TrackingStore, run: str, sender: str
    ) -> None:
        fresh: list[int] = []

        def send(target: TrackingStore, value: float) -> None:
            if not target.ingest(batch(sender, 1, column(run, "loss", [value]))).repeated_batch:
                fresh.append(int(value))

        threads = [threading.Thread(target=send, args=((store, twin)[i % 2], float(i))) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(fresh) == 1
        assert history(store, run, "loss") == [(1000, 0, float(fresh[0]))]

    def test_refused_batch_leaves_nothing(self, store: TrackingStore, experiment: str, run: str, sender: str) -> None:
        deleted = new_run(store, experiment)
        store.delete_run(r.DeleteRun(run_id=deleted))
        for bad, error in ((deleted, InvalidParameterValue), (uuid.uuid4().hex, DoesNotExist)):
            with pytest.raises(error, match=bad):
                store.ingest(batch(sender, 1, column(run, "loss", [1.0]), column(bad, "loss", [1.0])))
        assert history(store, run, "loss") == []
        assert not store.ingest(batch(sender, 1, column(run, "loss", [1.0]))).repeated_batch

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"client_id": ""}, "client_id"),
            ({"client_id": "a/b"}, "a/b"),
            ({"client_id": "x" * 65}, "client_id"),
            ({"sequence": 0}, "sequence"),
            ({"sequence": -1}, "sequence"),
            ({"key": ""}, r"series\[0\].key"),
            ({"key": "../x"}, r"series\[0\].key"),
            ({"run_id": "a b"}, r"series\[0\].run_id"),
            ({"steps": [1]}, "1 steps, 2 timestamps and 2 values"),
            ({"timestamps": [5, -3]}, r"series\[0\].timestamps\[1\]"),
        ],
    )
    def test_bad_batch(self, store: TrackingStore, run: str, change: dict[str, object], named: str) -> None:
        fields: dict[str, object] = {
            "client_id": "sender",
            "sequence": 1,
            "run_id": run,
            "key": "loss",
            "steps": [0, 1],
            "timestamps": [0, 1],
            "values": [1.0, 2.0],
        } | change
        series = IngestSeries(*[fields[name] for name in ("run_id", "key", "steps", "timestamps", "values")])  # type: ignore[arg-type]
        with pytest.raises(InvalidParameterValue, match=named):
            store.ingest(Ingest(client_id=fields["client_id"], sequence=fields["sequence"], series=[series]))  # type: ignore[arg-type]

    def test_batch_that_is_too_large(self, store: TrackingStore, run: str, sender: str) -> None:
        many = [0] * (limits.MAX_INGEST_POINTS + 1)
        with pytest.raises(InvalidParameterValue, match="1000001 points"):
            store.ingest(batch(sender, 1, IngestSeries(run, "loss", many, many, [0.0] * len(many))))

    def test_empty_batch_moves_the_number(self, store: TrackingStore, run: str, sender: str) -> None:
        assert store.ingest(batch(sender, 3, IngestSeries(run, "loss", [], [], []))).points == 0
        assert store.ingest(batch(sender, 3, column(run, "loss", [1.0]))).repeated_batch

    def test_hundred_thousand_points_at_once(self, store: TrackingStore, run: str, sender: str) -> None:
        values = [i * 0.5 for i in range(100_000)]
        store.ingest(batch(sender, 1, column(run, "loss", values)))
        assert [value for *_, value in history(store, run, "loss")] == values

    def test_run_with_an_id_of_the_client(self, store: TrackingStore, twin: TrackingStore, experiment: str) -> None:
        run_id = uuid.uuid4().hex
        request = r.CreateRun(experiment_id=experiment, run_id=run_id, run_name="first", start_time=5)
        assert store.create_run(request).run.info.run_id == run_id
        again = twin.create_run(r.CreateRun(experiment_id=experiment, run_id=run_id, run_name="second")).run
        assert (again.info.run_name, again.info.start_time) == ("first", 5)
        with pytest.raises(AlreadyExists, match=run_id):
            store.create_run(r.CreateRun(experiment_id="0", run_id=run_id))

    @pytest.mark.parametrize("run_id", ["abc", "A" * 32, "g" * 32, "a" * 33, "../" + "a" * 29])
    def test_bad_id_of_the_client(self, store: TrackingStore, experiment: str, run_id: str) -> None:
        with pytest.raises(InvalidParameterValue, match="run_id"):
            store.create_run(r.CreateRun(experiment_id=experiment, run_id=run_id))

    def test_one_run_created_by_many_threads(self, store: TrackingStore, twin: TrackingStore, experiment: str) -> None:
        run_id = uuid.uuid4().hex
        failures: list[SteleError] = []

        def create(target: TrackingStore) -> None:
            try:
                target.create_run(r.CreateRun(experiment_id=experiment, run_id=run_id))
            except SteleError as error:
                failures.append(error)

        threads = [threading.Thread(target=create, args=((store, twin)[i % 2],)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


def new_run(store: TrackingStore, experiment: str) -> str:
    """The id of a fresh run."""
    return store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id


def column(run_id: str, key: str, values: list[float]) -> IngestSeries:
    """A series with steps 0, 1, ... and times 1000, 1001, ..."""
    steps = list(range(len(values)))
    return IngestSeries(run_id, key, steps, [1000 + step for step in steps], values)


def batch(sender: str, sequence: int, *series: IngestSeries) -> Ingest:
    """A batch of some series."""
    return Ingest(client_id=sender, sequence=sequence, series=list(series))


def history(store: TrackingStore, run_id: str, key: str) -> list[tuple[int, int, float]]:
    """(timestamp, step, value) of a series."""
    points = store.get_metric_history(m.GetMetricHistory(run_id=run_id, metric_key=key)).metrics
    return [(point.timestamp, point.step, point.value) for point in points]
