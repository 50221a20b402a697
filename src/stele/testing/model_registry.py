"""The contract of the model registry, for every :class:`~stele.stores.base.TrackingStore` that keeps one.

A test module subclasses :class:`ModelRegistryContract` and defines a ``store`` fixture. The rules are those of MLflow's
wire, and what Stele adds to them.
"""

from __future__ import annotations

import threading
import unicodedata
from typing import Any

import pytest

from stele.errors import AlreadyExists, Conflict, DoesNotExist, InvalidParameterValue
from stele.schema import registered_models as rm
from stele.stores.base import TrackingStore
from stele.testing.registry_calls import (
    aliased,
    get_model,
    get_version,
    latest_versions,
    new_model,
    new_version,
    set_alias,
    to_stage,
)
from stele.testing.registry_searches import RegistrySearchContract
from stele.testing.tracking_calls import unique
from stele.testing.version_sources import VersionSourceContract

__all__ = ["ModelRegistryContract"]


class ModelRegistryContract(VersionSourceContract, RegistrySearchContract):
    """Tests of the registry, with those of sources and searches."""

    # -- models

    def test_model_is_read_back(self, store: TrackingStore) -> None:
        name = unique("ä model")
        tags = [rm.RegisteredModelTag("team", "x"), rm.RegisteredModelTag("a b", "ü")]
        request = rm.CreateRegisteredModel(name=name, tags=tags, description="words")
        made = store.create_registered_model(request).registered_model
        assert (made.name, made.description, made.tags) == (name, "words", {"a b": "ü", "team": "x"})
        assert made.creation_timestamp == made.last_updated_timestamp > 0
        assert (made.latest_versions, made.aliases) == ([], {})
        assert get_model(store, name) == made

    @pytest.mark.parametrize(
        "name",
        [
            "",
            " ",
            ".",
            "..",
            "a/b",
            "a:b",
            " a",
            "a ",
            "a\n",
            "a\u200bb",
            "a\u202eb",
            "nul\0",
            "x" * 257,
            "a%2Fb",
            "%61",
        ],
    )
    def test_bad_name(self, store: TrackingStore, name: str) -> None:
        with pytest.raises(InvalidParameterValue, match="name"):
            store.create_registered_model(rm.CreateRegisteredModel(name=name))
        kept = new_model(store)
        with pytest.raises(InvalidParameterValue, match="new_name"):
            store.rename_registered_model(rm.RenameRegisteredModel(name=kept, new_name=name))

    def test_a_name_has_one_form(self, store: TrackingStore) -> None:
        composed = unicodedata.normalize("NFC", unique("é"))
        decomposed = unicodedata.normalize("NFD", composed)
        assert new_model(store, decomposed) == composed
        with pytest.raises(AlreadyExists):
            new_model(store, composed)
        assert new_version(store, decomposed).name == composed
        assert get_model(store, decomposed).name == composed

    def test_name_is_taken(self, store: TrackingStore) -> None:
        first, second = new_model(store), new_model(store)
        with pytest.raises(AlreadyExists, match=first):
            new_model(store, first)
        with pytest.raises(AlreadyExists, match=first):
            store.rename_registered_model(rm.RenameRegisteredModel(name=second, new_name=first))
        assert get_model(store, second).name == second

    def test_unknown_model(self, store: TrackingStore) -> None:
        name = unique("unknown")
        for call, request in (
            (store.get_registered_model, rm.RegisteredModelName(name=name)),
            (store.update_registered_model, rm.UpdateRegisteredModel(name=name)),
            (store.rename_registered_model, rm.RenameRegisteredModel(name=name, new_name="x")),
            (store.delete_registered_model, rm.RegisteredModelName(name=name)),
            (store.get_latest_versions, rm.GetLatestVersions(name=name)),
            (store.set_registered_model_tag, rm.SetRegisteredModelTag(name=name, key="k")),
            (store.delete_registered_model_tag, rm.RegisteredModelTagName(name=name, key="k")),
            (store.set_registered_model_alias, rm.SetRegisteredModelAlias(name=name, alias="a", version="1")),
            (store.delete_registered_model_alias, rm.RegisteredModelAliasName(name=name, alias="a")),
            (store.get_model_version_by_alias, rm.RegisteredModelAliasName(name=name, alias="a")),
            (store.create_model_version, rm.CreateModelVersion(name=name, source="s3://a/b")),
            (store.get_model_version, rm.ModelVersionName(name=name, version="1")),
            (store.delete_model_version, rm.ModelVersionName(name=name, version="1")),
            (store.get_model_version_download_uri, rm.ModelVersionName(name=name, version="1")),
        ):
            operation: Any = call
            with pytest.raises(DoesNotExist, match=name):
                operation(request)

    def test_description(self, store: TrackingStore) -> None:
        name = new_model(store)
        for text, expected in (("words", "words"), ("", None), ("more", "more"), (None, None)):
            request = rm.UpdateRegisteredModel(name=name, description=text)
            found = store.update_registered_model(request).registered_model
            assert found.description == expected
            assert found.last_updated_timestamp >= found.creation_timestamp

    def test_rename_takes_everything_along(self, store: TrackingStore) -> None:
        name, other = new_model(store, k="v"), unique("renamed")
        version = new_version(store, name).version
        set_alias(store, name, "champion", version)
        renamed = store.rename_registered_model(rm.RenameRegisteredModel(name=name, new_name=other)).registered_model
        assert (renamed.name, renamed.tags, renamed.aliases) == (other, {"k": "v"}, {"champion": version})
        assert [item.name for item in renamed.latest_versions] == [other]
        assert get_version(store, other, version).name == other
        with pytest.raises(DoesNotExist):
            get_model(store, name)
        same = store.rename_registered_model(rm.RenameRegisteredModel(name=other, new_name=other))
        assert same.registered_model.name == other

    def test_delete_takes_everything_along(self, store: TrackingStore) -> None:
        name = new_model(store, k="v")
        version = new_version(store, name, tags=[rm.ModelVersionTag("k", "v")]).version
        set_alias(store, name, "champion", version)
        store.delete_registered_model(rm.RegisteredModelName(name=name))
        with pytest.raises(DoesNotExist):
            get_model(store, name)
        new_model(store, name)
        again = get_model(store, name)
        assert (again.tags, again.aliases, again.latest_versions) == ({}, {}, [])
        assert new_version(store, name).tags == {}

    def test_tags_of_models(self, store: TrackingStore) -> None:
        name = new_model(store)
        for value in ("1", "2"):
            store.set_registered_model_tag(rm.SetRegisteredModelTag(name=name, key="k", value=value))
        assert get_model(store, name).tags == {"k": "2"}
        for _ in range(2):  # to remove what is not there is no error
            store.delete_registered_model_tag(rm.RegisteredModelTagName(name=name, key="k"))
        assert get_model(store, name).tags == {}
        for key, value in (("k" * 251, "v"), ("a;b", "v"), ("k", "v" * 100_001), ("", "v")):
            with pytest.raises(InvalidParameterValue):
                store.set_registered_model_tag(rm.SetRegisteredModelTag(name=name, key=key, value=value))

    # -- versions

    def test_version_is_read_back(self, store: TrackingStore) -> None:
        name = new_model(store)
        tags = [rm.ModelVersionTag("b", "2"), rm.ModelVersionTag("a", "1")]
        made = new_version(store, name, "s3://b/x", run_id="f" * 32, run_link="http://l", description="d", tags=tags)
        assert (made.name, made.version, made.source, made.run_id) == (name, "1", "s3://b/x", "f" * 32)
        assert (made.run_link, made.description, made.tags) == ("http://l", "d", {"a": "1", "b": "2"})
        assert (made.current_stage, made.status, made.aliases, made.model_id) == ("None", "READY", [], "")
        assert made.creation_timestamp == made.last_updated_timestamp > 0
        assert made.user_id
        assert get_version(store, name, "1") == made
        assert get_version(store, name, "01") == made
        assert get_model(store, name).latest_versions == [made]
        assert get_model(store, name).last_updated_timestamp >= made.creation_timestamp

    def test_numbers_are_not_used_twice(self, store: TrackingStore) -> None:
        name = new_model(store)
        assert [new_version(store, name).version for _ in range(3)] == ["1", "2", "3"]
        store.delete_model_version(rm.ModelVersionName(name=name, version="3"))
        assert new_version(store, name).version == "4"
        with pytest.raises(DoesNotExist):
            get_version(store, name, "3")

    def test_numbers_are_given_once_to_many_writers(self, store: TrackingStore) -> None:
        name = new_model(store)
        made: list[str] = []
        threads = [
            threading.Thread(target=lambda: made.extend(new_version(store, name).version for _ in range(5)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(int, made)) == list(range(1, 21))

    @pytest.mark.parametrize("version", ["", "x", "1.0", "1e3", "٣", "9" * 40])
    def test_malformed_version(self, store: TrackingStore, version: str) -> None:
        name = new_model(store)
        with pytest.raises(InvalidParameterValue, match="version"):
            get_version(store, name, version)

    @pytest.mark.parametrize("version", ["999", "0", "-1", "99999999999"])
    def test_unknown_version(self, store: TrackingStore, version: str) -> None:
        name = new_model(store)
        own: dict[str, Any] = {"name": name, "version": version}
        for call, request in (
            (store.get_model_version, rm.ModelVersionName(**own)),
            (store.update_model_version, rm.UpdateModelVersion(**own)),
            (store.delete_model_version, rm.ModelVersionName(**own)),
            (store.get_model_version_download_uri, rm.ModelVersionName(**own)),
            (store.transition_model_version_stage, rm.TransitionModelVersionStage(**own, stage="Staging")),
            (store.set_model_version_tag, rm.SetModelVersionTag(**own, key="k")),
            (store.delete_model_version_tag, rm.ModelVersionTagName(**own, key="k")),
            (store.set_registered_model_alias, rm.SetRegisteredModelAlias(**own, alias="a")),
        ):
            operation: Any = call
            with pytest.raises(DoesNotExist, match="version"):
                operation(request)

    def test_description_of_a_version(self, store: TrackingStore) -> None:
        name = new_model(store)
        assert new_version(store, name).description == ""
        for text in ("words", "", None):
            request = rm.UpdateModelVersion(name=name, version="1", description=text)
            assert store.update_model_version(request).model_version.description == text

    def test_tags_of_versions(self, store: TrackingStore) -> None:
        name = new_model(store)
        new_version(store, name)
        for value in ("1", "2"):
            store.set_model_version_tag(rm.SetModelVersionTag(name=name, version="1", key="k", value=value))
        assert get_version(store, name, "1").tags == {"k": "2"}
        for _ in range(2):
            store.delete_model_version_tag(rm.ModelVersionTagName(name=name, version="1", key="k"))
        assert get_version(store, name, "1").tags == {}

    # -- aliases and stages

    def test_aliases(self, store: TrackingStore) -> None:
        name = new_model(store)
        for _ in range(2):
            new_version(store, name)
        for alias in ("champion", "-x", "ä", "v"):
            set_alias(store, name, alias, "1")
        set_alias(store, name, "champion", "2")
        assert get_model(store, name).aliases == {"-x": "1", "champion": "2", "v": "1", "ä": "1"}
        assert get_version(store, name, "1").aliases == ["-x", "v", "ä"]
        assert aliased(store, name, "champion") == aliased(store, name, "latest") == "2"
        for _ in range(2):
            request = rm.RegisteredModelAliasName(name=name, alias="champion")
            store.delete_registered_model_alias(request)
        with pytest.raises(InvalidParameterValue, match="champion"):
            aliased(store, name, "champion")
        store.delete_model_version(rm.ModelVersionName(name=name, version="1"))
        assert get_model(store, name).aliases == {}

    @pytest.mark.parametrize("alias", ["", "a b", "latest", "LATEST", "v1", "V12", "a.b", "a/b", "x" * 256, "a\n"])
    def test_bad_alias(self, store: TrackingStore, alias: str) -> None:
        name = new_model(store)
        new_version(store, name)
        with pytest.raises(InvalidParameterValue, match="alias"):
            set_alias(store, name, alias, "1")
        assert get_model(store, name).aliases == {}

    def test_alias_moves_only_from_where_it_was_expected(self, store: TrackingStore) -> None:
        name = new_model(store)
        for _ in range(3):
            new_version(store, name)
        set_alias(store, name, "champion", "1", expected_version="")
        for wrong in ("", "2"):
            with pytest.raises(Conflict, match="version 1"):
                set_alias(store, name, "champion", "3", expected_version=wrong)
        set_alias(store, name, "champion", "3", expected_version="1")
        assert aliased(store, name, "champion") == "3"

    def test_one_of_many_moves_wins(self, store: TrackingStore) -> None:
        name = new_model(store)
        for _ in range(5):
            new_version(store, name)
        set_alias(store, name, "champion", "1")
        outcomes: list[str] = []

        def move(version: str) -> None:
            try:
                set_alias(store, name, "champion", version, expected_version="1")
                outcomes.append(version)
            except Conflict:
                outcomes.append("")

        threads = [threading.Thread(target=move, args=(version,)) for version in "2345"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = [version for version in outcomes if version]
        assert aliased(store, name, "champion") == winner

    def test_stages(self, store: TrackingStore) -> None:
        name = new_model(store)
        for _ in range(4):
            new_version(store, name)
        assert to_stage(store, name, "1", "staging").current_stage == "Staging"
        assert to_stage(store, name, "2", "PRODUCTION").current_stage == "Production"
        assert to_stage(store, name, "3", "Staging", archive=True).current_stage == "Staging"
        assert get_version(store, name, "1").current_stage == "Archived"
        assert get_version(store, name, "2").current_stage == "Production"
        assert latest_versions(store, name) == {"Archived": "1", "Production": "2", "Staging": "3", "None": "4"}
        assert latest_versions(store, name, "production", "Staging") == {"Production": "2", "Staging": "3"}
        assert [item.version for item in get_model(store, name).latest_versions] == ["1", "2", "3", "4"]
        assert to_stage(store, name, "1", "None").current_stage == "None"
        for stage, archive in (("Foo", False), ("", False), ("None", True), ("archived", True)):
            with pytest.raises(InvalidParameterValue):
                to_stage(store, name, "1", stage, archive=archive)
        with pytest.raises(InvalidParameterValue, match="stage"):
            latest_versions(store, name, "Foo")
