"""The contract of finding by name, for every :class:`~stele.stores.base.TrackingStore`."""

from __future__ import annotations

import uuid

import pytest

from stele.errors import InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import finding as f
from stele.schema import registered_models as rm
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.stores.base import TrackingStore

__all__ = ["FindContract"]


class FindContract:
    """Tests of finding."""

    @pytest.fixture
    def word(self) -> str:
        """A word that nothing else has in its name."""
        return uuid.uuid4().hex[:12]

    @pytest.fixture
    def experiment(self, store: TrackingStore, word: str) -> str:
        """The id of an experiment with the word in its name."""
        return store.create_experiment(e.CreateExperiment(name=f"Vision {word.upper()} ä")).experiment_id

    def test_things_of_all_kinds_are_found_by_a_part_of_their_name(
        self, store: TrackingStore, word: str, experiment: str
    ) -> None:
        run = new_run(store, experiment, f"big-{word}-net", start_time=5)
        store.log_batch(
            r.LogBatch(
                run_id=run,
                metrics=[Metric(f"val/{word}", 1.0, 1, 1)],
                params=[r.Param(f"{word}.lr", "1")],
                tags=[r.RunTag(f"tag {word}", "1")],
            )
        )
        store.create_registered_model(rm.CreateRegisteredModel(name=f"model {word}"))
        for text in (word, word.upper(), word[2:-2]):
            found = find(store, text)
            assert found.experiments == [f.FoundExperiment(experiment, f"Vision {word.upper()} ä")]
            assert found.runs == [f.FoundRun(run, f"big-{word}-net", experiment, "RUNNING", 5)]
            assert found.models == [f.FoundModel(f"model {word}")]
            assert found.keys == [
                f.FoundKey("param", f"{word}.lr", 1, experiment),
                f.FoundKey("metric", f"val/{word}", 1, experiment),
            ]
        assert find(store, f"{word} Ä").experiments == find(store, word).experiments
        assert find(store, f"{word}x") == f.FindByNameResponse()

    def test_the_newest_runs_come_first_and_no_more_than_asked_for(
        self, store: TrackingStore, word: str, experiment: str
    ) -> None:
        made = [new_run(store, experiment, f"{word} {number}") for number in range(4)]
        assert [run.run_id for run in find(store, word).runs] == made[::-1]
        assert [run.run_id for run in find(store, word, most=2).runs] == made[:1:-1]
        store.update_run(r.UpdateRun(run_id=made[0], run_name="other"))
        assert [run.run_id for run in find(store, word).runs] == made[:0:-1]

    def test_a_run_is_found_by_the_beginning_of_its_id_first(
        self, store: TrackingStore, word: str, experiment: str
    ) -> None:
        ids = [word + uuid.uuid4().hex[12:] for _ in range(2)]
        by_id = new_run(store, experiment, "plain", run_id=ids[0])
        by_name = new_run(store, experiment, f"like {ids[0]}")
        for text in (word, ids[0][:20], ids[0]):
            assert [run.run_id for run in find(store, text).runs] == [by_id, by_name]
        both = new_run(store, experiment, ids[1], run_id=ids[1])
        assert [run.run_id for run in find(store, ids[1]).runs] == [both]

    def test_what_is_deleted_is_not_found(self, store: TrackingStore, word: str, experiment: str) -> None:
        kept, gone = (new_run(store, experiment, f"{word} {name}") for name in ("kept", "gone"))
        store.delete_run(r.DeleteRun(run_id=gone))
        assert [run.run_id for run in find(store, word).runs] == [kept]
        assert find(store, gone).runs == []
        store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
        assert find(store, word) == f.FindByNameResponse()

    def test_a_key_is_given_once_with_its_latest_experiment(
        self, store: TrackingStore, word: str, experiment: str
    ) -> None:
        other = store.create_experiment(e.CreateExperiment(name=uuid.uuid4().hex)).experiment_id
        for number in (experiment, other):
            metrics = [Metric(word, 1.0, 1, 1)]
            store.log_batch(r.LogBatch(run_id=new_run(store, number, "x"), metrics=metrics))
        assert find(store, word).keys == [f.FoundKey("metric", word, 2, other)]

    @pytest.mark.parametrize("text", ["'; DROP TABLE runs; --", "[a-z]*", "\\", "(", "é" * 250, "a\nb", "*", "?"])
    def test_texts_are_only_texts(self, store: TrackingStore, word: str, experiment: str, text: str) -> None:
        run = new_run(store, experiment, f"{word}{text}"[:500])
        new_run(store, experiment, word)
        assert [found.run_id for found in find(store, f"{word}{text}"[:250]).runs] == [run]

    @pytest.mark.parametrize(("text", "most"), [("", 10), ("x" * 251, 10), ("nul\0", 10), ("x", 0), ("x", 51)])
    def test_what_cannot_be_looked_for(self, store: TrackingStore, text: str, most: int) -> None:
        with pytest.raises(InvalidParameterValue):
            find(store, text, most)


def find(store: TrackingStore, text: str, most: int = 10) -> f.FindByNameResponse:
    """What is found."""
    return store.find_by_name(f.FindByName(text=text, max_results=most))


def new_run(store: TrackingStore, experiment: str, name: str, *, run_id: str = "", start_time: int = 1) -> str:
    """A fresh run."""
    request = r.CreateRun(experiment_id=experiment, run_name=name, run_id=run_id, start_time=start_time)
    return store.create_run(request).run.info.run_id
