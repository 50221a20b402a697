"""The fluent functions about logged models, and their files."""

import threading

import pytest

import stele
import stele.artifacts
from stele.entities import LoggedModelInput, LoggedModelOutput, LoggedModelStatus
from stele.errors import DoesNotExist, InvalidParameterValue

DIGEST = "sha256:" + "0" * 64


def test_a_model_belongs_to_the_active_run():
    with stele.start_run() as run:
        model = stele.initialize_logged_model("net", params={"depth": 3, "none": None}, tags={"team": 1})
    assert (model.source_run_id, model.experiment_id) == (run.info.run_id, run.info.experiment_id)
    assert (model.status, model.model_uri) == (LoggedModelStatus.PENDING, f"models:/{model.model_id}")
    assert model.params == {"depth": "3", "none": "None"}
    assert model.tags["team"] == "1"
    assert "mlflow.source.type" in model.tags
    assert stele.last_logged_model() == model


def test_a_model_needs_no_run():
    stele.set_experiment("models")
    model = stele.initialize_logged_model()
    assert model.source_run_id == ""
    assert stele.Client().get_experiment(model.experiment_id).name == "models"


def test_finalizing_tells_status_and_digest():
    model_id = stele.initialize_logged_model("net").model_id
    with pytest.raises(InvalidParameterValue, match="status"):
        stele.finalize_logged_model(model_id, "DONE")
    done = stele.finalize_logged_model(model_id, LoggedModelStatus.READY, digest=DIGEST)
    assert (done.status, done.digest) == ("READY", DIGEST)
    assert stele.get_logged_model(model_id) == done


def test_an_external_model_can_be_measured_at_once():
    model = stele.create_external_model("api", params={"a": 1})
    assert (model.status, model.tags["mlflow.model.isExternal"]) == ("READY", "true")
    text = stele.artifacts.load_text(f"{model.artifact_location}/MLmodel")
    assert f"model_id: {model.model_id}\n" in text
    assert [file.path for file in stele.Client().list_logged_model_artifacts(model.model_id)] == ["MLmodel"]


def test_metrics_are_about_the_active_model():
    model = stele.set_active_model(name="net")
    assert stele.get_active_model_id() == model.model_id
    with stele.start_run() as run:
        stele.log_metric("a", 1.0)
        stele.log_metric("a", 2.0, step=1)
        stele.log_metrics({"b": 3.0})
    points = [(point.key, point.value) for point in stele.get_logged_model(model.model_id).metrics]
    assert sorted(points) == [("a", 1.0), ("a", 2.0), ("b", 3.0)]
    assert stele.get_run(run.info.run_id).inputs.model_inputs == [LoggedModelInput(model.model_id)]
    assert stele.get_run(run.info.run_id).data.metrics == {"a": 2.0, "b": 3.0}


def test_a_model_that_becomes_active_later_gets_the_later_points():
    with stele.start_run():
        stele.log_metric("a", 1.0)
        with stele.set_active_model(name="net") as model:
            stele.log_metric("a", 2.0, step=1)
            stele.log_metrics({"a": 3.0}, step=2)
        stele.log_metric("a", 4.0, step=3)
    assert [point.value for point in stele.get_logged_model(model.model_id).metrics] == [2.0, 3.0]


def test_active_models_are_nested_and_belong_to_a_thread():
    outer = stele.set_active_model(name="outer")
    assert stele.set_active_model(name="outer").model_id == outer.model_id
    with stele.set_active_model(model_id=stele.initialize_logged_model("inner").model_id) as inner:
        assert stele.get_active_model_id() == inner.model_id
    assert stele.get_active_model_id() == outer.model_id
    seen = []
    thread = threading.Thread(target=lambda: seen.append(stele.get_active_model_id()))
    thread.start()
    thread.join()
    assert seen == [None]
    stele.clear_active_model()
    assert stele.get_active_model_id() is None


def test_the_environment_names_a_model(monkeypatch):
    model = stele.initialize_logged_model("net")
    monkeypatch.setenv("MLFLOW_ACTIVE_MODEL_ID", model.model_id)
    with stele.start_run():
        stele.log_metric("a", 1.0)
        stele.log_metric("a", 2.0)
    assert len(stele.get_logged_model(model.model_id).metrics) == 2
    stele.clear_active_model()
    assert stele.get_active_model_id() is None


