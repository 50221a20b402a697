"""Rewinding and forking runs from Python, with points that are still in the journal."""

from __future__ import annotations

import pytest

import stele
from stele.errors import InvalidParameterValue


def values(run) -> list[float]:
    return [point.value for point in stele.get_metric_history(run.info.run_id, "loss")]


def test_a_rewind_sees_what_was_logged_before_and_not_what_comes_after():
    with stele.start_run() as run:
        for step in range(5):
            stele.log_metric("loss", float(step), step=step)
        assert stele.rewind(run, 1).hidden_points == 3
        stele.log_metric("loss", 20.0, step=2)
    assert values(run) == [0.0, 1.0, 20.0]
    undone = stele.undo_rewind(run.info.run_id)
    assert (undone.restored_points, undone.hidden_points) == (3, 1)
    assert values(run) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert [item.step for item in stele.list_rewinds(run)] == [1, 1]


def test_a_fork_shares_what_was_logged_before():
    with stele.start_run() as parent:
        for step in range(5):
            stele.log_metric("loss", float(step), step=step)
        with stele.start_run(fork_from=parent, fork_step=2, nested=True) as fork:
            assert fork.data.metrics == {"loss": 2.0}
            stele.log_metric("loss", 30.0, step=3)
        stele.log_metric("loss", 5.0, step=5)
    assert values(fork) == [0.0, 1.0, 2.0, 30.0]
    assert values(parent) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert stele.get_run(fork.info.run_id).data.tags["stele.fork.from"] == parent.info.run_id


def test_a_fork_belongs_to_the_experiment_of_its_origin():
    experiment = stele.create_experiment("elsewhere")
    with stele.start_run(experiment_id=experiment) as parent:
        pass
    with stele.start_run(fork_from=parent.info.run_id) as fork:
        assert fork.info.experiment_id == experiment
    with pytest.raises(InvalidParameterValue, match="experiment"):
        stele.start_run(fork_from=parent, experiment_id="0")


def test_a_run_is_continued_or_forked():
    with stele.start_run() as run:
        pass
    with pytest.raises(InvalidParameterValue, match="fork_from"):
        stele.start_run(run_id=run.info.run_id, fork_from=run)
    with pytest.raises(InvalidParameterValue, match="fork_from"):
        stele.start_run(run_id=run.info.run_id, fork_step=3)


@pytest.mark.parametrize("function", [stele.undo_rewind, stele.list_rewinds])
def test_what_is_no_run_is_named(function):
    with pytest.raises(InvalidParameterValue, match="run 5 is no run and no run id"):
        function(5)


@pytest.mark.parametrize("step", ["two", 1.5, None])
def test_bad_step(step):
    with stele.start_run() as run:
        pass
    with pytest.raises(InvalidParameterValue, match="step"):
        stele.rewind(run, step)
