"""What can be searched: one table of names per kind of entity, and which operators fit which kind of value.

A further searchable entity is one more :class:`FieldTable` here.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "AGGREGATES",
    "EXPERIMENTS",
    "LOGGED_MODELS",
    "MODEL_VERSIONS",
    "OPERATORS",
    "REGISTERED_MODELS",
    "RUNS",
    "FieldTable",
    "Kind",
]

AGGREGATES = ("min", "max", "first", "last", "mean", "count")
"""Functions of a metric's whole series. NaN points take part in ``first``, ``last`` and ``count`` only."""


class Kind(enum.Enum):
    """What the values of a field are."""

    TEXT = "text"
    PARAM = "param"
    """Text that also compares as a number when the literal is one."""
    NUMBER = "number"
    TIME = "time"
    """Milliseconds since 1970."""
    DURATION = "duration"
    """Milliseconds."""
    ID = "id"
    """A number that MLflow writes in quotes."""
    WHOLE = "whole"
    """A whole number, in quotes or not."""


_NULL = ("IS NULL", "IS NOT NULL")
_TEXT = ("=", "!=", "LIKE", "ILIKE", "RLIKE", "IN", "NOT IN", *_NULL)
_NUMBER = ("=", "!=", "<", "<=", ">", ">=", "BETWEEN", "IN", "NOT IN", *_NULL)

OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: _TEXT,
    Kind.PARAM: (*_TEXT, "<", "<=", ">", ">=", "BETWEEN"),
    Kind.NUMBER: _NUMBER,
    Kind.TIME: _NUMBER,
    Kind.DURATION: _NUMBER,
    Kind.WHOLE: _NUMBER,
    Kind.ID: ("=", "!=", "IN", "NOT IN", *_NULL),
}


@dataclass(frozen=True, eq=False)
class FieldTable:
    """The names of one kind of entity.

    Args:
        plural: What a message calls the entities.
        attributes: Canonical name -> kind.
        entities: Canonical entity -> kind of its values, for fields with keys of the user.
        prefixes: Prefix as written -> canonical entity, ``attribute`` for the attributes.
        aliases: Other names of attributes.
        keys: For entities whose keys are fixed, such as datasets, these keys.
        unsortable: Entities that no order may use.
        bare_text: Whether text needs no quotes when it is one word or a number, as MLflow has it for logged models.
        aggregates: Whether metrics have a series of their own, whose aggregates can be asked for.
    """

    plural: str
    attributes: Mapping[str, Kind]
    entities: Mapping[str, Kind]
    prefixes: Mapping[str, str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unsortable: frozenset[str] = frozenset()
    bare_text: bool = False
    aggregates: bool = True

    def kind(self, entity: str, key: str) -> Kind:
        """The kind of a field's values."""
        return self.attributes[key] if entity == "attribute" else self.entities[entity]


def _prefixes(**names: str) -> dict[str, str]:
    return {prefix: entity for entity, prefixes in names.items() for prefix in prefixes.split()}


RUNS = FieldTable(
    plural="runs",
    attributes={
        "run_id": Kind.TEXT,
        "run_name": Kind.TEXT,
        "status": Kind.TEXT,
        "user_id": Kind.TEXT,
        "artifact_uri": Kind.TEXT,
        "start_time": Kind.TIME,
        "end_time": Kind.TIME,
        "duration": Kind.DURATION,
    },
    entities={"metric": Kind.NUMBER, "param": Kind.PARAM, "tag": Kind.TEXT, "dataset": Kind.TEXT},
    prefixes=_prefixes(
        metric="metrics metric",
        param="params param parameters parameter",
        tag="tags tag",
        dataset="datasets dataset",
        attribute="attributes attribute attr run",
    ),
    aliases={
        "run name": "run_name",
        "Run name": "run_name",
        "Run Name": "run_name",
        "created": "start_time",
        "Created": "start_time",
    },
    keys={"dataset": ("name", "digest", "context")},
    unsortable=frozenset({"dataset"}),
)

EXPERIMENTS = FieldTable(
    plural="experiments",
    attributes={
        "name": Kind.TEXT,
        "experiment_id": Kind.ID,
        "creation_time": Kind.TIME,
        "last_update_time": Kind.TIME,
    },
    entities={"tag": Kind.TEXT},
    prefixes=_prefixes(tag="tags tag", attribute="attribute attributes"),
    unsortable=frozenset({"tag"}),
)

LOGGED_MODELS = FieldTable(
    plural="logged models",
    attributes={
        "name": Kind.TEXT,
        "model_id": Kind.TEXT,
        "model_type": Kind.TEXT,
        "status": Kind.TEXT,
        "source_run_id": Kind.TEXT,
        "experiment_id": Kind.ID,
        "creation_timestamp_ms": Kind.TIME,
        "last_updated_timestamp_ms": Kind.TIME,
    },
    entities={"metric": Kind.NUMBER, "param": Kind.PARAM, "tag": Kind.TEXT},
    prefixes=_prefixes(metric="metrics metric", param="params param", tag="tags tag", attribute="attributes attribute"),
    aliases={
        "creation_timestamp": "creation_timestamp_ms",
        "creation_time": "creation_timestamp_ms",
        "last_updated_timestamp": "last_updated_timestamp_ms",
    },
    unsortable=frozenset({"param", "tag"}),
    bare_text=True,
    aggregates=False,
)

REGISTERED_MODELS = FieldTable(
    plural="registered models",
    attributes={"name": Kind.TEXT, "creation_timestamp": Kind.TIME, "last_updated_timestamp": Kind.TIME},
    entities={"tag": Kind.TEXT, "alias": Kind.WHOLE},
    prefixes=_prefixes(tag="tags tag", alias="aliases alias", attribute="attribute attributes"),
    aliases={"timestamp": "last_updated_timestamp"},
    unsortable=frozenset({"tag", "alias"}),
)

MODEL_VERSIONS = FieldTable(
    plural="model versions",
    attributes={
        "name": Kind.TEXT,
        "version_number": Kind.WHOLE,
        "run_id": Kind.TEXT,
        "model_id": Kind.TEXT,
        "source_path": Kind.TEXT,
        "current_stage": Kind.TEXT,
        "creation_timestamp": Kind.TIME,
        "last_updated_timestamp": Kind.TIME,
    },
    entities={"tag": Kind.TEXT, "alias": Kind.WHOLE},
    prefixes=_prefixes(tag="tags tag", alias="aliases alias", attribute="attribute attributes"),
    unsortable=frozenset({"tag", "alias"}),
)
