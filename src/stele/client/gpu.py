"""Names and load of the NVIDIA GPUs of this machine, through ``pynvml``, else through ``nvidia-smi``.

Nothing here raises: a machine without GPUs, driver or tools has none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from msgspec import Struct

__all__ = ["GpuLoad", "gpu_loads", "gpu_names"]

_SECONDS = 10
_FIELDS = ("utilization.gpu", "memory.used", "memory.total", "power.draw", "power.limit")
_MEBIBYTE_PER_MEGABYTE = 1.048576


class GpuLoad(Struct, frozen=True):
    """One GPU now: utilization in percent, memory in megabytes, power in watts; None where it does not tell."""

    utilization: float | None
    memory_used: float | None
    memory_total: float | None
    power: float | None
    power_limit: float | None

    def metrics(self, index: int) -> dict[str, float]:
        """The values under MLflow's names, without what is not known."""
        values = {
            "utilization_percentage": self.utilization,
            "memory_usage_megabytes": self.memory_used,
            "memory_usage_percentage": _percent(self.memory_used, self.memory_total),
            "power_usage_watts": self.power,
            "power_usage_percentage": _percent(self.power, self.power_limit),
        }
        return {f"gpu_{index}_{name}": value for name, value in values.items() if value is not None}


def _percent(part: float | None, whole: float | None) -> float | None:
    return 100 * part / whole if part is not None and whole else None


@functools.cache
def gpu_names() -> tuple[str, ...]:
    """The names of the GPUs, asked once per process."""
    return tuple(row[0] for row in _ask("name"))


def gpu_loads() -> Callable[[], list[GpuLoad]]:
    """A function that tells the load of every GPU now."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # no library, no driver, or one that does not fit the other
        return _loads_of_program if gpu_names() else list
    return lambda: [_load_of_handle(handle) for handle in handles]


def _load_of_handle(handle: object) -> GpuLoad:
    import pynvml

    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return GpuLoad(
        float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        memory.used / 1e6,
        memory.total / 1e6,
        pynvml.nvmlDeviceGetPowerUsage(handle) / 1e3,
        pynvml.nvmlDeviceGetPowerManagementLimit(handle) / 1e3,
    )


def _loads_of_program() -> list[GpuLoad]:
    loads = []
    for row in _ask(",".join(_FIELDS)):
        if len(row) == len(_FIELDS):
            utilization, used, total, power, limit = (_number(cell) for cell in row)
            loads.append(GpuLoad(utilization, _megabytes(used), _megabytes(total), power, limit))
    return loads


def _megabytes(mebibytes: float | None) -> float | None:
    return None if mebibytes is None else mebibytes * _MEBIBYTE_PER_MEGABYTE


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:  # "[N/A]"
        return None


def _ask(fields: str) -> list[list[str]]:
    """What ``nvidia-smi`` says about each GPU."""
    import shutil
    import subprocess

    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the arguments are ours
            [program, f"--query-gpu={fields}", "--format=csv,noheader,nounits"],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines() if line.strip()]
