"""The gate: which models may run code, and that nobody gets around it."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import warnings
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

import stele
import stele.models
from stele.artifacts.digests import manifest_digest
from stele.errors import DoesNotExist, InvalidParameterValue, NotImplementedHere, UntrustedModel
from stele.models.files import ModelFiles
from stele.models.findings import Finding
from stele.models.trust import AdmittedModel, Source, judge
from stele.pyfunc import load_model, save_model
from stele.testing.flavors import change_mlmodel


def double(data):
    return [each * 2 for each in data]


@pytest.fixture
def pickled(tmp_path: Path) -> str:
    save_model(tmp_path / "pickled", python_model=double)
    return str(tmp_path / "pickled")


@pytest.fixture
def harmless(tmp_path: Path) -> str:
    estimator = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    stele.sklearn.save_model(estimator, tmp_path / "harmless")
    return str(tmp_path / "harmless")


def test_a_local_path_warns_and_names_the_risk(pickled: str) -> None:
    with pytest.warns(UserWarning, match=r"runs code from its files: python_model.pkl \(pickle\) names .*trust=True"):
        assert load_model(pickled).predict([1]) == [2]


def test_who_says_trust_hears_nothing(pickled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_model(pickled, trust=True).predict([1]) == [2]
        monkeypatch.setenv("STELE_MODEL_TRUST", "any")
        assert load_model(pickled).predict([1]) == [2]


@pytest.mark.parametrize(("variable", "value"), [("STELE_MODEL_TRUST", "recorded"), ("STELE_MODEL_TRUST", "none")])
def test_stricter_settings_refuse(pickled: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UntrustedModel, match=value) as caught:
        load_model(pickled)
    assert caught.value.error_code == "PERMISSION_DENIED"
    assert f"stele models inspect {pickled}" in str(caught.value)


@pytest.mark.parametrize("variable", ["STELE_MODEL_TRUST", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"])
def test_none_is_stronger_than_a_program(
    pickled: str, harmless: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "none" if variable.startswith("STELE") else "false")
    with pytest.raises(UntrustedModel):
        load_model(pickled, trust=True)
    assert load_model(harmless).predict([[3.0]]).round(6).tolist() == [3.0]


def test_trust_false_admits_only_data(pickled: str, harmless: str) -> None:
    with pytest.raises(UntrustedModel, match="trust=False"):
        load_model(pickled, trust=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_model(harmless, trust=False)


RISK = [Finding("model.pkl", "pickle", ("os.system",), runs_code=True)]


def test_files_from_elsewhere_need_the_digest_that_was_recorded(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    digest = manifest_digest(tmp_path)
    assert judge(Source("models:/m", tmp_path, digest), RISK).admitted
    unknown = judge(Source("models:/m", tmp_path), RISK)
    assert (unknown.admitted, "no digest" in unknown.reason) == (False, True)
    (tmp_path / "a").write_text("y")
    changed = judge(Source("models:/m", tmp_path, digest), RISK)
    assert (changed.admitted, "changed" in changed.reason) == (False, True)
    assert judge(Source("models:/m", tmp_path, digest), RISK, trust=True).admitted
    assert judge(Source("models:/m", tmp_path), [Finding("a", "data")]).admitted


def test_the_digest_is_what_sha256sum_says(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "ä.txt").write_text("1")
    (tmp_path / "a").write_text("2")
    (tmp_path / ".stele").mkdir()
    (tmp_path / ".stele" / "history").write_text("not of the model")
    listed = subprocess.run(["sha256sum", "a", "b/ä.txt"], cwd=tmp_path, capture_output=True, check=True).stdout
    whole = subprocess.run(["sha256sum"], input=listed, capture_output=True, check=True).stdout
    assert manifest_digest(tmp_path) == f"sha256:{whole.split()[0].decode()}"
    before = manifest_digest(tmp_path)
    (tmp_path / "a").rename(tmp_path / "c")
    assert manifest_digest(tmp_path) != before


def test_what_was_not_judged_is_not_loaded(pickled: str) -> None:
    files = ModelFiles(Path(pickled))
    admitted = AdmittedModel(Source(pickled, files.directory), files, [])
    for load in (lambda: admitted.unpickle("python_model.pkl"), lambda: admitted.import_module("json")):
        with pytest.raises(UntrustedModel):
            load()


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", None, 5, ["x"], "%2e%2e/x", "..\\x"])
def test_names_in_mlmodel_stay_in_the_model(pickled: str, name: object) -> None:
    change_mlmodel(Path(pickled), "python_function", python_model=name)
    with pytest.raises((InvalidParameterValue, DoesNotExist)):
        load_model(pickled, trust=True)


@pytest.mark.parametrize("key", ["loader_module", "code", "artifacts"])
@pytest.mark.parametrize("value", [5, ["x"], {"x": 1}, "../x"])
def test_odd_values_in_mlmodel_are_errors(pickled: str, key: str, value: object) -> None:
    change_mlmodel(Path(pickled), "python_function", **{key: value})
    with pytest.raises((InvalidParameterValue, DoesNotExist, NotImplementedHere, ModuleNotFoundError)):
        load_model(pickled, trust=True)


def test_a_loader_of_mlflow_that_stele_lacks_is_named(pickled: str) -> None:
    change_mlmodel(Path(pickled), "python_function", loader_module="mlflow.spark")
    with pytest.raises(NotImplementedHere, match=r"mlflow\.spark"):
        load_model(pickled, trust=True)


def test_inspection(pickled: str, harmless: str) -> None:
    found = stele.models.inspect(pickled)
    assert (found.loads, found.warns, found.runs_code) == (True, True, True)
    assert found.findings[0].file == "python_model.pkl"
    assert "test_trust.double" in found.findings[0].names
    found = stele.models.inspect(harmless)
    assert (found.loads, found.runs_code, found.findings[0].format) == (True, False, "skops")
    change_mlmodel(Path(harmless), "python_function", loader_module="mlflow.spark")
    found = stele.models.inspect(harmless)
    assert (found.loads, len(found.problems)) == (False, 1)


def test_nobody_else_may_change_what_was_saved(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save_model(tmp_path / "m", python_model=double, input_example=[1])
    finally:
        os.umask(before)
    paths = [tmp_path / "m", *(tmp_path / "m").rglob("*")]
    assert len(paths) > 5
    assert [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o022] == []


def test_a_pickle_of_something_else_is_named(pickled: str) -> None:
    (Path(pickled) / "python_model.pkl").write_bytes(pickle.dumps({"no": "model"}))
    with pytest.raises(InvalidParameterValue, match="no PythonModel"):
        load_model(pickled, trust=True)