@pytest.mark.parametrize("arguments", [{}, {"name": "a", "model_id": "b"}])
def test_an_active_model_is_named_once(arguments):
    with pytest.raises(InvalidParameterValue, match="name or model_id"):
        stele.set_active_model(**arguments)


def test_an_unknown_model_cannot_be_active():
    with pytest.raises(DoesNotExist):
        stele.set_active_model(model_id="m-" + "0" * 32)
    with pytest.raises(InvalidParameterValue, match="name"):
        stele.set_active_model(name="it's")


def test_params_and_tags():
    model_id = stele.initialize_logged_model("net").model_id
    stele.log_model_params({"a": 1}, model_id)
    with pytest.raises(InvalidParameterValue, match="model_id"):
        stele.log_model_params({"a": 1})
    with stele.set_active_model(model_id=model_id):
        stele.log_model_params({"b": None})
    stele.set_logged_model_tags(model_id, {"k": 1, "l": 2})
    stele.delete_logged_model_tag(model_id, "k")
    found = stele.get_logged_model(model_id)
    assert found.params == {"a": "1", "b": "None"}
    assert "k" not in found.tags
    assert found.tags["l"] == "2"


def test_searches():
    for i in range(3):
        stele.initialize_logged_model(f"net-{i}", params={"i": i})
    table = stele.search_logged_models(filter_string="name LIKE 'net-%'")
    assert sorted(table["name"]) == ["net-0", "net-1", "net-2"]
    assert list(table.columns) == sorted(table.columns)
    assert set(table["status"]) == {"PENDING"}
    order = [{"field_name": "name", "ascending": False}]
    listed = stele.search_logged_models(order_by=order, output_format="list", max_results=2)
    assert [model.name for model in listed] == ["net-2", "net-1"]
    page = stele.Client().search_logged_models(["0"], max_results=2)
    assert len(page) == 2
    assert len(stele.Client().search_logged_models(["0"], max_results=2, page_token=page.token)) == 1
    for bad in ({"order_by": [{"name": "x"}]}, {"datasets": [{}]}, {"output_format": "polars"}):
        with pytest.raises(InvalidParameterValue):
            stele.search_logged_models(**bad)


def test_files_of_a_model_are_found_through_its_run(tmp_path):
    (tmp_path / "f.txt").write_text("hi")
    client = stele.Client()
    with stele.start_run() as run:
        stele.log_text("own", "notes/a.txt")
        model = stele.initialize_logged_model("net")
        stele.log_outputs([LoggedModelOutput(model.model_id, 1)])
    client.log_model_artifact(model.model_id, str(tmp_path / "f.txt"))
    client.log_model_artifact(model.model_id, str(tmp_path / "f.txt"), "sub")
    run_id = run.info.run_id
    assert [(file.path, file.is_dir) for file in stele.artifacts.list_artifacts(f"runs:/{run_id}/net")] == [
        ("net/f.txt", False),
        ("net/sub", True),
    ]
    assert [file.path for file in client.list_artifacts(run_id, "net/sub")] == ["net/sub/f.txt"]
    assert stele.artifacts.load_text(f"runs:/{run_id}/net/sub/f.txt") == "hi"
    path = stele.artifacts.download_artifacts(run_id=run_id, artifact_path="net", dst_path=str(tmp_path / "down"))
    assert path == str(tmp_path / "down/net")
    assert sorted(file.name for file in (tmp_path / "down/net").iterdir()) == ["f.txt", "sub"]
    # Its own files come first.
    assert stele.artifacts.load_text(f"runs:/{run_id}/notes/a.txt") == "own"
    with pytest.raises(DoesNotExist):
        stele.artifacts.load_text(f"runs:/{run_id}/missing/a.txt")
    client.log_model_artifacts(model.model_id, str(tmp_path / "down/net/sub"), "more")
    assert [file.path for file in client.list_logged_model_artifacts(model.model_id, "more")] == ["more/f.txt"]


def test_a_deleted_model_is_gone():
    model_id = stele.initialize_logged_model("net").model_id
    stele.Client().delete_logged_model(model_id)
    with pytest.raises(DoesNotExist):
        stele.get_logged_model(model_id)
    assert stele.search_logged_models(output_format="list") == []
