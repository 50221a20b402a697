import math

import pytest

import stele
from stele.errors import InvalidParameterValue

KEYS = {
    "cpu_utilization_percentage",
    "disk_available_megabytes",
    "disk_usage_megabytes",
    "disk_usage_percentage",
    "network_receive_megabytes",
    "network_transmit_megabytes",
    "system_memory_usage_megabytes",
    "system_memory_usage_percentage",
}


def sampled(run):
    return {key for key in stele.get_run(run.info.run_id).data.metrics if key.startswith("system/")}


def test_a_short_run_has_a_point_of_everything():
    with stele.start_run(log_system_metrics=True) as run:
        pass
    assert {f"system/{key}" for key in KEYS} <= sampled(run)
    assert all(math.isfinite(value) for value in stele.get_run(run.info.run_id).data.metrics.values())


def test_they_are_off_by_default_and_can_be_turned_on(monkeypatch):
    with stele.start_run() as run:
        pass
    assert not sampled(run)
    stele.enable_system_metrics_logging()
    with stele.start_run() as run:
        pass
    assert sampled(run)
    with stele.start_run(log_system_metrics=False) as run:
        pass
    assert not sampled(run)
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    stele.disable_system_metrics_logging()
    with stele.start_run() as run:
        pass
    assert not sampled(run)


def test_a_machine_has_a_name_and_a_continued_run_goes_on_counting():
    stele.set_system_metrics_node_id("gpu-1")
    with stele.start_run(log_system_metrics=True) as run:
        pass
    with stele.start_run(run_id=run.info.run_id, log_system_metrics=True):
        pass
    points = stele.get_metric_history(run.info.run_id, "system/gpu-1/cpu_utilization_percentage")
    assert [point.step for point in points] == list(range(len(points)))
    assert len(points) >= 2


def test_samples_are_averaged():
    stele.set_system_metrics_sampling_interval(0.01)
    stele.set_system_metrics_samples_before_logging(1_000_000)
    with stele.start_run(log_system_metrics=True) as run:
        pass
    assert len(stele.get_metric_history(run.info.run_id, "system/cpu_utilization_percentage")) == 1


def test_a_deleted_run_does_not_disturb_training(caplog):
    stele.set_system_metrics_sampling_interval(0.01)
    run = stele.start_run(log_system_metrics=True)
    stele.delete_run(run.info.run_id)
    monitor_thread = next(t for t in __import__("threading").enumerate() if t.name == "stele-system-metrics")
    monitor_thread.join(10)
    assert not monitor_thread.is_alive()
    assert "System metrics" in caplog.text


@pytest.mark.parametrize("value", [0, -1])
def test_settings_are_checked(value):
    with pytest.raises(InvalidParameterValue):
        stele.set_system_metrics_sampling_interval(value)
    with pytest.raises(InvalidParameterValue):
        stele.set_system_metrics_samples_before_logging(value)
