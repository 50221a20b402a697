"""Samples of CPU, memory, disk, network and GPU while a run goes on, logged as metrics under ``system/``.

Names and units are MLflow's. A thread per run samples and logs; whatever goes wrong there is logged as a warning and
never reaches the training code.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from stele import settings
from stele.client.calls.base import now
from stele.client.client import Client
from stele.client.gpu import gpu_loads
from stele.errors import InvalidParameterValue, shown
from stele.schema.metrics import Metric

__all__ = [
    "SystemMetricsMonitor",
    "disable_system_metrics_logging",
    "enable_system_metrics_logging",
    "is_enabled",
    "reset",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
]

_LOGGER = logging.getLogger(__name__)
_MEGABYTE = 1e6
_JOIN_SECONDS = 5.0
# CPU load is measured since the call before; over no time at all it would be 0.
_FIRST_SECONDS = 0.2


class _Chosen:
    """What code set; None leaves it to the environment."""

    enabled: bool | None = None
    interval: float | None = None
    samples: int | None = None
    node_id: str | None = None


def enable_system_metrics_logging() -> None:
    """Sample the machine in every run that starts from now on."""
    _Chosen.enabled = True


def disable_system_metrics_logging() -> None:
    """Sample nothing in runs that start from now on, unless start_run asks for it."""
    _Chosen.enabled = False


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Set the seconds between two samples; None goes back to ``STELE_SYSTEM_METRICS_INTERVAL``.

    Raises:
        InvalidParameterValue: It is not greater than 0.
    """
    if interval is not None and not interval > 0:
        raise InvalidParameterValue(f"The sampling interval is {shown(interval)}. It must be greater than 0 seconds.")
    _Chosen.interval = interval


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """Set how many samples are averaged into one point; None goes back to ``STELE_SYSTEM_METRICS_SAMPLES``.

    Raises:
        InvalidParameterValue: It is less than 1.
    """
    if samples is not None and samples < 1:
        raise InvalidParameterValue(f"Samples before logging is {shown(samples)}. It must be 1 or more.")
    _Chosen.samples = samples


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Put a name of this machine into the keys, ``system/<node_id>/...``; for runs on several machines."""
    _Chosen.node_id = node_id


def is_enabled(asked: bool | None) -> bool:
    """Whether a run is sampled: what start_run was told, else what code set, else the environment."""
    if asked is not None:
        return asked
    return settings.SYSTEM_METRICS.get() if _Chosen.enabled is None else _Chosen.enabled


def reset() -> None:
    """Forget what code set."""
    _Chosen.enabled = _Chosen.interval = _Chosen.samples = _Chosen.node_id = None


class SystemMetricsMonitor:
    """Samples for one run.

    Args:
        client: Where to log.
        run_id: The run.
        resume: Whether the run was sampled before, so that steps go on where they stopped.
    """

    def __init__(self, client: Client, run_id: str, *, resume: bool = False) -> None:
        self._client = client
        self._run_id = run_id
        self._resume = resume
        self._interval = _Chosen.interval or settings.SYSTEM_METRICS_SECONDS.get()
        self._samples = max(_Chosen.samples or settings.SYSTEM_METRICS_SAMPLES.get(), 1)
        node = settings.SYSTEM_METRICS_NODE.get() if _Chosen.node_id is None else _Chosen.node_id
        self._prefix = f"system/{node}/" if node else "system/"
        self._step = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stele-system-metrics", daemon=True)

    def start(self) -> None:
        """Begin; the first sample is taken at once, the last one when the run ends."""
        self._thread.start()

    def finish(self) -> None:
        """Log what was sampled and stop."""
        self._stop.set()
        self._thread.join(_JOIN_SECONDS)

    def _watch(self) -> None:
        try:
            sample = _sampler()
            if self._resume:
                key = f"{self._prefix}cpu_utilization_percentage"
                steps = [point.step for point in self._client.get_metric_history(self._run_id, key)]
                self._step = max(steps, default=-1) + 1
            self._sample_until_stopped(sample)
        except Exception:
            _LOGGER.warning("System metrics of run %s are not logged any more.", self._run_id, exc_info=True)

    def _sample_until_stopped(self, sample: Callable[[], dict[str, float]]) -> None:
        samples: list[dict[str, float]] = []
        stopped = self._stop.wait(min(_FIRST_SECONDS, self._interval))
        while True:
            samples.append(sample())
            if stopped or len(samples) >= self._samples:
                self._log(samples)
                samples = []
            if stopped:
                return
            stopped = self._stop.wait(self._interval)

    def _log(self, samples: list[dict[str, float]]) -> None:
        timestamp = now()
        mean = {
            name: sum(sample.get(name, samples[-1][name]) for sample in samples) / len(samples) for name in samples[-1]
        }
        points = [Metric(self._prefix + name, value, timestamp, self._step) for name, value in mean.items()]
        self._client.log_batch(self._run_id, metrics=points)
        self._step += 1


def _sampler() -> Callable[[], dict[str, float]]:
    """A function that measures the machine now; traffic counts from this call on."""
    import psutil

    psutil.cpu_percent()  # the first call only sets the mark for the next
    network = psutil.net_io_counters()
    loads = gpu_loads()

    def sample() -> dict[str, float]:
        memory, disk, traffic = psutil.virtual_memory(), psutil.disk_usage("/"), psutil.net_io_counters()
        values = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / _MEGABYTE,
            "system_memory_usage_percentage": memory.percent,
            "disk_usage_megabytes": disk.used / _MEGABYTE,
            "disk_usage_percentage": disk.percent,
            "disk_available_megabytes": disk.free / _MEGABYTE,
        }
        if network is not None and traffic is not None:
            values["network_receive_megabytes"] = (traffic.bytes_recv - network.bytes_recv) / _MEGABYTE
            values["network_transmit_megabytes"] = (traffic.bytes_sent - network.bytes_sent) / _MEGABYTE
        for index, load in enumerate(loads()):
            values |= load.metrics(index)
        return values

    return sample
