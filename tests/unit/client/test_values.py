import math

import numpy as np
import pytest

import stele
from stele.client.async_logging import split_batch
from stele.entities import Metric, Param, RunTag
from stele.errors import DoesNotExist, InvalidParameterValue


class Tensor:
    """What the scalars of torch, tensorflow and jax have in common."""

    def __init__(self, value):
        self._value = value

    def item(self):
        return self._value


@pytest.mark.parametrize(
    "value", [1, 1.0, True, np.float32(1), np.int64(1), np.array([1.0]), np.bool_(True), Tensor(1.0)]
)
def test_numbers_of_many_libraries_are_metrics(value):
    with stele.start_run() as run:
        stele.log_metric("x", value)
        stele.log_metrics({"y": value}, step=np.int64(3))
    assert stele.get_run(run.info.run_id).data.metrics == {"x": 1.0, "y": 1.0}


@pytest.mark.parametrize("value", ["1.0", None, [1, 2], np.array([1.0, 2.0]), object(), b"1", 10**400])
def test_other_values_are_refused(value):
    with stele.start_run() as run:
        with pytest.raises(InvalidParameterValue, match="'x'"):
            stele.log_metric("x", value)
        with pytest.raises(InvalidParameterValue, match="'x'"):
            stele.log_metrics({"x": value})
    assert stele.get_run(run.info.run_id).data.metrics == {}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_kept(value):
    with stele.start_run() as run:
        stele.log_metric("x", value)
    (point,) = stele.get_metric_history(run.info.run_id, "x")
    assert point.value == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("step", [1.5, "1", 2**63])
def test_steps_are_whole_numbers(step):
    with stele.start_run(), pytest.raises(InvalidParameterValue, match="step"):
        stele.log_metric("x", 1, step=step)


def test_times_may_be_fractions_of_milliseconds():
    with stele.start_run() as run:
        stele.log_metric("x", 1, timestamp=1_700_000_000_000.7)
        with pytest.raises(InvalidParameterValue, match="timestamp"):
            stele.log_metric("x", 1, timestamp=-1)
    assert [point.timestamp for point in stele.get_metric_history(run.info.run_id, "x")] == [1_700_000_000_000]


@pytest.mark.parametrize("key", ["", "a//b", "../a", "x" * 251, "a\0b", "naïve?"])
def test_keys_are_checked_in_the_foreground_and_in_the_background(key):
    with stele.start_run():
        for synchronous in (True, False):
            with pytest.raises(InvalidParameterValue):
                stele.log_metric(key, 1, synchronous=synchronous)
            with pytest.raises(InvalidParameterValue):
                stele.log_param(key, 1, synchronous=synchronous)
            with pytest.raises(InvalidParameterValue):
                stele.set_tag(key, 1, synchronous=synchronous)


def test_a_param_is_written_once_and_returned():
    with stele.start_run() as run:
        value = ["a", 1]
        assert stele.log_param("p", value) is value
        stele.log_param("p", value)
        with pytest.raises(InvalidParameterValue):
            stele.log_param("p", "else")
    assert stele.get_run(run.info.run_id).data.params == {"p": "['a', 1]"}


def test_tags_are_replaced_and_removed():
    with stele.start_run() as run:
        stele.set_tags({"a": 1, "b": 2})
        stele.set_tag("a", 3)
        stele.delete_tag("b")
        with pytest.raises(DoesNotExist):
            stele.delete_tag("b")
    tags = stele.get_run(run.info.run_id).data.tags
    assert (tags["a"], "b" in tags) == ("3", False)


def test_other_runs_can_be_written_to():
    with stele.start_run() as first:
        pass
    with stele.start_run():
        stele.log_metric("x", 1, run_id=first.info.run_id)
        stele.log_params({"p": 1}, run_id=first.info.run_id)
    found = stele.get_run(first.info.run_id)
    assert (found.data.metrics, found.data.params) == ({"x": 1.0}, {"p": "1"})


