"""Searches for registered models and for versions: one statement for a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, false, not_, select, true

from stele.schema import registered_models as rm
from stele.search.fields import MODEL_VERSIONS, REGISTERED_MODELS, FieldTable
from stele.search.grammar import parse_filter, parse_order_by
from stele.search.page import Position, decode_token, encode_token, fingerprint
from stele.search.tree import Compare, Field, Node, OrderKey
from stele.stores.sql.model_tables import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)
from stele.stores.sql.registry_rows import STAGE_NAMES
from stele.stores.sql.search import deadline
from stele.stores.sql.search_clauses import Clauses, fields_of, word_fits
from stele.stores.sql.search_dialect import Condition, dialect_of
from stele.stores.sql.search_order import Term, behind
from stele.stores.sql.version_sources import PROMPT_TAG

__all__ = ["find_model_versions", "find_registered_models"]

_m, _v = registered_models.c, model_versions.c
_TAGS = registered_model_tags.alias("probe_registered_tags")
_VERSION_TAGS = model_version_tags.alias("probe_version_tags")
_ALIASES = registered_model_aliases.alias("probe_aliases")
_OWN_MODEL: dict[str, ColumnElement[Any]] = {
    "name": _m.name,
    "creation_timestamp": _m.creation_time,
    "last_updated_timestamp": _m.last_update_time,
}
_OWN_VERSION: dict[str, ColumnElement[Any]] = {
    "name": _m.name,
    "version_number": _v.version,
    "run_id": _v.run_id,
    "model_id": _v.model_id,
    "source_path": _v.source,
    "current_stage": _v.model_stage,
    "creation_timestamp": _v.creation_time,
    "last_updated_timestamp": _v.last_update_time,
}


@dataclass(frozen=True)
class _Entity:
    """What is searched.

    Attributes:
        fields: Its names.
        columns: Attribute -> column.
        default: The order when none is asked for.
        ties: What makes an order total.
    """

    fields: FieldTable
    columns: dict[str, ColumnElement[Any]]
    default: tuple[OrderKey, ...]
    ties: tuple[OrderKey, ...]


def _key(name: str, *, ascending: bool = True) -> OrderKey:
    return OrderKey(Field("attribute", name), ascending)


_MODELS = _Entity(REGISTERED_MODELS, _OWN_MODEL, (), (_key("name"),))
_VERSIONS = _Entity(
    MODEL_VERSIONS,
    _OWN_VERSION,
    (_key("last_updated_timestamp", ascending=False),),
    (_key("name"), _key("version_number", ascending=False)),
)


def find_registered_models(
    connection: Connection, request: rm.SearchRegisteredModels, now: int
) -> tuple[Sequence[Any], str]:
    """The rows of a page of registered models, and the token of the next one, empty after the last.

    Raises:
        InvalidFilter: The filter or the order cannot be understood.
        InvalidParameterValue: The page token is not one of this query.
        DeadlineExceeded: The time limit ran out.
    """
    return _find(connection, _MODELS, request, now, select(registered_models))


def find_model_versions(
    connection: Connection, request: rm.SearchModelVersions, now: int
) -> tuple[dict[int, str], Sequence[Any], str]:
    """The names of the models, the rows of a page of versions, and the token of the next page.

    Raises:
        InvalidFilter: The filter or the order cannot be understood.
        InvalidParameterValue: The page token is not one of this query.
        DeadlineExceeded: The time limit ran out.
    """
    query = select(model_versions, _m.name).join(registered_models, _m.registered == _v.registered)
    rows, token = _find(connection, _VERSIONS, request, now, query)
    return {row.registered: row.name for row in rows}, rows, token


def _find(
    connection: Connection,
    entity: _Entity,
    request: rm.SearchRegisteredModels | rm.SearchModelVersions,
    now: int,
    query: Any,
) -> tuple[Sequence[Any], str]:
    node = parse_filter(request.filter, entity.fields)
    order = list(parse_order_by(request.order_by, entity.fields)) or list(entity.default)
    order += [key for key in entity.ties if all(key.field != other.field for other in order)]
    terms = [Term(_kind(key), key.ascending, entity.columns[key.field.key]) for key in order]
    mark = fingerprint(entity.fields.plural, request.filter, list(request.order_by))
    position = decode_token(request.page_token, mark, [term.kind for term in terms])
    now = now if position is None else position.now
    clauses = _RegistryClauses(dialect_of(connection), {}, now, entity)
    row = registered_models if entity is _MODELS else model_versions
    statement = (
        query.where(true() if node is None else clauses.condition(node, row))
        .where(true() if _names_prompts(node) else not_(clauses.is_prompt(row)))
        .where(true() if position is None else behind(terms, position.values))
        .order_by(*(term.ordered() for term in terms))
        .limit(request.max_results + 1)
    )
    with deadline():
        found = connection.execute(statement).all()
    size = request.max_results
    token = ""
    if len(found) > size:
        last = found[size - 1]._mapping  # noqa: SLF001  # its public name
        token = encode_token(Position(tuple(last[entity.columns[key.field.key]] for key in order), now), mark)
    return found[:size], token


def _kind(key: OrderKey) -> type:
    return str if key.field.key in ("name", "run_id", "model_id", "source_path") else int


def _names_prompts(node: Node | None) -> bool:
    return any(field == Field("tag", PROMPT_TAG) for field in fields_of(node))


@dataclass(frozen=True)
class _RegistryClauses(Clauses):
    """Comparisons of registered models and versions.

    Args:
        entity: Which of the two.
    """

    entity: _Entity = _MODELS

    def comparison(self, node: Compare, row: FromClause, run: ColumnElement[int] | None) -> Condition:
        """The condition of one comparison on a row of ``registered_models`` or ``model_versions``."""
        del run
        if node.field.entity == "tag":
            return self._tag(node, row)
        if node.field.entity == "alias":
            return self._alias(node, row)
        column = self.entity.columns[node.field.key]
        if node.operator in ("IS NULL", "IS NOT NULL"):
            missing = column == "" if node.field.key in ("run_id", "model_id") else false()
            return missing if node.operator == "IS NULL" else not_(missing)
        if node.field.key == "current_stage":
            return self._stage(node, column)
        return self.text(column, node) if _kind(OrderKey(node.field)) is str else self.number(column, node)

    def is_prompt(self, row: FromClause) -> Condition:
        """It is a prompt, which is kept as a model with a certain tag."""
        tags = self._tags
        return self.dialect.probe(and_(self._own(tags, row), tags.c.key == PROMPT_TAG), tags.c.value == "true")

    def _tag(self, node: Compare, row: FromClause) -> Condition:
        if node.field.key == PROMPT_TAG and node.operator in ("=", "!=") and node.value in ("true", "false"):
            # What lacks the tag is no prompt: the one case in which MLflow's != finds what has no such key.
            wanted = (node.operator == "=") == (node.value == "true")
            return self.is_prompt(row) if wanted else not_(self.is_prompt(row))
        tags = self._tags
        return self._keyed(node, self._own(tags, row), tags.c.key, lambda: self.text(tags.c.value, node))

    def _alias(self, node: Compare, row: FromClause) -> Condition:
        """Of a model, the version that an alias stands for; of a version, the same where it is the one."""
        version = _ALIASES.c.version
        return self._keyed(node, self._own(_ALIASES, row), _ALIASES.c.alias, lambda: self.number(version, node))

    def _keyed(
        self, node: Compare, own: Condition, key: ColumnElement[str], value: Callable[[], Condition]
    ) -> Condition:
        """One of the model's or the version's ``own`` rows has the key, and the value where the operator takes one."""
        fits = true() if node.operator in ("IS NULL", "IS NOT NULL") else value()
        found = self.dialect.probe(and_(own, self.dialect.equal(key, node.field.key)), fits)
        return not_(found) if node.operator == "IS NULL" else found

    @property
    def _tags(self) -> FromClause:
        return _TAGS if self.entity is _MODELS else _VERSION_TAGS

    def _own(self, rows: FromClause, row: FromClause) -> Condition:
        own = rows.c.registered == row.c.registered
        return own if self.entity is _MODELS else and_(own, rows.c.version == row.c.version)

    def _stage(self, node: Compare, column: ColumnElement[Any]) -> Condition:
        fitting = [number for number, name in STAGE_NAMES.items() if word_fits(name, node)]
        return column.in_(fitting)
