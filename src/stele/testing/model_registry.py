"""The contract of the model registry, for every :class:`~stele.stores.base.TrackingStore` that keeps one.

A test module subclasses :class:`ModelRegistryContract` and defines a ``store`` fixture. The rules are those of MLflow's
wire, and what Stele adds to them.
"""

from __future__ import annotations

import json
import threading
import unicodedata
from typing import Any

import pytest

from stele.errors import AlreadyExists, Conflict, DoesNotExist, InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import logged_models as lm
from stele.schema import registered_models as rm
from stele.schema import runs as r
from stele.stores.base import TrackingStore
from stele.testing.tracking_store import unique

__all__ = ["ModelRegistryContract", "new_model", "new_version"]

PROMPT = "mlflow.prompt.is_prompt"


def new_model(store: TrackingStore, name: str | None = None, **tags: str) -> str:
    """The name of a fresh registered model."""
    name = name or unique("model")
    listed = [rm.RegisteredModelTag(key, value) for key, value in tags.items()]
    return store.create_registered_model(rm.CreateRegisteredModel(name=name, tags=listed)).registered_model.name


def new_version(store: TrackingStore, name: str, source: str = "s3://bucket/model", **fields: Any) -> rm.ModelVersion:
    """A fresh version."""
    return store.create_model_version(rm.CreateModelVersion(name=name, source=source, **fields)).model_version


def get_version(store: TrackingStore, name: str, version: str) -> rm.ModelVersion:
    """A version as it is now."""
    return store.get_model_version(rm.ModelVersionName(name=name, version=version)).model_version


def get_model(store: TrackingStore, name: str) -> rm.RegisteredModel:
    """A registered model as it is now."""
    return store.get_registered_model(rm.RegisteredModelName(name=name)).registered_model


def set_alias(store: TrackingStore, name: str, alias: str, version: str, **fields: Any) -> None:
    """Let an alias point to a version."""
    request = rm.SetRegisteredModelAlias(name=name, alias=alias, version=version, **fields)
    store.set_registered_model_alias(request)


def aliased(store: TrackingStore, name: str, alias: str) -> str:
    """The version that an alias points to."""
    request = rm.RegisteredModelAliasName(name=name, alias=alias)
    return store.get_model_version_by_alias(request).model_version.version


def to_stage(
    store: TrackingStore, name: str, version: str, stage: str, *, archive: bool = False, reason: str = ""
) -> rm.ModelVersion:
    """Move a version to a stage."""
    request = rm.TransitionModelVersionStage(
        name=name, version=version, stage=stage, archive_existing_versions=archive, reason=reason
    )
    return store.transition_model_version_stage(request).model_version


