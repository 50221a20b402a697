"""The contract of what a version may come from; a part of that of the model registry."""

from __future__ import annotations

import json

import pytest

from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import experiments as e
from stele.schema import logged_models as lm
from stele.schema import runs as r
from stele.stores.base import TrackingStore
from stele.testing.registry_calls import (
    download_uri,
    new_model,
    new_version,
    set_alias,
    to_stage,
)
from stele.testing.tracking_calls import unique

__all__ = ["VersionSourceContract"]


class VersionSourceContract:
    """Tests of the sources of versions."""

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
        assert download_uri(store, name, "1") == model.artifact_location
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
            assert download_uri(store, second, made.version) == model.artifact_location
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
            assert download_uri(store, name, made.version) == source
            for wrong in ({}, {"run_id": "9" * 32}):
                with pytest.raises(InvalidParameterValue, match="source"):
                    new_version(store, name, source, **wrong)
            with pytest.raises(InvalidParameterValue, match="source"):
                new_version(store, name, f"{source.rpartition('/')[0]}x", **owner)
        made = new_version(store, name, f"runs:/{run.run_id}/m", run_id=run.run_id)
        assert download_uri(store, name, made.version) == f"runs:/{run.run_id}/m"
        with pytest.raises(InvalidParameterValue, match="run_id"):
            new_version(store, name, f"runs:/{run.run_id}/m", run_id="9" * 32)

    def test_source_pattern(self, store: TrackingStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX", "^s3://trusted/")
        name = new_model(store)
        new_version(store, name, "s3://trusted/x")
        with pytest.raises(InvalidParameterValue, match="SOURCE_PATTERN"):
            new_version(store, name, "s3://other/x")


def _logged_model(store: TrackingStore) -> lm.LoggedModel:
    experiment = store.create_experiment(e.CreateExperiment(name=unique("registry"))).experiment_id
    run = store.create_run(r.CreateRun(experiment_id=experiment)).run.info.run_id
    request = lm.CreateLoggedModel(experiment_id=experiment, name="net", source_run_id=run)
    return store.create_logged_model(request).model
