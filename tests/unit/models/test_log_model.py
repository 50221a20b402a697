"""Logging models: complete with a digest, or marked as failed; found again by every address."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import stele
from servers import stele_server
from stele import limits
from stele.artifacts.digests import manifest_digest
from stele.errors import DoesNotExist, InvalidParameterValue, UntrustedModel
from stele.pyfunc import PythonModel
from stele.schema.metrics import Metric

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0]})


@pytest.fixture
def estimator() -> LinearRegression:
    return LinearRegression().fit(FRAME, [0.0, 1.0, 2.0])


class Shout(PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return [each.upper() for each in model_input]


@pytest.fixture(params=["local", "http"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if request.param == "local":
        yield
        return
    with stele_server(tmp_path) as server:
        stele.set_tracking_uri(server.url)
        yield
        stele.set_tracking_uri("")


@pytest.mark.usefixtures("store")
def test_a_model_of_a_run(estimator: LinearRegression) -> None:
    with stele.start_run() as run:
        stele.log_metric("auc", 0.5, step=1)
        stele.log_metric("auc", 0.9, step=7)
        info = stele.sklearn.log_model(
            estimator,
            name="line",
            input_example=FRAME,
            params={"depth": 3},
            tags={"team": "risk"},
            model_type="x",
            step=7,
        )
    model = stele.get_logged_model(info.model_id)
    assert (model.name, model.source_run_id, model.model_type) == ("line", run.info.run_id, "x")
    assert (model.params, model.tags["team"], str(model.status)) == ({"depth": "3"}, "risk", "READY")
    assert [(point.key, point.value, point.step) for point in model.metrics] == [("auc", 0.9, 7)]
    outputs = stele.get_run(run.info.run_id).outputs
    assert [(each.model_id, each.step) for each in outputs.model_outputs] == [(model.model_id, 7)]
    for uri in (info.model_uri, f"runs:/{run.info.run_id}/line"):
        assert stele.pyfunc.load_model(uri).predict(FRAME).round(6).tolist() == [0.0, 1.0, 2.0]
        assert stele.sklearn.load_model(uri).coef_.round(6).tolist() == [1.0]
    loaded = stele.pyfunc.load_model(info.model_uri)
    assert (loaded.model_id, loaded.metadata.run_id) == (model.model_id, run.info.run_id)
    assert info.signature == loaded.metadata.signature
    assert (info.name, info.run_id, info.metrics[0].value) == ("line", run.info.run_id, 0.9)


@pytest.mark.usefixtures("store")
def test_what_the_run_measured_at_the_step_is_linked(estimator: LinearRegression) -> None:
    other = stele.initialize_logged_model("other")
    with stele.start_run() as run:
        for step in range(4):
            stele.log_metric("loss", 1.0 - step / 10, step=step)
        stele.log_metric("auc", 0.5, step=2)
        stele.log_metric("auc", 0.6, step=2)
        stele.log_metric("of other", 7.0, step=2, model_id=other.model_id)
        stele.log_metric("elsewhere", float("inf"), step=1)
        info = stele.sklearn.log_model(estimator, name="line", step=2)
    points = [
        (point.key, point.value, point.step, point.run_id) for point in stele.get_logged_model(info.model_id).metrics
    ]
    assert sorted(points) == [
        ("auc", 0.5, 2, run.info.run_id),
        ("auc", 0.6, 2, run.info.run_id),
        ("loss", 0.8, 2, run.info.run_id),
        ("of other", 7.0, 2, run.info.run_id),
    ]
    # The run itself has each point once.
    assert [point.step for point in stele.Client().get_metric_history(run.info.run_id, "loss")] == [0, 1, 2, 3]


@pytest.mark.usefixtures("store")
def test_a_model_without_a_step_gets_the_latest_values_too(estimator: LinearRegression) -> None:
    with stele.start_run():
        for step in range(4):
            stele.log_metric("loss", 1.0 - step / 10, step=step)
        stele.log_metric("auc", 0.5, step=2)
        stele.log_metric("auc", 0.6, step=3)
        info = stele.sklearn.log_model(estimator, name="line")
    points = stele.get_logged_model(info.model_id).metrics
    assert sorted((point.key, point.value, point.step) for point in points) == [("auc", 0.6, 3), ("loss", 1.0, 0)]


def test_no_more_points_are_linked_than_a_model_may_show(
    estimator: LinearRegression, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_MODEL_POINTS", 3)
    with stele.start_run() as run:
        stele.Client().log_batch(run.info.run_id, [Metric("loss", float(i), i, 0) for i in range(5)], synchronous=True)
        info = stele.sklearn.log_model(estimator, name="line")
    assert [point.value for point in stele.get_logged_model(info.model_id).metrics] == [0.0, 1.0, 2.0]


@pytest.mark.usefixtures("store")
def test_a_model_without_a_run() -> None:
    info = stele.pyfunc.log_model(name="shout", python_model=Shout(), input_example=["a"])
    assert (info.run_id, stele.last_logged_model().model_id) == (None, info.model_id)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the store knows the files, so nothing is said
        assert stele.pyfunc.load_model(info.model_uri).predict(["a"]) == ["A"]


def test_the_digest_is_that_of_the_files() -> None:
    info = stele.pyfunc.log_model(name="shout", python_model=Shout())
    directory = Path(info.artifact_path)
    assert stele.get_logged_model(info.model_id).digest == manifest_digest(directory)
    (directory / "python_model.pkl").write_bytes((directory / "python_model.pkl").read_bytes() + b".")
    with pytest.raises(UntrustedModel, match="changed"):
        stele.pyfunc.load_model(info.model_uri)


def test_a_model_that_cannot_be_written_is_marked_as_failed(estimator: LinearRegression) -> None:
    with pytest.raises(InvalidParameterValue, match="serialization_format"):
        stele.sklearn.log_model(estimator, name="line", serialization_format="zip")
    (model,) = stele.search_logged_models(output_format="list")
    assert (str(model.status), model.digest) == ("FAILED", None)


def test_the_old_word_for_name(estimator: LinearRegression) -> None:
    with pytest.warns(FutureWarning, match="use name"):
        info = stele.sklearn.log_model(estimator, "line")
    assert info.name == "line"


def test_a_model_that_was_initialised_before(estimator: LinearRegression) -> None:
    model = stele.initialize_logged_model("early")
    info = stele.sklearn.log_model(estimator, model_id=model.model_id, params={"k": 1})
    assert (info.model_id, info.name, info.params) == (model.model_id, "early", {"k": "1"})


@pytest.mark.usefixtures("store")
def test_a_model_is_registered_with_the_same_call(estimator: LinearRegression) -> None:
    infos = [stele.sklearn.log_model(estimator, name="line", registered_model_name="prices") for _ in range(2)]
    assert [info.registered_model_version for info in infos] == [1, 2]
    stele.Client().set_registered_model_alias("prices", "champion", "1")
    for uri in ("models:/prices/2", "models:/prices@champion", "models:/prices/latest"):
        assert stele.pyfunc.load_model(uri).predict(FRAME).round(6).tolist() == [0.0, 1.0, 2.0]


def test_what_is_known_of_a_model_without_loading_it(estimator: LinearRegression, tmp_path: Path) -> None:
    logged = stele.sklearn.log_model(estimator, name="line", input_example=FRAME)
    info = stele.models.get_model_info(logged.model_uri)
    assert (info.model_id, info.name, info.signature) == (logged.model_id, "line", logged.signature)
    stele.models.validate_schema(FRAME, info.signature.inputs)
    with pytest.raises(InvalidParameterValue, match="lack the column 'a'"):
        stele.models.validate_schema(FRAME.rename(columns={"a": "b"}), info.signature.inputs)
    stele.sklearn.save_model(estimator, tmp_path / "saved")
    assert stele.models.get_model_info(str(tmp_path / "saved")).logged_model is None


@pytest.mark.usefixtures("store")
def test_the_description_of_a_model_by_any_address(estimator: LinearRegression, tmp_path: Path) -> None:
    info = stele.sklearn.log_model(estimator, name="line", input_example=FRAME, registered_model_name="prices")
    for uri in (info.model_uri, "models:/prices/1"):
        found = stele.models.Model.load(uri)
        assert (found.model_id, found.signature) == (info.model_id, info.signature)
    stele.sklearn.save_model(estimator, tmp_path / "saved")
    found = stele.models.Model.load(tmp_path / "saved")
    assert found == stele.models.Model.load(str(tmp_path / "saved" / "MLmodel"))
    assert "sklearn" in found.flavors
    with pytest.raises(DoesNotExist):
        stele.models.Model.load(tmp_path / "none")