class ModelRegistryContract:
    """Tests of the registry."""

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

    # -- sources

    @pytest.mark.parametrize(
        "source",
        [
            "",
            "http://host/x",
            "https://host/x",
            "ftp://host/x",
            "foo://x",
            "/etc",
            "file:///etc",
            "../x",
            "dummy-source",
            "s3://b/../x",
            "s3://b/%2e%2e/x",
            "s3://b/%252e%252e/x",
            "s3://b/x\n",
            "s3://b/" + "x" * 5_000,
            "mlflow-artifacts:/1/x",
            "models:/m-" + "0" * 32,
            "runs:/" + "0" * 32 + "/m",
            "models:/",
            "models:/x/1/2",
        ],
    )
    def test_bad_source(self, store: TrackingStore, source: str) -> None:
        name = new_model(store)
        with pytest.raises((InvalidParameterValue, DoesNotExist)):
            new_version(store, name, source)
        assert new_version(store, name).version == "1"

    def test_source_is_a_logged_model(self, store: TrackingStore) -> None:
        name, model = new_model(store), _logged_model(store)
        with pytest.raises(InvalidParameterValue, match="model_id"):
            new_version(store, name, f"models:/{model.model_id}")
        for _ in range(2):
            made = new_version(store, name, f"models:/{model.model_id}", model_id=model.model_id)
            assert (made.model_id, made.run_id) == (model.model_id, model.source_run_id)
        assert _download_uri(store, name, "1") == model.artifact_location
        found = store.get_logged_model(lm.LoggedModelId(model_id=model.model_id)).model
        assert found.info.registrations == [lm.LoggedModelRegistration(name, number) for number in "12"]
        assert json.loads(found.tags["mlflow.modelVersions"]) == [
            {"name": name, "version": 1},
            {"name": name, "version": 2},
        ]

    def test_source_is_another_version(self, store: TrackingStore) -> None:
        first, second, model = new_model(store), new_model(store), _logged_model(store)
        new_version(store, first, f"models:/{model.model_id}", model_id=model.model_id)
        set_alias(store, first, "best", "1")
        to_stage(store, first, "1", "Staging")
        for tail in ("/1", "/latest", "/staging", "@best"):
            made = new_version(store, second, f"models:/{first}{tail}")
            assert (made.source, made.model_id, made.run_id) == (
                f"models:/{first}/1",
                model.model_id,
                model.source_run_id,
            )
            assert _download_uri(store, second, made.version) == model.artifact_location
        for tail in ("/9", "/production", "@none", "/foo"):
            with pytest.raises((DoesNotExist, InvalidParameterValue)):
                new_version(store, second, f"models:/{first}{tail}")

    def test_source_lies_among_files_of_its_run_or_model(self, store: TrackingStore) -> None:
        name, model = new_model(store), _logged_model(store)
        run = store.get_run(r.GetRun(run_id=model.source_run_id)).run.info
        for source, owner in (
            (f"{run.artifact_uri}/m", {"run_id": run.run_id}),
            (run.artifact_uri, {"run_id": run.run_id}),
            (model.artifact_location, {"model_id": model.model_id}),
            (f"{model.artifact_location}/sub", {"model_id": model.model_id}),
        ):
            made = new_version(store, name, source, **owner)
            assert _download_uri(store, name, made.version) == source
            for wrong in ({}, {"run_id": "9" * 32}):
                with pytest.raises(InvalidParameterValue, match="source"):
                    new_version(store, name, source, **wrong)
            with pytest.raises(InvalidParameterValue, match="source"):
                new_version(store, name, f"{source.rpartition('/')[0]}x", **owner)
        made = new_version(store, name, f"runs:/{run.run_id}/m", run_id=run.run_id)
        assert _download_uri(store, name, made.version) == f"runs:/{run.run_id}/m"
        with pytest.raises(InvalidParameterValue, match="run_id"):
            new_version(store, name, f"runs:/{run.run_id}/m", run_id="9" * 32)

    def test_source_pattern(self, store: TrackingStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX", "^s3://trusted/")
        name = new_model(store)
        new_version(store, name, "s3://trusted/x")
        with pytest.raises(InvalidParameterValue, match="SOURCE_PATTERN"):
            new_version(store, name, "s3://other/x")

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
        assert _latest(store, name) == {"Archived": "1", "Production": "2", "Staging": "3", "None": "4"}
        assert _latest(store, name, "production", "Staging") == {"Production": "2", "Staging": "3"}
        assert [item.version for item in get_model(store, name).latest_versions] == ["1", "2", "3", "4"]
        assert to_stage(store, name, "1", "None").current_stage == "None"
        for stage, archive in (("Foo", False), ("", False), ("None", True), ("archived", True)):
            with pytest.raises(InvalidParameterValue):
                to_stage(store, name, "1", stage, archive=archive)
        with pytest.raises(InvalidParameterValue, match="stage"):
            _latest(store, name, "Foo")

    # -- searches

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


def _logged_model(store: TrackingStore) -> lm.LoggedModel:
    experiment = store.create_experiment(e.CreateExperiment(name=unique("registry"))).experiment_id
    run = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    request = lm.CreateLoggedModel(experiment_id=experiment, name="net", source_run_id=run)
    return store.create_logged_model(request).model


def _download_uri(store: TrackingStore, name: str, version: str) -> str:
    return store.get_model_version_download_uri(rm.ModelVersionName(name=name, version=version)).artifact_uri


def _latest(store: TrackingStore, name: str, *stages: str) -> dict[str, str]:
    found = store.get_latest_versions(rm.GetLatestVersions(name=name, stages=list(stages))).model_versions
    return {item.current_stage: item.version for item in found}


def _models(store: TrackingStore, prefix: str, text: str, **fields: Any) -> list[str]:
    own = f"name LIKE '{prefix}%'" + (f" AND ({text})" if text else "")
    found = store.search_registered_models(rm.SearchRegisteredModels(filter=own, **fields)).registered_models
    return [model.name.removeprefix(prefix) for model in found]


def _versions(store: TrackingStore, prefix: str, text: str, **fields: Any) -> list[str]:
    own = f"name LIKE '{prefix}%'" + (f" AND ({text})" if text else "")
    found = store.search_model_versions(rm.SearchModelVersions(filter=own, **fields)).model_versions
    return [f"{item.name.removeprefix(prefix)}{item.version}" for item in found]
