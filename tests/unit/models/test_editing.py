"""Signature and requirements of a model that exists: changed where its files may change, refused elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LinearRegression

import stele
from servers import stele_server
from stele.errors import DoesNotExist, InvalidParameterValue
from stele.models import Model, infer_signature, set_signature, update_model_requirements

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0]})
SIGNATURE = infer_signature(FRAME, np.array([0.0]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stele.sklearn.save_model(
        LinearRegression().fit(FRAME, [0.0, 1.0, 2.0]),
        tmp_path / "model",
        pip_requirements=["mlflow==3.17.2", "scikit-learn", "Scipy>=1"],
    )
    return tmp_path / "model"


@pytest.fixture(params=["local", "http"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if request.param == "local":
        yield
        return
    with stele_server(tmp_path) as server:
        stele.set_tracking_uri(server.url)
        yield
        stele.set_tracking_uri("")


def requirements(folder: Path) -> list[str]:
    lines = (folder / "requirements.txt").read_text("utf-8").splitlines()
    assert yaml.safe_load((folder / "conda.yaml").read_text("utf-8"))["dependencies"][-1] == {"pip": lines}
    return lines


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_folder_gets_another_signature(folder: Path) -> None:
    before = content(folder)
    set_signature(str(folder), SIGNATURE)
    assert Model.load(folder).signature == SIGNATURE
    changed = {name for name, value in content(folder).items() if before.get(name) != value}
    assert changed == {"MLmodel"}
    with pytest.raises(InvalidParameterValue, match="'b'"):
        stele.pyfunc.load_model(str(folder)).predict(pd.DataFrame({"b": [1.0]}))


def test_requirements_are_replaced_added_and_removed(folder: Path) -> None:
    update_model_requirements(str(folder), "add", ["scikit_learn[extra] == 1.5", "polars==1.0"])
    assert requirements(folder) == ["mlflow==3.17.2", "scikit_learn[extra] == 1.5", "Scipy>=1", "polars==1.0"]
    update_model_requirements(str(folder), "remove", ["scipy==99", "polars", "never-there"])
    assert requirements(folder) == ["mlflow==3.17.2", "scikit_learn[extra] == 1.5"]


def test_comments_options_and_other_dependencies_stay(folder: Path) -> None:
    (folder / "requirements.txt").write_text("# pinned\n-c constraints.txt\nscipy # why\nscipy>=2\n", "utf-8")
    (folder / "conda.yaml").write_text("name: own\ndependencies: [python=3.11, pip]\n", "utf-8")
    update_model_requirements(str(folder), "add", ["scipy==1.15"])
    assert (folder / "requirements.txt").read_text("utf-8") == "# pinned\n-c constraints.txt\nscipy==1.15"
    conda = yaml.safe_load((folder / "conda.yaml").read_text("utf-8"))
    assert conda == {"name": "own", "dependencies": ["python=3.11", "pip", {"pip": ["scipy==1.15"]}]}


def test_what_is_no_change_is_refused_and_nothing_written(folder: Path) -> None:
    before = content(folder)
    refused: list[tuple[str, str, object]] = [
        ("'replace' is not one of add, remove", "replace", ["scipy"]),
        ("must be a list of texts", "add", "scipy"),
        ("is no requirement", "add", ["sci py"]),
        ("is an option", "add", ["--pre"]),
        ("holds a password", "add", ["x @ https://me:secret@example.org/x.whl"]),
    ]
    for message, operation, lines in refused:
        with pytest.raises(InvalidParameterValue, match=message):
            update_model_requirements(str(folder), operation, lines)  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterValue, match="infer_signature"):
        set_signature(str(folder), {"inputs": "[]"})  # type: ignore[arg-type]
    assert content(folder) == before


def test_what_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(DoesNotExist, match="no directory"):
        set_signature(str(folder / "nowhere"), SIGNATURE)
    for name in ("requirements.txt", "conda.yaml"):
        (folder / name).unlink()
    with pytest.raises(DoesNotExist, match="neither"):
        update_model_requirements(str(folder), "add", ["scipy"])
    with pytest.raises(InvalidParameterValue, match="no model that can be changed"):
        set_signature("s3://bucket/model", SIGNATURE)


@pytest.mark.usefixtures("store")
def test_files_of_a_run_change_and_the_old_ones_stay_as_versions(folder: Path) -> None:
    with stele.start_run() as run:
        stele.log_artifacts(str(folder), "model")
    uri = f"runs:/{run.info.run_id}/model"
    set_signature(uri, SIGNATURE)
    update_model_requirements(uri, "remove", ["scipy"])
    assert Model.load(uri).signature == SIGNATURE
    repository = stele.Client().repository(run.info.run_id)
    assert repository.open_read("model/MLmodel", version=1).read() == (folder / "MLmodel").read_bytes()
    assert [len(repository.versions(f"model/{name}")) for name in ("MLmodel", "requirements.txt")] == [2, 2]


@pytest.mark.usefixtures("store")
def test_a_model_without_a_digest_changes_until_it_is_registered(folder: Path) -> None:
    with stele.start_run() as run:
        model = stele.initialize_logged_model("line")
    repository = stele.Client().open_repository(model.artifact_location)
    for name, value in content(folder).items():
        repository.write(name, [value])
    set_signature(model.model_uri, SIGNATURE)
    assert Model.load(model.model_uri).signature == SIGNATURE
    update_model_requirements(f"runs:/{run.info.run_id}/line", "add", ["polars"])
    assert b"polars" in repository.open_read("requirements.txt").read()
    stele.register_model(model.model_uri, "fraud")
    with pytest.raises(InvalidParameterValue, match="is version 1 of the registered model 'fraud'"):
        set_signature(model.model_uri, infer_signature(FRAME))
    assert Model.load(model.model_uri).signature == SIGNATURE


@pytest.mark.usefixtures("store")
def test_files_of_a_run_that_are_registered_stay(folder: Path) -> None:
    with stele.start_run() as run:
        stele.log_artifacts(str(folder), "model")
        stele.log_artifacts(str(folder), "model2")
    client = stele.Client()
    client.create_registered_model("fraud")
    for source in (f"runs:/{run.info.run_id}/model", f"{run.info.artifact_uri}/model"):
        client.create_model_version("fraud", source, run.info.run_id)
    for path in ("model", "model/"):
        with pytest.raises(InvalidParameterValue, match="of the registered model 'fraud'"):
            set_signature(f"runs:/{run.info.run_id}/{path}", SIGNATURE)
    for uri in ("models:/fraud/2", "models:/fraud/latest"):
        with pytest.raises(InvalidParameterValue, match="is version 2 of the registered model 'fraud'"):
            update_model_requirements(uri, "remove", ["scipy"])
    set_signature(f"runs:/{run.info.run_id}/model2", SIGNATURE)


@pytest.mark.usefixtures("store")
def test_a_model_whose_digest_is_recorded_stays() -> None:
    with stele.start_run() as run:
        info = stele.sklearn.log_model(LinearRegression().fit(FRAME, [0.0, 1.0, 2.0]), name="line")
    for uri in (info.model_uri, f"runs:/{run.info.run_id}/line"):
        with pytest.raises(InvalidParameterValue, match="recorded their digest"):
            set_signature(uri, SIGNATURE)
    assert stele.pyfunc.load_model(info.model_uri).metadata.signature is None
