"""The contract of searches of the model registry; a part of that of the registry."""

from __future__ import annotations

from typing import Any

import pytest

from stele.errors import InvalidParameterValue
from stele.schema import registered_models as rm
from stele.stores.base import TrackingStore
from stele.testing.registry_calls import (
    new_model,
    new_version,
    set_alias,
    to_stage,
)
from stele.testing.tracking_calls import unique

__all__ = ["RegistrySearchContract"]

PROMPT = "mlflow.prompt.is_prompt"


class RegistrySearchContract:
    """Tests of searches for registered models and their versions."""

    @pytest.fixture
    def prefix(self, store: TrackingStore) -> str:
        """What the names of the searched models start with."""
        prefix = unique("S")
        new_model(store, f"{prefix}a", k="1", **{"b c": "x"})
        new_model(store, f"{prefix}b")
        new_model(store, f"{prefix}C")
        new_model(store, f"{prefix}prompt", **{PROMPT: "true"})
        new_model(store, f"{prefix}no", **{PROMPT: "false"})
        for i, (name, run) in enumerate((("a", "r1"), ("a", "r2"), ("b", "r1"))):
            tags = [rm.ModelVersionTag("k", str(i))]
            new_version(store, f"{prefix}{name}", f"s3://b/{i}", run_id=run, tags=tags)
        text = [rm.ModelVersionTag("mlflow.prompt.text", "hi"), rm.ModelVersionTag(PROMPT, "true")]
        new_version(store, f"{prefix}prompt", "dummy-source", tags=text)
        to_stage(store, f"{prefix}a", "1", "Staging")
        set_alias(store, f"{prefix}a", "champion", "2")
        set_alias(store, f"{prefix}b", "champion", "1")
        return prefix

    @pytest.mark.parametrize(
        ("filter_string", "expected"),
        [
            ("", "C a b no"),
            (f"tag.`{PROMPT}` != 'true'", "C a b no"),
            (f"tag.`{PROMPT}` = 'true'", "prompt"),
            (f"tag.`{PROMPT}` = 'false'", "C a b no"),
            (f"tags.`{PROMPT}` != 'false'", "prompt"),
            (f"tags.`{PROMPT}` LIKE '%'", "no prompt"),
            ("tags.k = '1'", "a"),
            ("tags.k != '1'", ""),
            ("tag.k != '2'", "a"),
            ("tags.`b c` ILIKE 'X'", "a"),
            ("tags.k IS NULL", "C b no"),
            ("aliases.champion IS NOT NULL", "a b"),
            ("aliases.champion > 1", "a"),
            ("alias.champion IS NULL", "C no"),
            ("NOT aliases.`champion` = '2'", "C b no"),
            ("name = '{}a'", "a"),
            ("name='{}a'", "a"),
            ('name = "{}a"', "a"),
            ("attribute.name = '{}a'", "a"),
            ("name != '{}a'", "C b no"),
            ("name IN ('{}a','{}b')", "a b"),
            ("name NOT IN ('{}a')", "C b no"),
            ("name ILIKE '{}c'", "C"),
            ("name = '{}a' OR name = '{}b'", "a b"),
            ("creation_timestamp > 0 AND timestamp > now() - 1d", "C a b no"),
        ],
    )
    def test_filters_of_models(self, store: TrackingStore, prefix: str, filter_string: str, expected: str) -> None:
        found = _models(store, prefix, filter_string.replace("{}", prefix))
        assert found == expected.split()

    @pytest.mark.parametrize(
        ("filter_string", "expected"),
        [
            ("", "a1 a2 b1"),
            ("name='{}a'", "a1 a2"),
            ("name != '{}a'", "b1"),
            ("run_id = 'r1'", "a1 b1"),
            ("run_id IN ('r1')", "a1 b1"),
            ("run_id NOT IN ('r1')", "a2"),
            ("source_path = 's3://b/1'", "a2"),
            ("source_path LIKE 's3://b/%'", "a1 a2 b1"),
            ("version_number = 2", "a2"),
            ("version_number = '2'", "a2"),
            ("version_number >= '1' AND version_number < 2", "a1 b1"),
            ("version_number IN (1)", "a1 b1"),
            ("tags.k = '1'", "a2"),
            ("tags.k != '1'", "a1 b1"),
            ("tag.k LIKE '%'", "a1 a2 b1"),
            ("current_stage = 'Staging'", "a1"),
            ("current_stage != 'Staging'", "a2 b1"),
            ("aliases.champion IS NOT NULL", "a2 b1"),
            ("aliases.champion IN (2, 3)", "a2"),
            ("aliases.challenger IS NULL", "a1 a2 b1"),
            ("model_id IS NULL", "a1 a2 b1"),
            (f"tag.`{PROMPT}` != 'true'", "a1 a2 b1"),
            (f"tag.`{PROMPT}` = 'true'", "prompt1"),
            ("last_updated_timestamp > now() - 1d", "a1 a2 b1"),
        ],
    )
    def test_filters_of_versions(self, store: TrackingStore, prefix: str, filter_string: str, expected: str) -> None:
        found = _versions(store, prefix, filter_string.replace("{}", prefix), order_by=["name", "version_number"])
        assert found == expected.split()

    @pytest.mark.parametrize(
        ("order_by", "expected"),
        [
            ([], "C a b no"),
            (["name DESC"], "no b a C"),
            (["name", "name DESC"], "C a b no"),
            (["timestamp DESC", "name"], None),
            (["last_updated_timestamp"], None),
            (["creation_timestamp ASC", "name ASC"], None),
        ],
    )
    def test_orders_and_pages_of_models(
        self, store: TrackingStore, prefix: str, order_by: list[str], expected: str | None
    ) -> None:
        whole = _models(store, prefix, "", order_by=order_by)
        assert (whole == expected.split()) if expected else (sorted(whole) == ["C", "a", "b", "no"])
        for size in (1, 3):
            found: list[str] = []
            token = ""
            while token or not found:
                page = store.search_registered_models(
                    rm.SearchRegisteredModels(
                        filter=f"name LIKE '{prefix}%'", max_results=size, order_by=order_by, page_token=token
                    )
                )
                found += [model.name.removeprefix(prefix) for model in page.registered_models]
                token = page.next_page_token
            assert found == whole

    @pytest.mark.parametrize(
        ("order_by", "expected"),
        [
            (["name DESC", "version_number ASC"], "b1 a1 a2"),
            (["version_number", "name"], "a1 b1 a2"),
            (["version_number DESC", "name DESC"], "a2 b1 a1"),
            ([], None),
            (["creation_timestamp"], None),
            (["last_updated_timestamp DESC"], None),
        ],
    )
    def test_orders_and_pages_of_versions(
        self, store: TrackingStore, prefix: str, order_by: list[str], expected: str | None
    ) -> None:
        whole = _versions(store, prefix, "", order_by=order_by)
        assert (whole == expected.split()) if expected else (sorted(whole) == ["a1", "a2", "b1"])
        found: list[str] = []
        token = ""
        while token or not found:
            request = rm.SearchModelVersions(
                filter=f"name LIKE '{prefix}%'", max_results=2, order_by=order_by, page_token=token
            )
            page = store.search_model_versions(request)
            found += [f"{item.name.removeprefix(prefix)}{item.version}" for item in page.model_versions]
            token = page.next_page_token
        assert found == whole

    @pytest.mark.parametrize(
        "fields",
        [
            {"filter": "name > 'a'"},
            {"filter": "foo = 'x'"},
            {"filter": "description = 'x'"},
            {"filter": "  "},
            {"filter": "name = x"},
            {"filter": "metrics.a > 1"},
            {"order_by": ["foo"]},
            {"order_by": ["tags.k"]},
            {"max_results": 0},
            {"max_results": 200_001},
            {"page_token": "!!"},
        ],
    )
    def test_bad_search(self, store: TrackingStore, fields: dict[str, Any]) -> None:
        with pytest.raises(InvalidParameterValue):
            store.search_registered_models(rm.SearchRegisteredModels(**fields))
        with pytest.raises(InvalidParameterValue):
            store.search_model_versions(rm.SearchModelVersions(**fields))

    @pytest.mark.parametrize("text", ["version_number = 'x'", "version_number = 1.5", "version_number LIKE '1'"])
    def test_bad_filter_of_versions(self, store: TrackingStore, text: str) -> None:
        with pytest.raises(InvalidParameterValue):
            store.search_model_versions(rm.SearchModelVersions(filter=text))

    def test_a_prompt_needs_no_files(self, store: TrackingStore) -> None:
        name = new_model(store, **{PROMPT: "true"})
        assert new_version(store, name, "dummy-source").source == "dummy-source"
        with pytest.raises(InvalidParameterValue):
            new_version(store, name, "/etc/passwd")


def _models(store: TrackingStore, prefix: str, text: str, **fields: Any) -> list[str]:
    own = f"name LIKE '{prefix}%'" + (f" AND ({text})" if text else "")
    found = store.search_registered_models(rm.SearchRegisteredModels(filter=own, **fields)).registered_models
    return [model.name.removeprefix(prefix) for model in found]


def _versions(store: TrackingStore, prefix: str, text: str, **fields: Any) -> list[str]:
    own = f"name LIKE '{prefix}%'" + (f" AND ({text})" if text else "")
    found = store.search_model_versions(rm.SearchModelVersions(filter=own, **fields)).model_versions
    return [f"{item.name.removeprefix(prefix)}{item.version}" for item in found]