def test_more_than_a_batch_holds_is_split():
    with stele.start_run() as run:
        stele.log_params({f"p{i}": i for i in range(250)})
        stele.set_tags({f"t{i}": i for i in range(150)})
        stele.log_metrics({f"m{i}": i for i in range(1_500)})
    data = stele.get_run(run.info.run_id).data
    assert (len(data.params), len(data.metrics)) == (250, 1_500)
    assert sum(key.startswith("t") for key in data.tags) == 150


@pytest.mark.parametrize(("metrics", "params", "tags"), [(0, 0, 0), (1_000, 0, 0), (999, 100, 100), (2_500, 250, 130)])
def test_batches_stay_within_the_limits_and_lose_nothing(metrics, params, tags):
    given = (
        [Metric(f"m{i}", i, 1) for i in range(metrics)],
        [Param(f"p{i}", "x") for i in range(params)],
        [RunTag(f"t{i}", "x") for i in range(tags)],
    )
    batches = split_batch("r", *given)
    assert all(
        len(batch.metrics) + len(batch.params) + len(batch.tags) <= 1_000
        and len(batch.params) <= 100
        and len(batch.tags) <= 100
        for batch in batches
    )
    assert [m for batch in batches for m in batch.metrics] == given[0]
    assert [p for batch in batches for p in batch.params] == given[1]
    assert [t for batch in batches for t in batch.tags] == given[2]


def test_background_logging_keeps_everything_in_order():
    with stele.start_run() as run:
        operations = [stele.log_metric("x", i, step=i, synchronous=False) for i in range(3_000)]
        stele.log_param("p", 1, synchronous=False).wait()
        assert stele.set_tag("t", 1, synchronous=False) is not None
        operations[-1].wait()
        assert stele.get_run(run.info.run_id).data.metrics == {"x": 2_999.0}
    points = stele.get_metric_history(run.info.run_id, "x")
    assert [point.step for point in points if point.step % 500 == 0] == [0, 500, 1_000, 1_500, 2_000, 2_500]
    assert len(points) == 3_000


def test_reads_see_what_waits_in_the_background():
    with stele.start_run() as run:
        stele.log_metric("x", 1, synchronous=False)
        assert stele.get_run(run.info.run_id).data.metrics == {"x": 1.0}


