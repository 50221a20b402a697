"""The contract of logged models, for every :class:`~stele.stores.base.TrackingStore` that keeps them.

A test module subclasses :class:`LoggedModelContract` and defines a ``store`` fixture. The rules are those of MLflow's
wire, and what Stele adds to them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import datasets as d
from stele.schema import experiments as e
from stele.schema import logged_models as lm
from stele.schema import metrics as m
from stele.schema import runs as r
from stele.schema.metrics import Metric
from stele.stores.base import TrackingStore
from stele.testing.tracking_calls import unique

__all__ = ["LoggedModelContract"]

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER_DIGEST = "sha256:" + "f" * 64


class LoggedModelContract:
    """Tests of logged models."""

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
        assert _get(store, made.model_id) == made

    def test_name_is_made_up(self, store: TrackingStore, experiment: str) -> None:
        names = {_create(store, experiment, "").name for _ in range(3)}
        assert len(names) == 3
        assert all(names)

    @pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "x" * 501, "nul\0", "a\nb", "  "])
    def test_bad_name(self, store: TrackingStore, experiment: str, name: str) -> None:
        with pytest.raises(InvalidParameterValue, match="name"):
            _create(store, experiment, name)

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
        assert _names(store, experiment) == []

    def test_needs_an_experiment_in_use(self, store: TrackingStore, experiment: str) -> None:
        with pytest.raises(DoesNotExist):
            _create(store, "987654321", "x")
        kept = _create(store, experiment, "kept")
        store.delete_experiment(e.DeleteExperiment(experiment_id=experiment))
        with pytest.raises(InvalidParameterValue):
            _create(store, experiment, "x")
        assert _get(store, kept.model_id) == kept
        assert _names(store, experiment) == ["kept"]

    def test_unknown_model(self, store: TrackingStore) -> None:
        unknown = "m-" + "0" * 32
        calls: list[Callable[[], object]] = [
            lambda: store.get_logged_model(lm.LoggedModelId(model_id=unknown)),
            lambda: store.delete_logged_model(lm.LoggedModelId(model_id=unknown)),
            lambda: _finalize(store, unknown, "LOGGED_MODEL_READY"),
            lambda: _tag(store, unknown, k="v"),
            lambda: store.delete_logged_model_tag(lm.DeleteLoggedModelTag(model_id=unknown, tag_key="k")),
            lambda: _param(store, unknown, k="v"),
        ]
        for call in calls:
            with pytest.raises(DoesNotExist, match=unknown):
                call()

    def test_finalize(self, store: TrackingStore, experiment: str) -> None:
        model = _create(store, experiment)
        for status, word in (
            ("LOGGED_MODEL_UPLOAD_FAILED", lm.LoggedModelStatus.FAILED),
            ("LOGGED_MODEL_READY", lm.LoggedModelStatus.READY),
            (3, lm.LoggedModelStatus.FAILED),
        ):
            found = _finalize(store, model.model_id, status)
            assert found.status == word
            assert found == _get(store, model.model_id)
            assert found.last_updated_timestamp >= model.last_updated_timestamp

    def test_digest_is_told_once(self, store: TrackingStore, experiment: str) -> None:
        model = _create(store, experiment).model_id
        assert _finalize(store, model, "LOGGED_MODEL_READY").digest is None
        assert _finalize(store, model, "LOGGED_MODEL_READY", DIGEST).digest == DIGEST
        assert _finalize(store, model, "LOGGED_MODEL_READY", DIGEST).digest == DIGEST
        assert _finalize(store, model, "LOGGED_MODEL_UPLOAD_FAILED").digest == DIGEST
        with pytest.raises(InvalidParameterValue, match="digest"):
            _finalize(store, model, "LOGGED_MODEL_READY", OTHER_DIGEST)
        found = _get(store, model)
        assert (found.digest, found.status) == (DIGEST, lm.LoggedModelStatus.FAILED)

    @pytest.mark.parametrize("digest", ["", "sha256:", "a" * 64, "sha256:" + "A" * 64, DIGEST + "0", DIGEST + "\n"])
    def test_bad_digest(self, store: TrackingStore, experiment: str, digest: str) -> None:
        model = _create(store, experiment).model_id
        with pytest.raises(InvalidParameterValue, match="digest"):
            _finalize(store, model, "LOGGED_MODEL_READY", digest)
        assert _get(store, model).status == lm.LoggedModelStatus.PENDING

    def test_tags(self, store: TrackingStore, experiment: str) -> None:
        model = _create(store, experiment).model_id
        _tag(store, model, a="1", b="2")
        _tag(store, model, **{"a": "3", "with/slash": "4"})
        assert _get(store, model).tags == {"a": "3", "b": "2", "with/slash": "4"}
        for key in ("a", "with/slash"):
            store.delete_logged_model_tag(lm.DeleteLoggedModelTag(model_id=model, tag_key=key))
            with pytest.raises(DoesNotExist, match=key):
                store.delete_logged_model_tag(lm.DeleteLoggedModelTag(model_id=model, tag_key=key))
        assert _get(store, model).tags == {"b": "2"}

    def test_params_are_written_once(self, store: TrackingStore, experiment: str) -> None:
        model = _create(store, experiment).model_id
        _param(store, model, a="1")
        _param(store, model, a="1", b="2")
        with pytest.raises(InvalidParameterValue, match="'a'"):
            _param(store, model, c="3", a="other")
        assert _get(store, model).params == {"a": "1", "b": "2"}

    def test_deleted_model_is_hidden(self, store: TrackingStore, experiment: str, run: str) -> None:
        model = _create(store, experiment, "gone").model_id
        for _ in range(2):
            store.delete_logged_model(lm.LoggedModelId(model_id=model))
        with pytest.raises(DoesNotExist):
            _get(store, model)
        assert store.get_logged_model(lm.LoggedModelId(model_id=model, allow_deleted=True)).model.name == "gone"
        assert _names(store, experiment) == []
        _measure(store, run, model, 0.5)  # a training that measures it goes on

    # -- links and points

    def test_links_of_runs(self, store: TrackingStore, experiment: str, run: str) -> None:
        made, used = _create(store, experiment).model_id, _create(store, experiment).model_id
        store.log_outputs(d.LogOutputs(run_id=run, models=[d.LoggedModelOutput(made, 3)]))
        store.log_inputs(d.LogInputs(run_id=run, models=[d.LoggedModelInput(used)]))
        found = store.get_run(r.GetRun(run_id=run)).run
        assert found.outputs == d.RunOutputs([d.LoggedModelOutput(made, 3)])
        assert found.inputs == d.RunInputs([], [d.LoggedModelInput(used)])

    def test_points_are_those_of_the_run_and_of_the_model(
        self, store: TrackingStore, experiment: str, run: str
    ) -> None:
        model = _create(store, experiment).model_id
        special = [math.inf, -math.inf, math.nan, 5e-324]
        points = [Metric("x", value, 10 + i, i, model) for i, value in enumerate(special)]
        points.append(Metric("acc", 0.5, 3, 0, model, "data", "abc"))
        store.log_batch(r.LogBatch(run_id=run, metrics=[*points, Metric("other", 1.0, 1, 1)]))
        _measure(store, run, model, 0.75, timestamp=4)
        found = _get(store, model).metrics
        expected = [
            Metric("acc", 0.5, 3, 0, model, "data", "abc", run),
            Metric("acc", 0.75, 4, 0, model, run_id=run),
            *(Metric("x", value, 10 + i, i, model, run_id=run) for i, value in enumerate(special)),
        ]
        assert repr(found) == repr(expected)
        history = store.get_metric_history(m.GetMetricHistory(run_id=run, metric_key="acc")).metrics
        assert [point.value for point in history] == [0.5, 0.75]

    def test_the_same_point_again_changes_nothing(self, store: TrackingStore, experiment: str, run: str) -> None:
        model = _create(store, experiment).model_id
        for _ in range(2):
            _measure(store, run, model, 0.5)
        _measure(store, run, model, 0.5, dataset=("d", "1"))
        _measure(store, run, model, 0.6)
        other = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
        _measure(store, other, model, 0.5)
        assert sorted((point.value, point.dataset_name or "") for point in _get(store, model).metrics) == [
            (0.5, ""),
            (0.5, ""),
            (0.5, "d"),
            (0.6, ""),
        ]

    def test_point_of_an_unknown_model_stores_nothing(self, store: TrackingStore, experiment: str, run: str) -> None:
        known = _create(store, experiment).model_id
        unknown = "m-" + "0" * 32
        batch = [Metric("acc", 1.0, 1, 1, known), Metric("acc", 2.0, 2, 2, unknown)]
        with pytest.raises(InvalidParameterValue, match=unknown):
            store.log_batch(r.LogBatch(run_id=run, metrics=batch))
        with pytest.raises(InvalidParameterValue, match=unknown):
            _measure(store, run, unknown, 1.0)
        assert store.get_run(r.GetRun(run_id=run)).run.data.metrics == {}
        assert _get(store, known).metrics == []

    def test_a_model_with_many_points_shows_the_last_ones_in_a_search(
        self, store: TrackingStore, experiment: str, run: str
    ) -> None:
        model = _create(store, experiment).model_id
        steps = range(1_001)
        for start in range(0, len(steps), 1_000):
            part = [Metric("acc", float(step), 5, step, model) for step in steps[start : start + 1_000]]
            store.log_batch(r.LogBatch(run_id=run, metrics=part))
        (found,) = _search(store, experiment).models
        assert [point.step for point in found.metrics] == [1_000]
        assert [point.step for point in _get(store, model).metrics] == list(steps)

    # -- searches

    def test_search_defaults(self, store: TrackingStore, experiment: str) -> None:
        made = [_create(store, experiment, name) for name in "abc"]
        expected = sorted(made, key=lambda model: (-model.creation_timestamp, model.model_id))
        assert _search(store, experiment).models == expected
        assert store.search_logged_models(lm.SearchLoggedModels(experiment_ids=[])).models == []
        assert store.search_logged_models(lm.SearchLoggedModels(experiment_ids=["987654321"])).models == []

    @pytest.mark.parametrize(
        ("filter_string", "expected"),
        [
            ("name = 'A'", "A"),
            ('name = "A"', "A"),
            ("name = A", "A"),
            ("name='A'", "A"),
            ("attributes.name = 'A'", "A"),
            ("name != 'A'", "B C"),
            ("name LIKE 'a'", ""),
            ("name ILIKE 'a'", "A"),
            ("name IN ('A','B')", "A B"),
            ("name NOT IN ('A')", "B C"),
            ("status = 2", "A"),
            ("status = '2'", "A"),
            ("status = 'READY'", "A"),
            ("status != 2", "B C"),
            ("status IN ('LOGGED_MODEL_READY', '3')", "A"),
            ("model_type = 'agent'", "A"),
            ("model_type != 'agent'", "B C"),
            ("model_type IS NULL", "B C"),
            ("creation_timestamp > 0", "A B C"),
            ("creation_time > 0 AND last_updated_timestamp_ms > 0", "A B C"),
            ("params.p = '1'", "A"),
            ("params.p = 1", "A"),
            ("params.p = 1.0", "A"),
            ("params.p = '1.0'", ""),
            ("params.p < 1.5 AND params.`p.q` BETWEEN 2 AND 3", "A"),
            ("params.p > 1", ""),
            ("params.p IN (1, 2)", "A"),
            ("params.p LIKE 1", "A"),
            ("params.p = one", ""),
            ("params.p != '1'", ""),
            ("params.p.q = '2'", "A"),
            ("params.`p.q` LIKE '_'", "A"),
            ("params.p IS NULL", "B C"),
            ("params.z != '1'", ""),
            ("tags.t='x'", "A"),
            ("tags.`a b` = 'y'", "A"),
            ("tags.t IN ('x','y')", "A"),
            ("metrics.acc = 1", "A"),
            ("metrics.acc = 2", "A"),
            ("metrics.acc = 9", "A"),
            ("metrics.acc > 2.5", "A B"),
            ("metrics.acc < 1.5", "A"),
            ("metrics.acc != 3", "A C"),
            ("metrics.acc IS NULL", "D"),
            ("metrics.none > 0", ""),
            ("name = 'A' AND model_type = 'agent'", "A"),
            ("AND name = 'A'", "A"),
            ("name = 'A' OR (name = 'B' AND NOT metrics.acc > 5)", "A B"),
            ("", "A B C D"),
        ],
    )
    def test_filters(self, store: TrackingStore, searched: str, filter_string: str, expected: str) -> None:
        found = {name for name in _names(store, searched, filter=filter_string) if name != "D" or "D" in expected}
        assert found == set(expected.split())

    @pytest.fixture
    def searched(self, store: TrackingStore, experiment: str, run: str) -> str:
        """An experiment with the models A to D."""
        first = store.create_logged_model(
            lm.CreateLoggedModel(
                experiment_id=experiment,
                name="A",
                model_type="agent",
                source_run_id=run,
                params=[lm.LoggedModelParameter("p", "1"), lm.LoggedModelParameter("p.q", "2")],
                tags=[lm.LoggedModelTag("t", "x"), lm.LoggedModelTag("a b", "y")],
            )
        ).model.model_id
        second, third, _ = (_create(store, experiment, name).model_id for name in "BCD")
        _measure(store, run, first, 1.0, timestamp=10)
        _measure(store, run, first, 2.0, timestamp=11, step=1)
        _measure(store, run, first, 9.0, timestamp=5, step=9, dataset=("d1", "x"))
        _measure(store, run, second, 3.0, timestamp=10)
        _measure(store, run, third, math.nan, timestamp=10)
        _finalize(store, first, "LOGGED_MODEL_READY")
        return experiment

    @pytest.mark.parametrize(
        ("datasets", "filter_string", "expected"),
        [
            ([("d1", "x")], "", "A"),
            ([("d1", "")], "", "A"),
            ([("d1", "y")], "", ""),
            ([("d9", "x"), ("d1", "x")], "metrics.acc > 2.5", "A"),
            ([("d1", "x")], "metrics.acc < 2.5", ""),
            ([("d1", "x")], "name = 'B'", ""),
        ],
    )
    def test_datasets(
        self,
        store: TrackingStore,
        searched: str,
        datasets: list[tuple[str, str]],
        filter_string: str,
        expected: str,
    ) -> None:
        wanted = [lm.LoggedModelDataset(dataset_name=name, dataset_digest=digest) for name, digest in datasets]
        assert _names(store, searched, filter=filter_string, datasets=wanted) == expected.split()

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ([("metrics.acc", True)], "A B C D"),
            ([("metrics.acc", False)], "B A C D"),
            ([("metrics.acc", False, "d1", "x"), ("name", True)], "A B C D"),
            ([("metrics.acc", True, "d1"), ("name", False)], "A D C B"),
            ([("metrics.none", True), ("name", False)], "D C B A"),
            ([("name", True)], "A B C D"),
            ([("name", False)], "D C B A"),
            ([("status", True), ("name", True)], "B C D A"),
            ([("model_type", False), ("name", True)], "A B C D"),
            ([("experiment_id", True), ("name", True)], "A B C D"),
            ([("creation_time", True), ("name", True)], "A B C D"),
            ([("name", True), ("name", False)], "A B C D"),
        ],
    )
    def test_orders_and_pages(
        self, store: TrackingStore, searched: str, keys: list[tuple[Any, ...]], expected: str
    ) -> None:
        on = ("dataset_name", "dataset_digest")
        order = [
            lm.LoggedModelOrder(field_name=name, ascending=ascending, **dict(zip(on, rest, strict=False)))
            for name, ascending, *rest in keys
        ]
        for size in (1, 3, 50):
            found: list[str] = []
            token = ""
            while token or not found:
                page = _search(store, searched, order_by=order, max_results=size, page_token=token)
                found += [model.name for model in page.models]
                token = page.next_page_token
            if keys[0][0] == "creation_time":  # those of the same millisecond go by name
                assert sorted(found) == expected.split()
            else:
                assert found == expected.split()

    @pytest.mark.parametrize(
        "fields",
        [
            {"filter": "foo = 'x'"},
            {"filter": "name > 'A'"},
            {"filter": "metrics.acc = 'x'"},
            {"filter": "params.p < '1'"},
            {"filter": "params.p < one"},
            {"filter": "min(metrics.acc) > 0"},
            {"filter": "  "},
            {"filter": "datasets.name = 'd'"},
            {"order_by": [lm.LoggedModelOrder(field_name="foo")]},
            {"order_by": [lm.LoggedModelOrder(field_name="params.p")]},
            {"order_by": [lm.LoggedModelOrder(field_name="name")] * 21},
            {"page_token": "!!"},
            {"max_results": 0},
            {"max_results": 50_001},
            {"experiment_ids": ["abc"]},
        ],
    )
    def test_bad_search(self, store: TrackingStore, experiment: str, fields: dict[str, Any]) -> None:
        with pytest.raises(InvalidParameterValue):
            store.search_logged_models(lm.SearchLoggedModels(**({"experiment_ids": [experiment]} | fields)))

    def test_token_belongs_to_its_query(self, store: TrackingStore, searched: str) -> None:
        token = _search(store, searched, max_results=2).next_page_token
        assert len(_search(store, searched, max_results=5, page_token=token).models) == 2
        with pytest.raises(InvalidParameterValue, match="page_token"):
            _search(store, searched, filter="name = 'A'", page_token=token)


def _create(store: TrackingStore, experiment: str, name: str = "model") -> lm.LoggedModel:
    return store.create_logged_model(lm.CreateLoggedModel(experiment_id=experiment, name=name)).model


def _get(store: TrackingStore, model_id: str) -> lm.LoggedModel:
    return store.get_logged_model(lm.LoggedModelId(model_id=model_id)).model


def _finalize(store: TrackingStore, model_id: str, status: Any, digest: str | None = None) -> lm.LoggedModel:
    request = lm.FinalizeLoggedModel(model_id=model_id, status=status, digest=digest)
    return store.finalize_logged_model(request).model


def _tag(store: TrackingStore, model_id: str, **tags: str) -> None:
    listed = [lm.LoggedModelTag(key, value) for key, value in tags.items()]
    store.set_logged_model_tags(lm.SetLoggedModelTags(model_id=model_id, tags=listed))


def _param(store: TrackingStore, model_id: str, **params: str) -> None:
    listed = [lm.LoggedModelParameter(key, value) for key, value in params.items()]
    store.log_logged_model_params(lm.LogLoggedModelParams(model_id=model_id, params=listed))


def _measure(
    store: TrackingStore,
    run: str,
    model: str,
    value: float,
    *,
    timestamp: int = 1,
    step: int = 0,
    dataset: tuple[str | None, str | None] = (None, None),
) -> None:
    name, digest = dataset
    store.log_metric(
        r.LogMetric(
            run_id=run,
            key="acc",
            value=value,
            timestamp=timestamp,
            step=step,
            model_id=model,
            dataset_name=name,
            dataset_digest=digest,
        )
    )


def _search(store: TrackingStore, experiment: str, **fields: Any) -> lm.SearchLoggedModelsResponse:
    return store.search_logged_models(lm.SearchLoggedModels(experiment_ids=[experiment], **fields))


def _names(store: TrackingStore, experiment: str, **fields: Any) -> list[str]:
    return [model.name for model in _search(store, experiment, **fields).models]
