import math

import pytest

import stele
from stele.client import gpu
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


def test_a_deleted_run_does_not_disturb_training():
    stele.set_system_metrics_sampling_interval(0.01)
    run = stele.start_run(log_system_metrics=True)
    stele.delete_run(run.info.run_id)

    def flush_until_a_sample_is_refused():
        while True:
            stele.flush_async_logging()

    with pytest.raises(InvalidParameterValue, match="deleted"):
        flush_until_a_sample_is_refused()
    stele.restore_run(run.info.run_id)
    stele.end_run()
    assert stele.get_run(run.info.run_id).info.status == "FINISHED"


@pytest.mark.parametrize("value", [0, -1])
def test_settings_are_checked(value):
    with pytest.raises(InvalidParameterValue):
        stele.set_system_metrics_sampling_interval(value)
    with pytest.raises(InvalidParameterValue):
        stele.set_system_metrics_samples_before_logging(value)


@pytest.fixture
def two_gpus(workplace, monkeypatch):
    """A machine where ``nvidia-smi`` knows two GPUs, one of which does not tell its power."""
    program = workplace / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        "  *=name) echo 'NVIDIA A100'; echo 'NVIDIA T4';;\n"
        "  *) echo '50, 1000, 4000, 100.5, 402'; echo '0, 0, 2000, [N/A], [N/A]';;\n"
        "esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    gpu.gpu_names.cache_clear()
    yield
    gpu.gpu_names.cache_clear()


def test_gpus_are_sampled_through_the_program_of_the_driver(two_gpus):
    with stele.start_run(log_system_metrics=True) as run:
        pass
    metrics = stele.get_run(run.info.run_id).data.metrics
    assert metrics["system/gpu_0_utilization_percentage"] == 50
    assert metrics["system/gpu_0_memory_usage_megabytes"] == pytest.approx(1048.576)
    assert metrics["system/gpu_0_memory_usage_percentage"] == pytest.approx(25)
    assert metrics["system/gpu_0_power_usage_watts"] == 100.5
    assert metrics["system/gpu_0_power_usage_percentage"] == pytest.approx(25)
    assert metrics["system/gpu_1_utilization_percentage"] == 0
    assert "system/gpu_1_power_usage_watts" not in metrics


def test_the_names_of_the_gpus_become_a_tag(two_gpus, monkeypatch):
    monkeypatch.setenv("STELE_CAPTURE", "true")
    with stele.start_run() as run:
        pass
    assert stele.get_run(run.info.run_id).data.tags["stele.gpu"] == "NVIDIA A100, NVIDIA T4"


def test_a_machine_without_gpus_has_none(workplace, monkeypatch):
    monkeypatch.setenv("PATH", str(workplace))
    gpu.gpu_names.cache_clear()
    assert gpu.gpu_names() == ()
    assert gpu.gpu_loads()() == []