def test_the_environment_makes_logging_asynchronous(monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    with stele.start_run() as run:
        stele.log_metric("x", 1).wait()
        assert stele.log_metric("y", 1, synchronous=True) is None
    assert set(stele.get_run(run.info.run_id).data.metrics) == {"x", "y"}


def test_asynchronous_logging_is_turned_on_and_off(monkeypatch):
    monkeypatch.setenv("STELE_ASYNC_LOGGING", "false")  # so that it is put back
    stele.enable_async_logging()
    with stele.start_run() as run:
        stele.set_tag("t", 1).wait()
        stele.log_param("p", 1).wait()
        assert stele.log_metric("x", 1) is not None
    stele.enable_async_logging(False)
    with stele.start_run(run_id=run.info.run_id):
        assert stele.set_tag("t", 2) is None
        assert stele.log_metric("x", 2) is None
    assert stele.get_run(run.info.run_id).data.tags["t"] == "2"


def test_a_failure_in_the_background_is_told_once_and_spares_its_neighbours():
    with stele.start_run() as run:
        stele.log_param("p", 1)
        good = [stele.log_param(f"q{i}", i, synchronous=False) for i in range(20)]
        bad = stele.log_param("p", 2, synchronous=False)
        after = stele.log_metric("x", 1, synchronous=False)
        with pytest.raises(InvalidParameterValue, match="p"):
            stele.flush_async_logging()
        stele.flush_async_logging()
        with pytest.raises(InvalidParameterValue):
            bad.wait()
        after.wait()
        for operation in good:
            operation.wait()
    assert len(stele.get_run(run.info.run_id).data.params) == 21


def test_who_waited_is_not_told_again():
    with stele.start_run():
        stele.log_param("p", 1)
        operation = stele.log_param("p", 2, synchronous=False)
        with pytest.raises(InvalidParameterValue):
            operation.wait()
        stele.flush_async_logging()


def test_synchronous_calls_and_a_variable_store_metrics_before_they_return(monkeypatch):
    with stele.start_run() as run:
        stele.delete_run(run.info.run_id)
        with pytest.raises(InvalidParameterValue, match="deleted"):
            stele.log_metric("x", 1, synchronous=True)
        with pytest.raises(InvalidParameterValue, match="deleted"):
            stele.log_metrics({"x": 1}, synchronous=True)
        monkeypatch.setenv("STELE_ASYNC_LOGGING", "false")
        with pytest.raises(InvalidParameterValue, match="deleted"):
            stele.log_metric("x", 1)
        stele.restore_run(run.info.run_id)


def test_what_a_store_refuses_is_told_when_somebody_waits():
    with stele.start_run() as run:
        stele.log_metric("x", 1)
        stele.delete_run(run.info.run_id)
        with pytest.raises(InvalidParameterValue, match="deleted"):
            stele.log_metric("x", 2, synchronous=False).wait()
        stele.flush_async_logging()
        stele.log_metric("x", 3)
        with pytest.raises(InvalidParameterValue, match="deleted"):
            stele.flush_async_logging()
        stele.flush_async_logging()
        stele.restore_run(run.info.run_id)
        stele.log_metric("x", 4)
    assert [point.value for point in stele.get_metric_history(run.info.run_id, "x")] == [1.0, 4.0]


def test_metrics_of_a_model_or_a_dataset_keep_what_they_are_about():
    dataset = stele.data.from_numpy(np.zeros((2, 2)), name="train")
    with stele.start_run() as run:
        stele.log_metric("x", 1, model_id=stele.initialize_logged_model("net").model_id)
        stele.log_metrics({"y": 1, "z": 2}, dataset=dataset)
    assert stele.get_run(run.info.run_id).data.metrics == {"x": 1.0, "y": 1.0, "z": 2.0}


def test_the_same_metric_logged_fast_and_slow_is_one_series():
    with stele.start_run() as run:
        for step in range(3):
            stele.log_metric("x", 0.5, step)
            stele.log_metric("x", np.float32(0.5), step=np.int32(step + 10))
            stele.log_metric("x", 1, step=float(step + 20), timestamp=5)
    points = stele.get_metric_history(run.info.run_id, "x")
    assert sorted(point.step for point in points) == [0, 1, 2, 10, 11, 12, 20, 21, 22]


def test_a_value_that_is_refused_leaves_no_hole():
    with stele.start_run() as run:
        for value in (0.5, "no", 0.25, 10**400, None):
            try:
                stele.log_metric("x", value)
            except InvalidParameterValue:
                continue
        with pytest.raises(InvalidParameterValue, match="step"):
            stele.log_metric("x", 1.0, step=2**63)
        stele.log_metric("x", 0.125)
    assert {point.value for point in stele.get_metric_history(run.info.run_id, "x")} == {0.5, 0.25, 0.125}


def test_history_of_an_unknown_metric_is_empty():
    with stele.start_run() as run:
        assert stele.get_metric_history(run.info.run_id, "none") == []


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("STELE_JOURNAL_MAX_BYTES", "much", "a whole number, 0 or more"),
        ("STELE_EXIT_TIMEOUT", "-1", "a number greater than 0"),
    ],
)
def test_a_mistake_in_a_variable_is_told_at_the_first_point(monkeypatch, variable, value, allowed):
    """Not at the end of the training, by a thread that dies of it."""
    with stele.start_run() as run:
        monkeypatch.setenv(variable, value)
        with pytest.raises(InvalidParameterValue, match=f"{variable} is '{value}': it must be {allowed}"):
            stele.log_metric("x", 1.0)
        monkeypatch.delenv(variable)
        stele.log_metric("x", 2.0)
    assert stele.get_run(run.info.run_id).data.metrics == {"x": 2.0}
