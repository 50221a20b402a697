"""What a search must find, evaluated run by run in plain Python: obviously right rather than fast.

The property tests compare every implementation of searching with this, on random stores and random filters.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from stele.search.tree import And, Compare, Field, Literal, Moment, Node, Not, Or, OrderKey

__all__ = [
    "ExperimentRecord",
    "LoggedModelRecord",
    "Point",
    "RunRecord",
    "Tagged",
    "matches",
    "number_in",
    "search_experiments",
    "search_logged_models",
    "search_runs",
    "summary",
]

STAGES = {"ACTIVE_ONLY": {"active"}, "DELETED_ONLY": {"deleted"}, "ALL": {"active", "deleted"}}


@dataclass(frozen=True)
class Point:
    """One point of a metric. The value may be NaN or infinite."""

    value: float
    timestamp: int
    step: int


@dataclass(frozen=True)
class RunRecord:
    """A run and everything that a search may ask about it. ``datasets`` are (name, digest, context)."""

    run_id: str
    experiment_id: int
    stage: str
    status: str
    start_time: int
    end_time: int | None
    run_name: str
    user_id: str
    artifact_uri: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    datasets: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class ExperimentRecord:
    """An experiment and everything that a search may ask about it."""

    experiment_id: int
    name: str
    stage: str
    creation_time: int
    last_update_time: int
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LoggedModelRecord:
    """A logged model and what a search may ask about it, its metrics aside."""

    model_id: str
    name: str
    model_type: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def search_logged_models(
    records: Iterable[LoggedModelRecord], node: Node | None, order: Sequence[OrderKey], now: int
) -> list[LoggedModelRecord]:
    """The matching logged models in order; the newest first without one."""
    found = [record for record in records if node is None or matches(record, node, now)]
    found.sort(key=lambda record: record.model_id)
    for key in reversed(order or [OrderKey(Field("attribute", "creation_timestamp_ms"), ascending=False)]):
        found = _ordered(found, key)
    return found


def search_runs(
    records: Iterable[RunRecord],
    experiment_ids: Sequence[int],
    node: Node | None,
    view: str,
    order: Sequence[OrderKey],
    now: int,
) -> list[RunRecord]:
    """The matching runs in order."""
    found = [
        record
        for record in records
        if record.experiment_id in experiment_ids
        and record.stage in STAGES[view]
        and (node is None or matches(record, node, now))
    ]
    found.sort(key=lambda record: record.run_id)
    found.sort(key=lambda record: record.start_time, reverse=True)
    for key in reversed(order):
        found = _ordered(found, key)
    return found


def search_experiments(
    records: Iterable[ExperimentRecord], node: Node | None, view: str, order: Sequence[OrderKey], now: int
) -> list[ExperimentRecord]:
    """The matching experiments in order."""
    found = [r for r in records if r.stage in STAGES[view] and (node is None or matches(r, node, now))]
    found.sort(key=lambda record: record.experiment_id, reverse=bool(order))
    for key in reversed(order or [OrderKey(Field("attribute", "creation_time"), ascending=False)]):
        found = _ordered(found, key)
    return found


R = TypeVar("R", RunRecord, ExperimentRecord, LoggedModelRecord)
Value = str | float | int


def _ordered(records: list[R], key: OrderKey) -> list[R]:
    """Sorted by one key; equal ones stay in their order, NaN and then missing come last in both directions."""
    ranked: dict[str, list[R]] = {"value": [], "nan": [], "missing": []}
    for record in records:
        values = _values(record, key.field)
        rank = "missing" if not values else "nan" if _is_nan(values[0]) else "value"
        ranked[rank].append(record)
    ranked["value"].sort(key=lambda record: _values(record, key.field)[0], reverse=not key.ascending)
    return ranked["value"] + ranked["nan"] + ranked["missing"]


class Tagged(Protocol):
    """A record of anything that can be searched. Its attributes have the names that filters give them."""

    @property
    def tags(self) -> dict[str, str]:
        """Tags by key."""
        ...


def matches(record: Tagged, node: Node, now: int) -> bool:
    """Whether a record is among what a filter finds at a time."""
    match node:
        case And(items):
            return all(matches(record, item, now) for item in items)
        case Or(items):
            return any(matches(record, item, now) for item in items)
        case Not(item):
            return not matches(record, item, now)
        case Compare(operator="IS NULL"):
            return not _values(record, node.field)
        case Compare():
            return any(_fits(value, node, now) for value in _values(record, node.field))


def _values(record: Tagged, field: Field) -> list[Value]:
    """The values a comparison may choose from; none when the key is missing, one except for datasets."""
    match field.entity:
        case "metric":
            assert isinstance(record, RunRecord)
            points = record.metrics.get(field.key)
            return [] if points is None else [summary(points)[field.aggregate or "last"]]
        case "param":
            assert isinstance(record, RunRecord | LoggedModelRecord)
            return [record.params[field.key]] if field.key in record.params else []
        case "tag":
            return [record.tags[field.key]] if field.key in record.tags else []
        case "alias":
            aliases = getattr(record, "aliases", {})
            return [aliases[field.key]] if field.key in aliases else []
        case "dataset":
            assert isinstance(record, RunRecord)
            position = ("name", "digest", "context").index(field.key)
            return [d[position] for d in record.datasets if field.key != "context" or d[position] != ""]
    if field.key == "duration":
        assert isinstance(record, RunRecord)
        return [] if record.end_time is None else [record.end_time - record.start_time]
    value = getattr(record, field.key)
    return [] if value is None else [value]


def summary(points: Sequence[Point]) -> dict[str, float]:
    """The aggregates of a series; NaN where there is no number."""
    in_order = sorted(points, key=lambda p: (p.step, p.timestamp, 0.0 if math.isnan(p.value) else p.value))
    numbers = [point.value for point in points if not math.isnan(point.value)]
    aggregates = {
        "first": in_order[0].value,
        "last": in_order[-1].value,
        "min": min(numbers, default=math.nan),
        "max": max(numbers, default=math.nan),
        "sum": sum(numbers) if numbers else math.nan,
    }
    total = aggregates["sum"]
    clamped = {name: max(-sys.float_info.max, min(sys.float_info.max, v)) for name, v in aggregates.items() if v == v}
    result = {name: clamped.get(name, math.nan) for name in aggregates}
    result["mean"] = total / len(numbers) if numbers and math.isfinite(total) else result["sum"]
    result["count"] = len(points)
    return result


def number_in(text: str) -> float | None:
    """The finite number that a param spells."""
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    return float(text) if math.isfinite(float(text)) else None


def _is_nan(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _fits(value: Value, node: Compare, now: int) -> bool:
    """Whether a value that is there satisfies the comparison."""
    if node.operator == "IS NOT NULL":
        return True
    literals = node.value if isinstance(node.value, tuple) else (node.value,)
    wanted = [_literal(literal, now) for literal in literals]
    if node.field.key == "experiment_id":
        value = str(value)
    if node.operator in ("LIKE", "ILIKE", "RLIKE"):
        assert isinstance(value, str)
        return _TEXTUAL[node.operator](value, str(wanted[0]))
    if not isinstance(wanted[0], str) and isinstance(value, str):  # a param compared as a number
        number = number_in(value)
        value = math.nan if number is None else number
    return _compares(value, node.operator, wanted)


def _literal(literal: Literal, now: int) -> Value:
    return now + literal.offset if isinstance(literal, Moment) else literal


def _compares(value: Value, operator: str, wanted: Sequence[Value]) -> bool:
    first = wanted[0]
    match operator:
        case "=" | "IN":
            return any(value == item for item in wanted)
        case "!=" | "NOT IN":
            return all(value != item for item in wanted)
    assert not isinstance(value, str)
    assert not isinstance(first, str)
    match operator:
        case "<":
            return value < first
        case "<=":
            return value <= first
        case ">":
            return value > first
        case ">=":
            return value >= first
    last = wanted[-1]
    assert operator == "BETWEEN"
    assert not isinstance(last, str)
    return first <= value <= last


def _like(text: str, pattern: str) -> bool:
    return _walk(text, pattern, lambda a, b: a == b)


def _ilike(text: str, pattern: str) -> bool:
    return _walk(text, pattern, lambda a, b: a in (b, b.lower(), b.upper()))


def _walk(text: str, pattern: str, same: object) -> bool:
    """Whether a LIKE pattern fits: the set of text positions that each part of the pattern can reach."""
    assert callable(same)
    reached = {0}
    for sign in pattern:
        if sign == "%":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(text) and (sign == "_" or same(text[at], sign))}
    return len(text) in reached


def _rlike(text: str, pattern: str) -> bool:
    python = re.sub(r"(?<!\\)\$", r"\\Z", pattern)
    return re.search(python, text, re.DOTALL | re.ASCII) is not None


_TEXTUAL = {"LIKE": _like, "ILIKE": _ilike, "RLIKE": _rlike}
