"""The digest that a server records for models whose client told none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asgi_caller import Caller, config
from stele import limits
from stele.artifacts.digests import manifest_digest
from stele.server.app import create_app

MODELS = "/api/2.0/mlflow/logged-models"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
TOLD = "sha256:" + "0" * 64
READY, FAILED = "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"


class Model:
    """A model on a server, of which some files were uploaded."""

    def __init__(self, call: Caller, experiment_id: str = "0") -> None:
        self.call = call
        info = call("POST", MODELS, {"experiment_id": experiment_id}).json["model"]["info"]
        self.model_id, self.uri = info["model_id"], info["artifact_uri"]
        self.files = self.uri.removeprefix("mlflow-artifacts:/")

    def upload(self, **files: bytes) -> None:
        for name, content in files.items():
            path = name.replace("__", "/")
            assert self.call("PUT", f"{FILES}/{self.files}/{path}", content).status == 200

    def finish(self, status: Any = READY, **more: str) -> str | None:
        answer = self.call("PATCH", f"{MODELS}/{self.model_id}", {"model_id": "x", "status": status, **more})
        assert answer.status == 200, answer.body
        return answer.json["model"]["info"].get("digest")

    def directory(self, folder: Path) -> Path:
        (found,) = folder.rglob(f"{self.model_id}/artifacts")
        return found


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Caller]:
    caller = Caller(create_app(config(tmp_path)))
    yield caller
    caller.close()


@pytest.fixture
def model(call: Caller) -> Model:
    made = Model(call)
    made.upload(MLmodel=b"flavors: {}\n", code__b=b"b", code__a__c=b"", z=b"one")
    return made


@pytest.mark.parametrize("status", [READY, 2])
def test_it_is_that_of_the_files(model: Model, tmp_path: Path, status: Any) -> None:
    assert model.finish(status) == manifest_digest(model.directory(tmp_path))


def test_it_is_recorded_once(model: Model, tmp_path: Path) -> None:
    digest = model.finish()
    model.upload(z=b"two")
    assert model.finish() == digest != manifest_digest(model.directory(tmp_path))


def test_overwritten_files_count_as_they_are_now(model: Model, tmp_path: Path) -> None:
    model.upload(z=b"two")
    assert model.finish() == manifest_digest(model.directory(tmp_path))


def test_recorded_files_are_not_read_again(model: Model, tmp_path: Path) -> None:
    """The record is by size and time of change, so it shows in a file that was changed under both."""
    before = manifest_digest(model.directory(tmp_path))
    file = model.directory(tmp_path) / "z"
    time = file.stat().st_mtime_ns
    file.write_bytes(b"two")
    os.utime(file, ns=(time, time))
    assert model.finish() == before != manifest_digest(model.directory(tmp_path))


def test_files_without_a_record_are_read(model: Model, tmp_path: Path) -> None:
    directory = model.directory(tmp_path)
    shutil.rmtree(directory / "code" / ".stele")
    (directory / "z").write_bytes(b"changed since")
    (directory / "new").write_bytes(b"from elsewhere")
    assert model.finish() == manifest_digest(directory)


def test_what_the_client_tells_counts(model: Model) -> None:
    assert model.finish(digest=TOLD) == TOLD
    assert model.finish() == TOLD


def test_a_model_that_failed_gets_none(model: Model, tmp_path: Path) -> None:
    assert model.finish(FAILED) is None
    assert model.finish() == manifest_digest(model.directory(tmp_path))


def test_a_deleted_model_gets_one_too(model: Model, tmp_path: Path) -> None:
    model.call("DELETE", f"{MODELS}/{model.model_id}", {})
    assert model.finish() == manifest_digest(model.directory(tmp_path))


def test_without_files_nothing_is_recorded(call: Caller) -> None:
    assert Model(call).finish() is None


def test_too_many_files(model: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "MAX_MODEL_FILES", 3)
    assert model.finish() is None
    monkeypatch.setattr(limits, "MAX_MODEL_FILES", 4)
    assert model.finish() == manifest_digest(model.directory(tmp_path))


@pytest.mark.parametrize("place", ["file", "host", "link"])
def test_files_elsewhere_are_not_looked_at(call: Caller, tmp_path: Path, place: str) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    files = {
        "file": secret.as_uri(),
        "host": "mlflow-artifacts://127.0.0.1:1/elsewhere",
        "link": "mlflow-artifacts:/link",
    }
    created = call.post("experiments/create", {"name": place, "artifact_location": files[place]})
    model = Model(call, created.json["experiment_id"])
    inside = secret / "models" / model.model_id / "artifacts"
    inside.mkdir(parents=True)
    (inside / "MLmodel").write_bytes(b"secret")
    (tmp_path / "files").mkdir(exist_ok=True)
    (tmp_path / "files" / "link").symlink_to(secret)
    assert model.finish() is None


def test_a_server_that_keeps_no_files(tmp_path: Path) -> None:
    caller = Caller(create_app(config(tmp_path, serve_artifacts=False)))
    assert Model(caller).finish() is None
    caller.close()
