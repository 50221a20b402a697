import re

import pytest

import stele
from stele.schema.display import duration
from stele.schema.experiments import Experiment, ExperimentTag
from stele.schema.metrics import Metric
from stele.schema.runs import Param, Run, RunData, RunInfo, RunTag

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><svg/onload=alert(1)>",
    "a&lt;b",
]


def a_run(text="plain"):
    info = RunInfo("r1", "0", "ann", "FINISHED", 1_000, 4_500, artifact_uri=text, run_name=text)
    data = RunData([Metric(text, 0.25, 1)], [Param(text, text)], [RunTag(text, text), RunTag("mlflow.user", "ann")])
    return Run(info, data)


def test_a_run_is_one_line():
    assert repr(a_run("best")) == ("<Run 'best' FINISHED in 3.5 s, metrics best=0.25, params best='best', run_id='r1'>")


def test_an_experiment_is_one_line():
    experiment = Experiment("7", "fraud", "/files", "deleted", [ExperimentTag("team", "risk")])
    assert repr(experiment) == "<Experiment 'fraud' (deleted), tags team='risk', experiment_id='7'>"


def test_long_runs_stay_short():
    run = Run(a_run().info, RunData([Metric(f"m{i}", i, 1) for i in range(500)]))
    assert "and 496 more" in repr(run)
    assert "and 450 more" in run._repr_html_()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_users_wrote_becomes_markup(payload):
    experiment = Experiment("7", payload, payload, "active", [ExperimentTag(payload, payload)])
    for html in (a_run(payload)._repr_html_(), experiment._repr_html_()):
        assert set(re.findall(r"</?([a-z]+)", html)) <= {"table", "caption", "b", "tr", "th", "td"}
        assert payload not in html


def test_system_tags_are_left_out_of_the_table():
    assert "mlflow.user" not in a_run()._repr_html_()


def test_any_time_can_be_shown():
    run = Run(RunInfo("r", "0", "", "RUNNING", 2**62), RunData())
    assert str(2**62) in run._repr_html_()


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0 ms"), (999, "999 ms"), (1_500, "1.5 s"), (150_000, "2.5 min"), (9e7, "1.04 d")]
)
def test_durations(milliseconds, text):
    assert duration(milliseconds) == text


def test_an_active_run_shows_itself_too():
    with stele.start_run(run_name="live") as run:
        assert repr(run).startswith("<Run 'live' RUNNING")
