"""Searches for logged models: from a request to the row numbers of a page, in order, by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, exists, false, not_, or_, select, true

from stele.errors import InvalidFilter, shown
from stele.limits import MAX_ORDER_BY_CLAUSES
from stele.schema.logged_models import MODEL_STATUS_NAMES, LoggedModelDataset, LoggedModelOrder, SearchLoggedModels
from stele.search.fields import LOGGED_MODELS
from stele.search.grammar import parse_filter
from stele.search.page import Position, decode_token, encode_token, fingerprint
from stele.search.tree import Compare
from stele.stores.sql.model_tables import (
    MODEL_FAILED,
    MODEL_PENDING,
    MODEL_READY,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
)
from stele.stores.sql.search import deadline
from stele.stores.sql.search_clauses import Clauses, word_fits
from stele.stores.sql.search_dialect import Condition, dialect_of
from stele.stores.sql.search_order import MISSING, NAN, PRESENT, Term, behind
from stele.stores.sql.tables import STAGE_ACTIVE

__all__ = ["find_models"]

_COLUMNS = {"creation_timestamp_ms": "creation_time", "last_updated_timestamp_ms": "last_update_time"}
_POINTS, _LATEST = logged_model_metrics.alias("probe_points"), logged_model_metrics.alias("latest_points")
_TEXTS = {"param": logged_model_params.alias("probe_params"), "tag": logged_model_tags.alias("probe_tags")}
# What a filter may call a status: MLflow's searches compare its number only.
_STATUS_WORDS = {
    number: (str(number), short, MODEL_STATUS_NAMES[number])
    for number, short in ((MODEL_PENDING, "PENDING"), (MODEL_READY, "READY"), (MODEL_FAILED, "FAILED"))
}


def find_models(
    connection: Connection, request: SearchLoggedModels, experiment_ids: Sequence[int], now: int
) -> tuple[list[int], str]:
    """One page: values of ``logged_models.model``, and the token of the next one, empty after the last.

    Args:
        connection: Where to read.
        request: What to find.
        experiment_ids: Its experiments as numbers.
        now: What ``now()`` is, milliseconds since 1970.

    Raises:
        InvalidFilter: The filter or the order cannot be understood.
        InvalidParameterValue: The page token is not one of this query.
        DeadlineExceeded: The time limit ran out.
    """
    node = parse_filter(request.filter, LOGGED_MODELS)
    keys = _order(request.order_by)
    mark = _mark(request, experiment_ids)
    kinds = [kind for key in keys for kind in key.kinds]
    position = decode_token(request.page_token, mark, kinds)
    if not experiment_ids:
        return [], ""
    now = now if position is None else position.now
    m = logged_models
    clauses = ModelClauses(dialect_of(connection), {}, now, tuple(request.datasets))
    sorts = [expression for place, key in enumerate(keys) for expression in key.expressions(place)]
    labelled = [expression.label(f"sort_{place}") for place, expression in enumerate(sorts)]
    source: FromClause = m
    for place, key in enumerate(keys):
        source = key.joined(source, place)
    matching = (
        select(m.c.model, *labelled)
        .select_from(source)
        .where(clauses.dialect.numbers(m.c.experiment_id, list(experiment_ids)), m.c.stage == STAGE_ACTIVE)
        .where(clauses.condition(node, m) if node is not None else true())
        .where(clauses.on_datasets(m) if request.datasets else true())
    )
    found = _page(connection, matching, keys, position, request.max_results + 1)
    size = request.max_results
    token = encode_token(Position(tuple(found[size - 1][1:]), now), mark) if len(found) > size else ""
    return [row[0] for row in found[:size]], token


def _mark(request: SearchLoggedModels, experiment_ids: Sequence[int]) -> str:
    order = [[key.field_name, str(key.ascending), key.dataset_name, key.dataset_digest] for key in request.order_by]
    datasets = [[dataset.dataset_name, dataset.dataset_digest] for dataset in request.datasets]
    return fingerprint("logged models", sorted(experiment_ids), request.filter, datasets, order)


def _page(
    connection: Connection, matching: Select[Any], keys: Sequence[_Key], position: Position | None, limit: int
) -> Sequence[Any]:
    if not any(key.metric for key in keys):
        # The expressions are columns: no table in between, so that an index can give the order.
        columns: list[ColumnElement[Any]] = [expression for key in keys for expression in key.expressions(0)]
        statement = matching
    else:
        rows = matching.subquery("matching")
        columns = [column for column in rows.c if column.name != "model"]
        statement = select(rows)
    kinds = [(kind, key.ascending_of(place)) for key in keys for place, kind in enumerate(key.kinds)]
    terms = [Term(kind, ascending, column) for (kind, ascending), column in zip(kinds, columns, strict=True)]
    statement = (
        statement.where(true() if position is None else behind(terms, position.values))
        .order_by(*(term.ordered() for term in terms))
        .limit(limit)
    )
    with deadline():
        return connection.execute(statement).all()


@dataclass(frozen=True)
class _Key:
    """One key of the order.

    Args:
        column: Of ``logged_models``; empty for a metric.
        ascending: The direction.
        metric: Name of a metric; its latest point counts.
        dataset: On which it was measured; None for any.
    """

    column: str
    ascending: bool
    metric: str = ""
    dataset: LoggedModelDataset | None = None

    @property
    def kinds(self) -> list[type]:
        """The types of the sort values: of a metric its rank and its value."""
        if self.metric:
            return [int, float]
        return [int if self.column.endswith("_time") or self.column in ("status", "experiment_id") else str]

    def ascending_of(self, place: int) -> bool:
        """The direction of a sort value; ranks ascend, so that NaN and missing values come last."""
        return self.ascending or (bool(self.metric) and place == 0)

    def joined(self, source: FromClause, place: int) -> FromClause:
        """``source`` with the latest point of the metric."""
        if not self.metric:
            return source
        point, latest = _point(place), _LATEST
        own = and_(
            latest.c.model == logged_models.c.model,
            latest.c.key == self.metric,
            true() if self.dataset is None else _of_dataset(latest, self.dataset),
        )
        # ix_logged_model_metrics_latest, from its end.
        newest = (latest.c.timestamp.desc(), latest.c.step.desc(), latest.c.identity.desc())
        identity = select(latest.c.identity).where(own).order_by(*newest).limit(1)
        found = point.c.identity == identity.correlate(logged_models).scalar_subquery()
        return source.outerjoin(point, and_(point.c.model == logged_models.c.model, found))

    def expressions(self, place: int) -> list[ColumnElement[Any]]:
        """The sort values."""
        if not self.metric:
            return [logged_models.c[self.column]]
        point = _point(place).c
        rank = case((point.model.is_(None), MISSING), (point.value.is_(None), NAN), else_=PRESENT)
        return [rank, point.value]


@cache  # a second alias would be another table
def _point(place: int) -> FromClause:
    return logged_model_metrics.alias(f"point_{place}")


def _order(wanted: Sequence[LoggedModelOrder]) -> list[_Key]:
    """The keys of an order, completed so that no two models are equal."""
    if len(wanted) > MAX_ORDER_BY_CLAUSES:
        raise InvalidFilter(f"order_by has {len(wanted)} clauses, at most {MAX_ORDER_BY_CLAUSES} are allowed.")
    keys = [_key(item) for item in wanted] or [_Key("creation_time", ascending=False)]
    return [*keys, *(() if any(key.column == "model_id" for key in keys) else (_Key("model_id", ascending=True),))]


def _key(item: LoggedModelOrder) -> _Key:
    prefix, _, metric = item.field_name.partition(".")
    if prefix == "metrics" and metric:
        dataset = LoggedModelDataset(dataset_name=item.dataset_name, dataset_digest=item.dataset_digest)
        return _Key("", item.ascending, metric.strip('`"'), dataset if item.dataset_name else None)
    name = LOGGED_MODELS.aliases.get(item.field_name, item.field_name)
    if name not in LOGGED_MODELS.attributes:
        raise InvalidFilter(
            f"No order by {shown(item.field_name)}. An order can use {', '.join(LOGGED_MODELS.attributes)}, "
            "metrics.KEY."
        )
    return _Key(_COLUMNS.get(name, name), item.ascending)


def _of_dataset(points: FromClause, dataset: LoggedModelDataset) -> Condition:
    digest = points.c.dataset_digest == dataset.dataset_digest if dataset.dataset_digest else true()
    return and_(points.c.dataset_name == dataset.dataset_name, digest)


@dataclass(frozen=True)
class ModelClauses(Clauses):
    """Comparisons of logged models. A metric fits when one of its points does, as in MLflow.

    Args:
        datasets: Where there are some, only points that were measured on one of them count.
    """

    datasets: tuple[LoggedModelDataset, ...] = ()

    def on_datasets(self, row: FromClause) -> Condition:
        """The model was measured on one of the datasets."""
        return exists().where(_POINTS.c.model == row.c.model, self._points())

    def _points(self) -> Condition:
        if not self.datasets:
            return true()
        return or_(*(_of_dataset(_POINTS, dataset) for dataset in self.datasets))

    def comparison(self, node: Compare, row: FromClause, run: ColumnElement[int] | None) -> Condition:
        """The condition of one comparison on a row of ``logged_models``."""
        del run
        if node.field.entity == "attribute":
            return self._of_model(node, row)
        table = _POINTS if node.field.entity == "metric" else _TEXTS[node.field.entity]
        if node.operator in ("IS NULL", "IS NOT NULL"):
            value: Condition = true()
        elif node.field.entity == "metric":
            value = self.number(table.c.value, node)
        elif node.compares_number:
            value = self.number(table.c.number, node)
        else:
            value = self.text(table.c.value, node)
        key = and_(table.c.model == row.c.model, self.dialect.equal(table.c.key, node.field.key))
        found = self.dialect.probe(and_(key, self._points()) if table is _POINTS else key, value)
        return not_(found) if node.operator == "IS NULL" else found

    def _of_model(self, node: Compare, row: FromClause) -> Condition:
        key = node.field.key
        column = row.c[_COLUMNS.get(key, key)]
        if node.operator in ("IS NULL", "IS NOT NULL"):
            missing = column == "" if key in ("model_type", "source_run_id") else false()
            return missing if node.operator == "IS NULL" else not_(missing)
        if key == "status":
            return column.in_([number for number, words in _STATUS_WORDS.items() if _status_fits(words, node)])
        if key == "experiment_id":
            return self.id_number(column, node)
        return self.number(column, node) if key in _COLUMNS else self.text(column, node)


def _status_fits(words: Sequence[str], node: Compare) -> bool:
    decide = all if node.operator in ("!=", "NOT IN") else any
    return decide(word_fits(word, node) for word in words)
