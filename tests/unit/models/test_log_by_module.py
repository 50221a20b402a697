"""Logging what a module of the user's own saves, with Model.log."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import stele
from servers import stele_server
from stele.errors import DoesNotExist, InvalidParameterValue
from stele.models import Model

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0]})


def save_constant(path: str, mlflow_model: Model, value: float) -> None:
    """A flavor as somebody outside of Stele would write it."""
    folder = Path(path)
    assert not folder.exists()
    folder.mkdir()
    (folder / "value.txt").write_text(str(value), "utf-8")
    mlflow_model.add_flavor("constant", file="value.txt")
    mlflow_model.save(folder / "MLmodel")


CONSTANT = SimpleNamespace(save_model=save_constant)


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
def test_a_module_of_ones_own(tmp_path: Path) -> None:
    with stele.start_run() as run:
        stele.log_metric("auc", 0.9, step=7)
        info = Model.log(
            None,
            CONSTANT,
            "constants",
            name="three",
            metadata={"why": "test"},
            params={"depth": 3},
            tags={"team": "risk"},
            model_type="x",
            step=7,
            value=3.0,
        )
    model = stele.get_logged_model(info.model_id)
    assert (model.name, model.source_run_id, model.model_type) == ("three", run.info.run_id, "x")
    assert (model.params, model.tags["team"], str(model.status)) == ({"depth": "3"}, "risk", "READY")
    assert [(point.key, point.step) for point in model.metrics] == [("auc", 7)]
    assert model.digest is not None
    assert (info.flavors, info.metadata, info.run_id) == (
        {"constant": {"file": "value.txt"}},
        {"why": "test"},
        model.source_run_id,
    )
    assert info.registered_model_version == 1
    found = Model.load("models:/constants/1")
    assert (found.model_id, found.run_id, found.metadata) == (model.model_id, run.info.run_id, {"why": "test"})
    folder = stele.artifacts.download_artifacts("models:/constants/1", dst_path=str(tmp_path / "down"))
    assert (Path(folder) / "value.txt").read_text("utf-8") == "3.0"


@pytest.mark.usefixtures("store")
def test_a_module_of_stele_and_another_run() -> None:
    with stele.start_run() as earlier:
        pass
    stele.set_experiment("another")
    with stele.start_run():
        estimator = LinearRegression().fit(FRAME, [0.0, 1.0, 2.0])
        info = Model.log(None, stele.sklearn, name="line", run_id=earlier.info.run_id, sk_model=estimator)
    model = stele.get_logged_model(info.model_id)
    assert (model.source_run_id, model.experiment_id) == (earlier.info.run_id, earlier.info.experiment_id)
    outputs = stele.get_run(earlier.info.run_id).outputs
    assert [each.model_id for each in outputs.model_outputs] == [model.model_id]
    assert stele.pyfunc.load_model(f"runs:/{earlier.info.run_id}/line").predict(FRAME).round(6).tolist() == [0, 1, 2]


def test_the_old_word_is_warned_of_where_it_was_used() -> None:
    with pytest.warns(FutureWarning, match="old word") as warned:
        info = Model.log("old", CONSTANT, value=1.0)
    assert info.name == "old"
    assert {each.filename for each in warned} == {__file__}


def test_what_saves_no_model_is_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="must be a module with a function save_model"):
        Model.log(None, "stele.sklearn", name="x")

    def save_nothing(path: str, mlflow_model: Model, **_: Any) -> None:
        del mlflow_model
        Path(path).mkdir()

    with pytest.raises(DoesNotExist, match="MLmodel"):
        Model.log(None, SimpleNamespace(save_model=save_nothing), name="empty")
    (failed,) = stele.search_logged_models(output_format="list")
    assert (failed.name, str(failed.status)) == ("empty", "FAILED")
    with pytest.raises(DoesNotExist):
        Model.log(None, CONSTANT, name="x", run_id="0" * 32, value=1.0)
