"""What searches of the registry must find, as :mod:`stele.testing.search_oracle` says it of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from stele.search.tree import And, Compare, Field, Node, Not, Or, OrderKey
from stele.testing.search_oracle import Tagged, matches

__all__ = [
    "PROMPT_TAG",
    "STAGES",
    "RegisteredRecord",
    "VersionRecord",
    "search_registered_models",
    "search_versions",
]

PROMPT_TAG = "mlflow.prompt.is_prompt"
STAGES = ("None", "Staging", "Production", "Archived")
"""In their order."""


@dataclass(frozen=True)
class RegisteredRecord:
    """A registered model and everything that a search may ask about it."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class VersionRecord:
    """A version of a registered model and everything that a search may ask about it; its aliases have its number."""

    name: str
    version_number: int
    run_id: str
    model_id: str
    source_path: str
    current_stage: str
    creation_timestamp: int
    last_updated_timestamp: int
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)


R = TypeVar("R", RegisteredRecord, VersionRecord)


def search_registered_models(
    records: Iterable[RegisteredRecord], node: Node | None, order: Sequence[OrderKey], now: int
) -> list[RegisteredRecord]:
    """The matching registered models in order; by name without one."""
    found = sorted(_found(records, node, now), key=lambda record: record.name)
    return _ordered(found, order)


def search_versions(
    records: Iterable[VersionRecord], node: Node | None, order: Sequence[OrderKey], now: int
) -> list[VersionRecord]:
    """The matching versions in order; those that changed last come first without one."""
    found = sorted(_found(records, node, now), key=lambda record: (record.name, -record.version_number))
    return _ordered(found, order or [OrderKey(Field("attribute", "last_updated_timestamp"), ascending=False)])


def _found(records: Iterable[R], node: Node | None, now: int) -> list[R]:
    """What matches; prompts only when the filter speaks of them."""
    everything = node is not None and _names_prompts(node)
    return [
        record
        for record in records
        if (everything or not _is_prompt(record)) and (node is None or _holds(record, node, now))
    ]


def _ordered(records: list[R], order: Sequence[OrderKey]) -> list[R]:
    for key in reversed(order):
        name = key.field.key
        records.sort(
            key=lambda record: (
                STAGES.index(getattr(record, name)) if name == "current_stage" else getattr(record, name)
            ),
            reverse=not key.ascending,
        )
    return records


def _names_prompts(node: Node) -> bool:
    match node:
        case And(items) | Or(items):
            return any(_names_prompts(item) for item in items)
        case Not(item):
            return _names_prompts(item)
        case Compare():
            return node.field == Field("tag", PROMPT_TAG)


def _is_prompt(record: Tagged) -> bool:
    return record.tags.get(PROMPT_TAG) == "true"


def _holds(record: Tagged, node: Node, now: int) -> bool:
    match node:
        case And(items):
            return all(_holds(record, item, now) for item in items)
        case Or(items):
            return any(_holds(record, item, now) for item in items)
        case Not(item):
            return not _holds(record, item, now)
        case Compare(field=Field(key="run_id" | "model_id"), operator="IS NULL" | "IS NOT NULL"):
            return bool(getattr(record, node.field.key)) == (node.operator == "IS NOT NULL")
        case Compare(field=Field("tag", "mlflow.prompt.is_prompt"), operator="=" | "!=", value="true" | "false"):
            # What lacks the tag is no prompt.
            return _is_prompt(record) == ((node.operator == "=") == (node.value == "true"))
        case Compare():
            return matches(record, node, now)
