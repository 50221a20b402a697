"""What may be logged to a run, checked before anything is written."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from stele import limits, settings
from stele.errors import InvalidParameterValue, shown
from stele.schema.metrics import Metric
from stele.schema.runs import LogBatch, Param, RunTag

__all__ = ["Batch", "check_batch", "check_params", "check_tags", "merge_params"]


class Batch(Struct):
    """A checked batch: metrics in their order, params and tags by key, values cut to their limits."""

    metrics: list[Metric] = []
    params: dict[str, str] = {}
    tags: dict[str, str] = {}


def check_batch(request: LogBatch) -> Batch:
    """The batch of a request.

    Raises:
        InvalidParameterValue: Too many entries, a key or value that is not allowed, or a param twice.
    """
    for name, items, most in (
        ("metrics", request.metrics, limits.MAX_BATCH_METRICS),
        ("params", request.params, limits.MAX_BATCH_PARAMS),
        ("tags", request.tags, limits.MAX_BATCH_TAGS),
    ):
        if len(items) > most:
            raise InvalidParameterValue(f"{name} has {len(items)} entries, at most {most} are allowed in one batch.")
    total = len(request.metrics) + len(request.params) + len(request.tags)
    if total > limits.MAX_BATCH_ENTITIES:
        raise InvalidParameterValue(
            f"The batch has {total} metrics, params and tags, at most {limits.MAX_BATCH_ENTITIES} are allowed together."
        )
    return Batch(check_metrics(request.metrics), check_params(request.params), check_tags(request.tags))


def check_metrics(metrics: Sequence[Metric], path: str = "metrics") -> list[Metric]:
    """The points, unchanged when each has an allowed key, value, timestamp and step.

    Raises:
        InvalidParameterValue: Otherwise; the path names the first bad field.
    """
    for i, metric in enumerate(metrics):
        if metric.model_id or metric.dataset_name:
            _check_measured(metric, f"{path}[{i}]")
    if _are_plain(metrics):
        keys = [metric.key for metric in metrics]
        first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
        for key in dict.fromkeys(keys):
            limits.check_key(key, f"{path}[{first[key]}].key")
        return list(metrics)
    seen: set[str] = set()
    for i, metric in enumerate(metrics):
        if metric.key not in seen:
            limits.check_key(metric.key, f"{path}[{i}].key")
            seen.add(metric.key)
        if isinstance(metric.value, bool) or not isinstance(metric.value, int | float):
            raise InvalidParameterValue(f"{path}[{i}].value {shown(metric.value)} is not a number.")
        if isinstance(metric.value, int) and not -math.inf < float_or_inf(metric.value) < math.inf:
            raise InvalidParameterValue(f"{path}[{i}].value {shown(metric.value)} is outside the range of doubles.")
        limits.check_timestamp(metric.timestamp, f"{path}[{i}].timestamp")
        limits.check_int64(metric.step, f"{path}[{i}].step")
    return list(metrics)


def _check_measured(metric: Metric, path: str) -> None:
    """Check what a point says about the model and the dataset."""
    limits.check_length(metric.model_id or "", limits.MAX_MODEL_ID_CHARACTERS, f"{path}.model_id")
    limits.check_length(metric.dataset_name or "", limits.MAX_DATASET_NAME_CHARACTERS, f"{path}.dataset_name")
    limits.check_length(metric.dataset_digest or "", limits.MAX_DATASET_DIGEST_CHARACTERS, f"{path}.dataset_digest")


def _are_plain(metrics: Sequence[Metric]) -> bool:
    """Whether all values are floats, and all times and steps integers within their limits.

    It is what nearly every batch is, and told column by column in a tenth of the time that single points take.
    """
    if not metrics:
        return True
    timestamps, steps = [metric.timestamp for metric in metrics], [metric.step for metric in metrics]
    return (
        {type(metric.value) for metric in metrics} == {float}
        and {*map(type, timestamps), *map(type, steps)} == {int}
        and min(timestamps) >= 0
        and max(max(timestamps), max(steps)) <= limits.INT64_MAX
        and min(steps) >= limits.INT64_MIN
    )


def float_or_inf(value: int) -> float:
    """The integer as a double, infinite where it does not fit."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def check_params(params: Sequence[Param], path: str = "params") -> dict[str, str]:
    """Values by key, cut to their limit.

    Raises:
        InvalidParameterValue: A key or value is not allowed, or a key comes twice.
    """
    checked: dict[str, str] = {}
    for i, param in enumerate(params):
        limits.check_key(param.key, f"{path}[{i}].key")
        if param.key in checked:
            raise InvalidParameterValue(f"{path}[{i}].key {shown(param.key)} comes twice in the batch.")
        checked[param.key] = _fitting(param.value, limits.MAX_PARAM_CHARACTERS, f"{path}[{i}].value")
    return checked


def check_tags(tags: Sequence[RunTag], path: str = "tags") -> dict[str, str]:
    """Values by key, cut to their limit; of a repeated key the last one.

    Raises:
        InvalidParameterValue: A key or value is not allowed.
    """
    checked: dict[str, str] = {}
    for i, tag in enumerate(tags):
        limits.check_key(tag.key, f"{path}[{i}].key")
        checked[tag.key] = _fitting(tag.value, limits.MAX_TAG_CHARACTERS, f"{path}[{i}].value")
    return checked


def merge_params(stored: dict[str, str], fresh: dict[str, str], run_id: str) -> dict[str, str]:
    """The params of ``fresh`` that are new.

    Raises:
        InvalidParameterValue: One of them has another value already; a param is written once.
    """
    for key, value in fresh.items():
        if stored.get(key, value) != value:
            raise InvalidParameterValue(
                f"Param {shown(key)} of run {shown(run_id)} has the value {shown(stored[key])} and cannot become "
                f"{shown(value)}: a param is written once. Log it under another key, or use a tag for what may change."
            )
    return {key: value for key, value in fresh.items() if key not in stored}


def _fitting(value: str, most: int, path: str) -> str:
    if len(value) > most and settings.TRUNCATE_LONG_VALUES.get():
        value = value[:most]
    return limits.check_length(value, most, path)
