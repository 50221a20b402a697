"""The code samples of the documents that the mission comes from run as they are, but for ``import stele as mlflow``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import stele
from servers import stele_server
from workplace import workplace

__all__ = ["workplace"]

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SRC = Path(__file__).parents[2] / "src"
DAY = 24 * 60 * 60 * 1000


def run_sample(name, directory, address="sqlite:///stele.db"):
    """Run a sample in a directory; the addresses of servers in it become ``address``."""
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    for server in ("http://localhost:5000", "http://mlflow-server:5000"):
        text = text.replace(server, address)
    program = directory / f"{name}.py"
    program.write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, program.name],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(SRC), "STELE_CAPTURE": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def finished(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_metric_without_a_run(workplace):
    finished(run_sample("seed_first_metric", workplace))
    (run,) = stele.search_runs(output_format="list")
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"accuracy": 0.95})


def check_basic_logging():
    (run,) = stele.search_runs(experiment_names=["home-price-prediction"], output_format="list")
    assert run.data.params == {"learning_rate": "0.01", "model_type": "xgboost"}
    assert run.data.tags["trained_by"] == "alice"
    points = stele.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in points] == [(epoch, 1.0 / (epoch + 1)) for epoch in range(10)]
    path = stele.Client().download_artifacts(run.info.run_id, "model.pkl")
    assert Path(path).read_text(encoding="utf-8") == "model"


def test_basic_logging(workplace):
    (workplace / "model.pkl").write_text("model", encoding="utf-8")
    finished(run_sample("seed_basic_logging", workplace))
    check_basic_logging()


def test_basic_logging_through_a_server(workplace, tmp_path_factory):
    (workplace / "model.pkl").write_text("model", encoding="utf-8")
    with stele_server(tmp_path_factory.mktemp("server")) as server:
        finished(run_sample("seed_basic_logging", workplace, server.url))
        stele.set_tracking_uri(server.url)
        check_basic_logging()


def test_experiment_setup(workplace):
    finished(run_sample("seed_experiment_setup", workplace))
    finished(run_sample("seed_experiment_setup", workplace))
    experiment = stele.get_experiment_by_name("fraud-detection-v5")
    assert experiment.tags == {"team": "ds-payments", "status": "active"}
    runs = stele.search_runs([experiment.experiment_id], output_format="list")
    assert [run.data.params["model_type"] for run in runs] == ["xgboost", "xgboost"]
    assert all(run.info.artifact_uri.startswith("s3://mlflow-artifacts/fraud-detection-v5/") for run in runs)
    assert {run.data.tags["purpose"] for run in runs} == {"online-training"}


def test_best_run(workplace):
    stele.set_experiment("fraud-detection-v5")
    ids = []
    for auc in (0.94, 0.96, 0.99, 0.97):
        with stele.start_run() as run:
            stele.log_metric("val_auc", auc)
            ids.append(run.info.run_id)
    assert finished(run_sample("seed_best_run", workplace)).strip() == f"runs:/{ids[2]}/model"


@pytest.mark.parametrize(("candidate", "code"), [(0.90, 0), (0.885, 0), (0.88, 1)])
def test_regression_gate(workplace, candidate, code):
    stele.set_experiment("fraud-detection-v5")
    for purpose, f1 in (("champion", 0.5), ("champion", 0.9), ("candidate", candidate)):
        with stele.start_run(tags={"purpose": purpose}):
            stele.log_param("model_type", "xgboost")
            stele.log_metric("f1_score", f1)
    done = run_sample("seed_regression_gate", workplace)
    assert done.returncode == code, done.stderr
    assert ("more than 2 %" in done.stderr) == bool(code)


def test_tag_policy(workplace):
    stele.create_experiment("good", tags={"team": "payments"})
    assert "1 experiments" in finished(run_sample("seed_tag_policy", workplace))
    stele.create_experiment("bad")
    done = run_sample("seed_tag_policy", workplace)
    assert done.returncode == 1
    assert "'bad' lacks team" in done.stderr


def test_archive(workplace):
    client = stele.Client()
    for name, age in (("old", 100), ("recent", 10)):
        experiment_id = client.create_experiment(name)
        run = client.create_run(experiment_id, start_time=client.create_run("0").info.start_time - age * DAY)
        client.set_terminated(run.info.run_id)
    client.create_experiment("empty and new")
    assert finished(run_sample("seed_archive_experiments", workplace)).split() == ["_archived/old"]
    assert finished(run_sample("seed_archive_experiments", workplace)) == ""
    names = {experiment.name for experiment in stele.search_experiments()}
    assert names == {"Default", "_archived/old", "recent", "empty and new"}


def test_nested_pipeline(workplace):
    output = finished(run_sample("seed_nested_pipeline", workplace))
    assert output.count("FINISHED") == 2
    assert output.strip().endswith("0.2")
