"""Changing what a model says of itself after it was made: its signature, its requirements. Nothing of it is run."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import yaml

from stele.artifacts import scheme_of
from stele.artifacts.paths import normalise
from stele.client.client import Client
from stele.client.fluent import client_of
from stele.client.locations import Location, locate
from stele.client.paged_list import all_pages
from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.limits import DEFAULT_PAGE
from stele.models.environment import CONDA_FILE, REQUIREMENTS_FILE
from stele.models.format import MLMODEL, Model, read_yaml
from stele.models.locate import model_source
from stele.models.requirements import with_requirements, without_requirements
from stele.models.signature import ModelSignature
from stele.schema.logged_models import LoggedModel
from stele.schema.registered_models import ModelVersion

__all__ = ["set_signature", "update_model_requirements"]

_RUNS, _MODELS = "runs:/", "models:/"
_LOGGED = re.compile(r"models:/+(m-[0-9a-f]{32})/*")

_Change = Callable[[list[str]], list[str]]


def set_signature(model_uri: str, signature: ModelSignature) -> None:
    """Give a model another signature. The old MLmodel file stays as a version where the store keeps versions.

    Args:
        model_uri: A local directory; or ``runs:/<run>/<path>`` or ``models:/m-<id>`` of a model of which the store
            recorded no digest, and which is no version of a registered model.
        signature: What the model takes and gives.

    Raises:
        DoesNotExist: There is no such model.
        InvalidParameterValue: It is no signature; or the model is one whose files must stay as they are.
    """
    if not isinstance(signature, ModelSignature):
        raise InvalidParameterValue(f"signature is {shown(signature)}; infer_signature() makes a ModelSignature.")
    with _edited(model_uri, [MLMODEL]) as directory:
        model = Model.read(directory)
        model.signature = signature
        model.is_signature_from_type_hint = model.type_hint_from_example = False
        model.save(directory / MLMODEL)


def update_model_requirements(model_uri: str, operation: Literal["add", "remove"], requirement_list: list[str]) -> None:
    """Add requirements to ``requirements.txt`` and ``conda.yaml`` of a model, or remove them.

    Args:
        model_uri: See :func:`set_signature`.
        operation: ``add`` replaces what is there for the same package; ``remove`` takes every requirement of the
            packages away, whatever versions are named, and does not mind packages that are not there.
        requirement_list: Requirements such as ``scikit-learn==1.9.1``.

    Raises:
        DoesNotExist: There is no such model, or it has neither file.
        InvalidParameterValue: The operation or a requirement is none, or the model is one whose files must stay as
            they are.
    """
    changes = {"add": with_requirements, "remove": without_requirements}
    if operation not in changes:
        raise InvalidParameterValue(f"operation {shown(operation)} is not one of add, remove.")
    if isinstance(requirement_list, str) or not all(isinstance(each, str) for each in requirement_list):
        raise InvalidParameterValue(f"requirement_list is {shown(requirement_list)}; it must be a list of texts.")

    def change(lines: list[str]) -> list[str]:
        return changes[operation](lines, requirement_list)

    with _edited(model_uri, [REQUIREMENTS_FILE, CONDA_FILE]) as directory:
        text, conda = directory / REQUIREMENTS_FILE, directory / CONDA_FILE
        if not text.exists() and not conda.exists():
            raise DoesNotExist(f"The model {shown(model_uri)} has neither {REQUIREMENTS_FILE} nor {CONDA_FILE}.")
        if text.exists():
            text.write_text("\n".join(change(text.read_text(encoding="utf-8").splitlines())), encoding="utf-8")
        if conda.exists():
            changed = _changed_conda(read_yaml(directory, CONDA_FILE), change)
            conda.write_text(yaml.safe_dump(changed, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _changed_conda(environment: dict[str, Any], change: _Change) -> dict[str, Any]:
    dependencies = environment.get("dependencies") or []
    if not isinstance(dependencies, list):
        raise InvalidParameterValue(f"dependencies of {CONDA_FILE} are {shown(dependencies)}; they must be a list.")
    others = [each for each in dependencies if not isinstance(each, dict)]
    for_pip = [str(line) for each in dependencies if isinstance(each, dict) for line in each.get("pip") or ()]
    return environment | {"dependencies": [*others, {"pip": change(for_pip)}]}


class _Files(Protocol):
    """The files of a model, wherever they are."""

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, content: bytes) -> None: ...


@contextmanager
def _edited(uri: str, names: Sequence[str]) -> Iterator[Path]:
    """A directory with some files of a model. What differs when the block ends is put in their place."""
    files = _files_to_change(uri)
    before = {name: content for name in names if (content := files.read(name)) is not None}
    with tempfile.TemporaryDirectory(prefix="stele-model-") as directory:
        for name, content in before.items():
            (Path(directory) / name).write_bytes(content)
        yield Path(directory)
        for name, content in before.items():
            changed = (Path(directory) / name).read_bytes()
            if changed != content:
                files.write(name, changed)


class _Directory(NamedTuple):
    path: Path

    def read(self, name: str) -> bytes | None:
        file = self.path / name
        return file.read_bytes() if file.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        file = self.path / name
        descriptor, new = tempfile.mkstemp(prefix=f".{name}-", dir=self.path)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(new).chmod(file.stat().st_mode & 0o777)
        Path(new).replace(file)


class _Stored(NamedTuple):
    location: Location

    def read(self, name: str) -> bytes | None:
        path = self._path(name)
        found = self.location.repository.stat(path)
        return self.location.repository.open_read(path).read() if found and not found.is_dir else None

    def write(self, name: str, content: bytes) -> None:
        self.location.repository.write(self._path(name), [content])

    def _path(self, name: str) -> str:
        return f"{self.location.path}/{name}" if self.location.path else name


def _files_to_change(uri: str) -> _Files:
    """The files of a model whose files may change.

    Raises:
        DoesNotExist: There is no such model.
        InvalidParameterValue: They must stay as they are.
    """
    if scheme_of(uri) == "file":
        return _Directory(model_source(uri).directory)
    if uri.startswith(_RUNS):
        run_id, _, path = uri.removeprefix(_RUNS).strip("/").partition("/")
        _check_of_run(client_of(run_id), run_id, normalise(path))
    elif found := _LOGGED.fullmatch(uri):
        client = Client()
        _check_logged(client, client.get_logged_model(found[1]))
    elif uri.startswith(_MODELS):
        raise _registered(uri, Client().version_and_path(uri)[0])
    else:
        raise InvalidParameterValue(
            f"{shown(uri)} is no model that can be changed. Allowed are a local directory, runs:/<run>/<path> and "
            "models:/m-<id>."
        )
    return _Stored(locate(uri))


def _check_of_run(client: Client, run_id: str, path: str) -> None:
    model = client.model_at(run_id, path)
    if model is not None:
        _check_logged(client, model)
    else:
        root = client.get_run(run_id).info.artifact_uri.rstrip("/")
        _check_versions(client, run_id, [f"{_RUNS}{run_id}/{path}", f"{root}/{path}"])


def _check_logged(client: Client, model: LoggedModel) -> None:
    uri = model.model_uri
    for each in model.info.registrations:
        raise _registered(uri, client.get_model_version(each.name, each.version))
    if model.source_run_id:
        _check_versions(client, model.source_run_id, [f"{_RUNS}{model.source_run_id}/{model.name}"])
    if model.digest is not None:
        raise InvalidParameterValue(
            f"The files of the logged model {shown(uri)} must stay those that were logged: the store recorded their "
            "digest. Log the model again with what you want, or download it and change the copy."
        )


def _check_versions(client: Client, run_id: str, places: Sequence[str]) -> None:
    """Refuse files that belong to a version which was made from a run."""
    made_from = f"run_id = '{run_id}'"
    for version in all_pages(
        lambda size, token: client.search_model_versions(made_from, size, page_token=token), None, DEFAULT_PAGE
    ):
        place = client.get_model_version_download_uri(version.name, version.version).rstrip("/")
        if any(f"{each}/".startswith(f"{place}/") for each in places):
            raise _registered(places[0], version)


def _registered(uri: str, version: ModelVersion) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"{shown(uri)} is version {version.version} of the registered model {shown(version.name)}, whose files stay as "
        "they are. Log the model with what you want, and register it as a new version."
    )
