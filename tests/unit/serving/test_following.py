"""Serving what the registry says: aliases that move, and samples that are kept there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LinearRegression

import stele
import stele.sklearn
from serving_tools import Asker, frame, until
from stele.errors import InvalidParameterValue
from stele.serving.config import ServingConfig
from stele.serving.run import make_app


def register(slope: float) -> str:
    """Log a model that predicts ``slope * a + b``, and register it; returns the version."""
    data = frame(4).assign(b=[0.0, 1.0, 0.0, 2.0])
    model = LinearRegression(fit_intercept=False).fit(data, slope * data["a"] + data["b"])
    with stele.start_run():
        info = stele.sklearn.log_model(model, name="model", input_example=data, registered_model_name="linear")
    return str(info.registered_model_version)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    uri = f"sqlite:///{tmp_path}/stele.db"
    monkeypatch.setenv("STELE_CAPTURE", "false")
    stele.set_tracking_uri(uri)
    return uri


def ask_for(store: str, **options: Any) -> Asker:
    return Asker(make_app(ServingConfig(model_uri="models:/linear@champion", tracking_uri=store, **options))).live()


BODY = {"dataframe_records": [{"a": 1, "b": 0}]}


def test_an_alias_that_moves_brings_its_version(store: str) -> None:
    client = stele.Client()
    versions = [register(slope) for slope in (2.0, 3.0)]
    client.set_registered_model_alias("linear", "champion", versions[0])
    ask = ask_for(store, follow_alias=True, follow_seconds=0.01)
    first = ask.predict(BODY)
    assert (first.headers["x-stele-model-version"], first.json["predictions"]) == ("1", pytest.approx([2.0]))
    client.set_registered_model_alias("linear", "champion", versions[1])
    until(lambda: ask.predict(BODY).headers["x-stele-model-version"] == "2")
    assert ask.predict(BODY).json["predictions"] == pytest.approx([3.0])
    assert 'stele_serving_swaps_total{outcome="done"} 1.0' in ask("GET", "/metrics").body.decode()
    ask.close()


def test_without_following_a_server_keeps_its_version(store: str) -> None:
    client = stele.Client()
    versions = [register(slope) for slope in (2.0, 3.0)]
    client.set_registered_model_alias("linear", "champion", versions[0])
    ask = ask_for(store)
    client.set_registered_model_alias("linear", "champion", versions[1])
    ask.app.holder.check()
    assert ask.predict(BODY).headers["x-stele-model-version"] == "1"
    ask.close()


def test_what_is_no_alias_cannot_be_followed(store: str, linear: Path) -> None:
    with pytest.raises(InvalidParameterValue, match="cannot be followed"):
        make_app(ServingConfig(model_uri=str(linear), tracking_uri=store, follow_alias=True))


def test_samples_are_kept_in_the_store(store: str) -> None:
    client = stele.Client()
    client.set_registered_model_alias("linear", "champion", register(2.0))
    ask = ask_for(store, sample_rate=1.0, sample_experiment="live")
    for value in (1, 2):
        ask.predict({"dataframe_records": [{"a": value, "b": 0}]})
    ask.close()
    (run,) = stele.search_runs(experiment_names=["live"], output_format="list")
    assert run.info.status == "FINISHED"
    assert run.data.tags["stele.serving.model_uri"] == "models:/linear@champion"
    assert run.data.metrics["samples"] == 2
    (file,) = client.list_artifacts(run.info.run_id, "samples")
    text = Path(client.download_artifacts(run.info.run_id, file.path)).read_text()
    samples = [json.loads(line) for line in text.splitlines()]
    assert [sample["inputs"]["data"] for sample in samples] == [[[1, 0]], [[2, 0]]]
    assert [sample["outputs"] for sample in samples] == [pytest.approx([2.0]), pytest.approx([4.0])]
