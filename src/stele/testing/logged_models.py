"""The contract of logged models, for every :class:`~stele.stores.base.TrackingStore` that keeps them.

A test module subclasses :class:`LoggedModelContract` and defines a ``store`` fixture. The rules are those of MLflow's
wire, and what Stele adds to them.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue
from stele.schema import datasets as d
from stele.schema import experiments as e
from stele.schema import logged_models as lm
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.stores.base import TrackingStore
from stele.testing.logged_model_calls import (
    finalize,
    found_names,
    get_model,
    log_params,
    measure,
    new_model,
    search,
    set_tags,
)
from stele.testing.logged_model_searches import LoggedModelSearchContract
from stele.testing.tracking_calls import unique

__all__ = ["LoggedModelContract"]

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER_DIGEST = "sha256:" + "f" * 64


class LoggedModelContract(LoggedModelSearchContract):
    """Tests of logged models, with those of searches."""

    @pytest.fixture
    def experiment(self, store: TrackingStore) -> str:
        """The id of a fresh experiment."""
        return store.create_experiment(e.CreateExperiment(name=unique("models"))).experiment_id

    @pytest.fixture
    def run(self, store: TrackingStore, experiment: str) -> str:
        """The id of a fresh run."""
        return store.create_run(r.CreateRun(experiment_id=experiment, start_time=1)).run.info.run_id

    # -- one model

    def test_model_is_read_back(self, store: TrackingStore, experiment: str, run: str) -> None:
        request = lm.CreateLoggedModel(
            experiment_id=experiment,
            name="a model",
            model_type="classifier",
            source_run_id=run,
            params=[lm.LoggedModelParameter("b", "2"), lm.LoggedModelParameter("a", "1")],
            tags=[lm.LoggedModelTag("z", "ä"), lm.LoggedModelTag("team", "x")],
        )
        made = store.create_logged_model(request).model
        assert re.fullmatch(r"m-[0-9a-f]{32}", made.model_id)
        location = store.get_experiment(e.GetExperiment(experiment_id=experiment)).experiment.artifact_location
        assert made.artifact_location == f"{location}/models/{made.model_id}/artifacts"
        assert (made.name, made.model_type, made.source_run_id) == ("a model", "classifier", run)
        assert (made.status, made.info.status) == (lm.LoggedModelStatus.PENDING, "LOGGED_MODEL_PENDING")
        assert (made.params, made.tags) == ({"a": "1", "b": "2"}, {"team": "x", "z": "ä"})
        assert [tag.key for tag in made.info.tags] == ["team", "z"]
        assert made.creation_timestamp == made.last_updated_timestamp > 0
        assert (made.digest, made.metrics, made.info.registrations) == (None, [], [])
        assert get_model(store, made.model_id) == made

    def test_a_client_may_choose_the_id(self, store: TrackingStore, experiment: str) -> None:
        model_id = f"m-{uuid.uuid4().hex}"
        request = lm.CreateLoggedModel(experiment_id=experiment, name="x", model_id=model_id)
        made = store.create_logged_model(request).model
        assert made.model_id == model_id
        finalized = store.finalize_logged_model(lm.FinalizeLoggedModel(model_id=model_id, status=2)).model
        assert store.create_logged_model(request).model == finalized  # who saw no answer asks again
        assert found_names(store, experiment) == ["x"]
        other = store.create_experiment(e.CreateExperiment(name=unique("models"))).experiment_id
        with pytest.raises(AlreadyExists, match=experiment):
            store.create_logged_model(lm.CreateLoggedModel(experiment_id=other, model_id=model_id))

    @pytest.mark.parametrize("model_id", ["m-1", "f" * 32, f"m-{'F' * 32}", f"m-{'f' * 32}\n", "m-../../../../etc"])
    def test_bad_id(self, store: TrackingStore, experiment: str, model_id: str) -> None:
        with pytest.raises(InvalidParameterValue, match="model_id"):
            store.create_logged_model(lm.CreateLoggedModel(experiment_id=experiment, name="x", model_id=model_id))
        assert found_names(store, experiment) == []

    def test_name_is_made_up(self, store: TrackingStore, experiment: str) -> None:
        names = {new_model(store, experiment, "").name for _ in range(3)}
        assert len(names) == 3
        assert all(names)

    @pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "x" * 501, "nul\0", "a\nb", "  "])
    def test_bad_name(self, store: TrackingStore, experiment: str, name: str) -> None:
        with pytest.raises(InvalidParameterValue, match="name"):
            new_model(store, experiment, name)

    @pytest.mark.parametrize(
        "fields",
        [
            {"params": [lm.LoggedModelParameter("a", "1"), lm.LoggedModelParameter("a", "1")]},
            {"tags": [lm.LoggedModelTag("a", "1"), lm.LoggedModelTag("a", "2")]},
            {"params": [lm.LoggedModelParameter("", "1")]},
            {"tags": [lm.LoggedModelTag("k" * 251, "1")]},
            {"params": [lm.LoggedModelParameter("a", "v" * 100_001)]},
            {"model_type": "t" * 501},
            {"source_run_id": "../up"},
        ],
    )
    def test_bad_fields_make_nothing(self, store: TrackingStore, experiment: str, fields: dict[str, Any]) -> None:
        with pytest.raises(InvalidParameterValue):
            store.create_logged_model(lm.CreateLoggedModel(experiment_id=experiment, name="x", **fields))
        assert found_names(store, experiment) == []

    def test_needs_an_experiment_in_use(self, store: TrackingStore, experiment: str) -> None:
        with pytest.raises(DoesNotExist):
            new_model(store, "987654321", "x")
        kept = new_model(store, experiment, "kept")
        store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
        with pytest.raises(InvalidParameterValue):
            new_model(store, experiment, "x")
        assert get_model(store, kept.model_id) == kept
        assert found_names(store, experiment) == ["kept"]

    def test_unknown_model(self, store: TrackingStore) -> None:
        unknown = "m-" + "0" * 32
        calls: list[Callable[[], object]] = [
            lambda: store.get_logged_model(lm.LoggedModelId(model_id=unknown)),
            lambda: store.delete_logged_model(lm.LoggedModelId(model_id=unknown)),
            lambda: finalize(store, unknown, "LOGGED_MODEL_READY"),
            lambda: set_tags(store, unknown, k="v"),
            lambda: store.delete_logged_model_tag(lm.DeleteLoggedModelTag(model_id=unknown, tag_key="k")),
            lambda: log_params(store, unknown, k="v"),
        ]
        for call in calls:
            with pytest.raises(DoesNotExist, match=unknown):
                call()

    def test_finalize(self, store: TrackingStore, experiment: str) -> None:
        model = new_model(store, experiment)
        for status, word in (
            ("LOGGED_MODEL_UPLOAD_FAILED", lm.LoggedModelStatus.FAILED),
            ("LOGGED_MODEL_READY", lm.LoggedModelStatus.READY),
            (3, lm.LoggedModelStatus.FAILED),
        ):
            found = finalize(store, model.model_id, status)
            assert found.status == word
            assert found == get_model(store, model.model_id)
            assert found.last_updated_timestamp >= model.last_updated_timestamp

    def test_digest_is_told_once(self, store: TrackingStore, experiment: str) -> None:
        model = new_model(store, experiment).model_id
        assert finalize(store, model, "LOGGED_MODEL_READY").digest is None
        assert finalize(store, model, "LOGGED_MODEL_READY", DIGEST).digest == DIGEST
        assert finalize(store, model, "LOGGED_MODEL_READY", DIGEST).digest == DIGEST
        assert finalize(store, model, "LOGGED_MODEL_UPLOAD_FAILED").digest == DIGEST
        with pytest.raises(InvalidParameterValue, match="digest"):
            finalize(store, model, "LOGGED_MODEL_READY", OTHER_DIGEST)
        found = get_model(store, model)
        assert (found.digest, found.status) == (DIGEST, lm.LoggedModelStatus.FAILED)

    @pytest.mark.parametrize("digest", ["", "sha256:", "a" * 64, "sha256:" + "A" * 64, DIGEST + "0", DIGEST + "\n"])
    def test_bad_digest(self, store: TrackingStore, experiment: str, digest: str) -> None:
        model = new_model(store, experiment).model_id
        with pytest.raises(InvalidParameterValue, match="digest"):
            finalize(store, model, "LOGGED_MODEL_READY", digest)
        assert get_model(store, model).status == lm.LoggedModelStatus.PENDING

    def test_tags(self, store: TrackingStore, experiment: str) -> None:
        model = new_model(store, experiment).model_id
        set_tags(store, model, a="1", b="2")
        set_tags(store, model, **{"a": "3", "with/slash": "4"})
        assert get_model(store, model).tags == {"a": "3", "b": "2", "with/slash": "4"}
        for key in ("a", "with/slash"):
            store.delete_logged_model_tag(lm.DeleteLoggedModelTag(model_id=model, tag_key=key))
            with pytest.raises(DoesNotExist, match=key):
                store.delete_logged_model_tag(lm.DeleteLoggedModelTag(model_id=model, tag_key=key))
        assert get_model(store, model).tags == {"b": "2"}

    def test_params_are_written_once(self, store: TrackingStore, experiment: str) -> None:
        model = new_model(store, experiment).model_id
        log_params(store, model, a="1")
        log_params(store, model, a="1", b="2")
        with pytest.raises(InvalidParameterValue, match="'a'"):
            log_params(store, model, c="3", a="other")
        assert get_model(store, model).params == {"a": "1", "b": "2"}

    def test_deleted_model_is_hidden(self, store: TrackingStore, experiment: str, run: str) -> None:
        model = new_model(store, experiment, "gone").model_id
        for _ in range(2):
            store.delete_logged_model(lm.LoggedModelId(model_id=model))
        with pytest.raises(DoesNotExist):
            get_model(store, model)
        assert store.get_logged_model(lm.LoggedModelId(model_id=model, allow_deleted=True)).model.name == "gone"
        assert found_names(store, experiment) == []
        measure(store, run, model, 0.5)  # a training that measures it goes on

    # -- links and points

    def test_links_of_runs(self, store: TrackingStore, experiment: str, run: str) -> None:
        made, used = new_model(store, experiment).model_id, new_model(store, experiment).model_id
        store.log_outputs(d.LogOutputs(run_id=run, models=[d.LoggedModelOutput(made, 3)]))
        store.log_inputs(d.LogInputs(run_id=run, models=[d.LoggedModelInput(used)]))
        found = store.get_run(r.GetRun(run_id=run)).run
        assert found.outputs == d.RunOutputs([d.LoggedModelOutput(made, 3)])
        assert found.inputs == d.RunInputs([], [d.LoggedModelInput(used)])

    def test_points_are_those_of_the_run_and_of_the_model(
        self, store: TrackingStore, experiment: str, run: str
    ) -> None:
        model = new_model(store, experiment).model_id
        special = [math.inf, -math.inf, math.nan, 5e-324]
        points = [Metric("x", value, 10 + i, i, model) for i, value in enumerate(special)]
        points.append(Metric("acc", 0.5, 3, 0, model, "data", "abc"))
        store.log_batch(r.LogBatch(run_id=run, metrics=[*points, Metric("other", 1.0, 1, 1)]))
        measure(store, run, model, 0.75, timestamp=4)
        found = get_model(store, model).metrics
        expected = [
            Metric("acc", 0.5, 3, 0, model, "data", "abc", run),
            Metric("acc", 0.75, 4, 0, model, run_id=run),
            *(Metric("x", value, 10 + i, i, model, run_id=run) for i, value in enumerate(special)),
        ]
        assert repr(found) == repr(expected)
        history = store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key="acc")).metrics
        assert [point.value for point in history] == [0.5, 0.75]

    def test_the_same_point_again_changes_nothing(self, store: TrackingStore, experiment: str, run: str) -> None:
        model = new_model(store, experiment).model_id
        for _ in range(2):
            measure(store, run, model, 0.5)
        measure(store, run, model, 0.5, dataset=("d", "1"))
        measure(store, run, model, 0.6)
        other = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
        measure(store, other, model, 0.5)
        assert sorted((point.value, point.dataset_name or "") for point in get_model(store, model).metrics) == [
            (0.5, ""),
            (0.5, ""),
            (0.5, "d"),
            (0.6, ""),
        ]

    def test_point_of_an_unknown_model_stores_nothing(self, store: TrackingStore, experiment: str, run: str) -> None:
        known = new_model(store, experiment).model_id
        unknown = "m-" + "0" * 32
        batch = [Metric("acc", 1.0, 1, 1, known), Metric("acc", 2.0, 2, 2, unknown)]
        with pytest.raises(InvalidParameterValue, match=unknown):
            store.log_batch(r.LogBatch(run_id=run, metrics=batch))
        with pytest.raises(InvalidParameterValue, match=unknown):
            measure(store, run, unknown, 1.0)
        assert store.get_run(r.GetRun(run_id=run)).run.data.metrics == {}
        assert get_model(store, known).metrics == []

    def test_a_model_with_many_points_shows_the_last_ones_in_a_search(
        self, store: TrackingStore, experiment: str, run: str
    ) -> None:
        model = new_model(store, experiment).model_id
        steps = range(1_001)
        for start in range(0, len(steps), 1_000):
            part = [Metric("acc", float(step), 5, step, model) for step in steps[start : start + 1_000]]
            store.log_batch(r.LogBatch(run_id=run, metrics=part))
        (found,) = search(store, experiment).models
        assert [point.step for point in found.metrics] == [1_000]
        assert [point.step for point in get_model(store, model).metrics] == list(steps)
