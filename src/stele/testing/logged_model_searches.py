"""The contract of searches for logged models; a part of that of logged models."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stele.errors import InvalidParameterValue
from stele.schema import logged_models as lm
from stele.stores.base import TrackingStore
from stele.testing.logged_model_calls import finalize, found_names, measure, new_model, search

__all__ = ["LoggedModelSearchContract"]


class LoggedModelSearchContract:
    """Tests of searches for logged models, in a fresh ``experiment`` with a ``run``."""

    def test_search_defaults(self, store: TrackingStore, experiment: str) -> None:
        made = [new_model(store, experiment, name) for name in "abc"]
        expected = sorted(made, key=lambda model: (-model.creation_timestamp, model.model_id))
        assert search(store, experiment).models == expected
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
        found = {name for name in found_names(store, searched, filter=filter_string) if name != "D" or "D" in expected}
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
        second, third, _ = (new_model(store, experiment, name).model_id for name in "BCD")
        measure(store, run, first, 1.0, timestamp=10)
        measure(store, run, first, 2.0, timestamp=11, step=1)
        measure(store, run, first, 9.0, timestamp=5, step=9, dataset=("d1", "x"))
        measure(store, run, second, 3.0, timestamp=10)
        measure(store, run, third, math.nan, timestamp=10)
        finalize(store, first, "LOGGED_MODEL_READY")
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
        assert found_names(store, searched, filter=filter_string, datasets=wanted) == expected.split()

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
                page = search(store, searched, order_by=order, max_results=size, page_token=token)
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
        token = search(store, searched, max_results=2).next_page_token
        assert len(search(store, searched, max_results=5, page_token=token).models) == 2
        with pytest.raises(InvalidParameterValue, match="page_token"):
            search(store, searched, filter="name = 'A'", page_token=token)
