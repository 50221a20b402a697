"""Hypothesis strategies for searches: stores, filters as trees, orders, and regular expressions.

The names and values are few on purpose, so that random filters hit random runs.
"""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import strategies as st

from stele.search.fields import AGGREGATES
from stele.search.tree import And, Compare, Field, Literal, Moment, Node, Not, Or, OrderKey
from stele.testing.registry_oracle import PROMPT_TAG, STAGES, RegisteredRecord, VersionRecord
from stele.testing.search_oracle import ExperimentRecord, LoggedModelRecord, Point, RunRecord

__all__ = [
    "KEYS",
    "NOW",
    "NUMBERS",
    "TEXTS",
    "experiment_filters",
    "experiment_records",
    "logged_model_filters",
    "logged_model_orders",
    "logged_model_records",
    "orders",
    "patterns",
    "registered_filters",
    "registered_orders",
    "registry_records",
    "run_filters",
    "run_records",
    "version_filters",
    "version_orders",
]

NOW = 1_000_000
"""The time of every random search, milliseconds since 1970."""

KEYS = ("a", "b", "a b", "c.d")
NUMBERS = (-2.0, -0.5, 0.0, 1e-3, 0.5, 1.0, 7.0, 1e300)

_SPECIALS = "aAbé%_*?[.]'"
_LONG = ("x" * 256, "x" * 256 + "a", "x" * 300, "x" * 255 + "é")
TEXTS = st.sampled_from(("", "a", "A", "ab", "aB", "ab%", "a_b", "1", "0.5", "1e3", "É", "é", *_LONG)) | st.text(
    st.sampled_from(_SPECIALS), max_size=4
)
_IDENTIFIERS = st.sampled_from(("r0", "r1", "r2", "r3", "none"))
_STATUS = st.sampled_from(("RUNNING", "FINISHED", "FAILED", "finished", "DONE"))
_NUMBER = st.sampled_from(NUMBERS)
_MILLISECONDS = st.sampled_from((0, 1, 500, NOW - 1_000, NOW, NOW + 5))
_TIME = _MILLISECONDS | st.sampled_from((-1_000, 0, 5)).map(Moment)
_DATASET = st.sampled_from(("", "iris", "Iris", "wine", "train", "d1"))

_ATOMS = st.sampled_from(("a", "b", "A", "é", ".", "[ab]", "[^a]", r"\w", r"\.", r"\d", "%", "_", "x{2}", "[é%-]"))


def patterns() -> st.SearchStrategy[str]:
    """Regular expressions of the portable subset."""

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        repeated = st.tuples(inner, st.sampled_from(("", "*", "+", "?", "{0,2}", "{2}"))).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        )
        joined = st.lists(inner, max_size=3).map("".join)
        return repeated | joined | st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})")

    body = st.recursive(_ATOMS, grow, max_leaves=6)
    return st.tuples(st.sampled_from(("", "^")), body, st.sampled_from(("", "$"))).map("".join)


def _like() -> st.SearchStrategy[str]:
    return st.text(st.sampled_from("aAbé%%%_*?[.]'"), max_size=5) | st.sampled_from(("x%", "%x", "x" * 256 + "%", "%"))


def _printable(text: str) -> bool:
    """Whether some quote can hold the text: see SINGLE_QUOTED in the grammar."""
    return "'" not in text.replace("''", "") or '"' not in text.replace('""', "")


def _many(values: st.SearchStrategy[Literal]) -> st.SearchStrategy[tuple[Literal, ...]]:
    return st.lists(values, min_size=1, max_size=3).map(tuple)


def _numeric(field: Field, values: st.SearchStrategy[Literal]) -> st.SearchStrategy[Compare]:
    one = st.builds(Compare, st.just(field), st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), values)
    many = st.builds(Compare, st.just(field), st.sampled_from(("IN", "NOT IN")), _many(values))
    pair = st.builds(Compare, st.just(field), st.just("BETWEEN"), st.tuples(values, values))
    return one | many | pair | _null(field)


def _text(field: Field, values: st.SearchStrategy[str]) -> st.SearchStrategy[Compare]:
    values = values.filter(_printable)
    one = st.builds(Compare, st.just(field), st.sampled_from(("=", "!=")), values)
    many = st.builds(Compare, st.just(field), st.sampled_from(("IN", "NOT IN")), _many(values))
    like = st.builds(Compare, st.just(field), st.sampled_from(("LIKE", "ILIKE")), (_like() | values).filter(_printable))
    regex = st.builds(Compare, st.just(field), st.just("RLIKE"), patterns())
    return one | many | like | regex | _null(field)


def _null(field: Field) -> st.SearchStrategy[Compare]:
    return st.sampled_from(("IS NULL", "IS NOT NULL")).map(lambda operator: Compare(field, operator))


def _attribute(key: str) -> Field:
    return Field("attribute", key)


def _keyed(entity: str) -> st.SearchStrategy[Compare]:
    def of(key: str) -> st.SearchStrategy[Compare]:
        field = Field(entity, key)
        return _text(field, TEXTS) | _numeric(field, _NUMBER) if entity == "param" else _text(field, TEXTS)

    return st.sampled_from(KEYS).flatmap(of)


def _metric() -> st.SearchStrategy[Compare]:
    fields = st.builds(Field, st.just("metric"), st.sampled_from(KEYS), st.sampled_from((None, None, *AGGREGATES)))
    return fields.flatmap(lambda field: _numeric(field, _NUMBER))


def _combined(leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return (
            st.lists(inner.filter(lambda node: not isinstance(node, And)), min_size=2, max_size=3).map(tuple).map(And)
            | st.lists(inner.filter(lambda node: not isinstance(node, Or)), min_size=2, max_size=3).map(tuple).map(Or)
            | inner.map(Not)
        )

    return st.recursive(leaves, grow, max_leaves=5)


def run_filters() -> st.SearchStrategy[Node]:
    """Trees of filters over runs, flat where the parser makes them flat."""
    attributes = (
        _text(_attribute("run_id"), _IDENTIFIERS)
        | _text(_attribute("run_name"), TEXTS)
        | _text(_attribute("user_id"), TEXTS)
        | _text(_attribute("artifact_uri"), TEXTS)
        | _text(_attribute("status"), _STATUS)
        | _numeric(_attribute("start_time"), _TIME)
        | _numeric(_attribute("end_time"), _TIME)
        | _numeric(_attribute("duration"), _MILLISECONDS)
    )
    dataset = st.sampled_from(("name", "digest", "context")).flatmap(lambda key: _text(Field("dataset", key), _DATASET))
    return _combined(_metric() | _keyed("param") | _keyed("tag") | attributes | dataset)


def experiment_filters() -> st.SearchStrategy[Node]:
    """Trees of filters over experiments."""
    ids = st.sampled_from(("0", "1", "2", "07", "x", "99999999999999999999"))
    field = _attribute("experiment_id")
    return _combined(
        _text(_attribute("name"), TEXTS)
        | _numeric(_attribute("creation_time"), _TIME)
        | _numeric(_attribute("last_update_time"), _TIME)
        | _keyed("tag")
        | st.builds(Compare, st.just(field), st.sampled_from(("=", "!=")), ids)
        | st.builds(Compare, st.just(field), st.sampled_from(("IN", "NOT IN")), _many(ids))
    )


def orders(*, experiments: bool = False) -> st.SearchStrategy[list[OrderKey]]:
    """Orders without a repeated field."""
    names: tuple[str, ...]
    if experiments:
        names = ("name", "experiment_id", "creation_time", "last_update_time")
        fields = st.sampled_from(names).map(_attribute)
    else:
        names = ("run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time", "duration")
        keyed = st.builds(Field, st.sampled_from(("metric", "param", "tag")), st.sampled_from(KEYS))
        aggregated = st.builds(Field, st.just("metric"), st.sampled_from(KEYS), st.sampled_from(AGGREGATES))
        fields = st.sampled_from(names).map(_attribute) | keyed | aggregated
    return st.lists(st.builds(OrderKey, fields, st.booleans()), max_size=3, unique_by=lambda key: key.field)


def run_records() -> st.SearchStrategy[list[RunRecord]]:
    """Up to eight runs in the experiments 1 and 2."""
    values = st.sampled_from((*NUMBERS, math.nan, math.inf, -math.inf))
    point = st.builds(Point, values, st.integers(0, 2), st.integers(-1, 2))
    texts = st.dictionaries(st.sampled_from(KEYS), TEXTS, max_size=3)
    dataset = st.tuples(st.sampled_from(("iris", "wine")), st.sampled_from(("d1", "d2")), _DATASET)
    record = st.builds(
        RunRecord,
        run_id=st.just(""),
        experiment_id=st.sampled_from((1, 1, 2)),
        stage=st.sampled_from(("active", "active", "deleted")),
        status=st.sampled_from(("RUNNING", "FINISHED", "FAILED")),
        start_time=_MILLISECONDS,
        end_time=st.none() | _MILLISECONDS,
        run_name=TEXTS,
        user_id=TEXTS.filter(lambda text: len(text) <= 256),
        artifact_uri=TEXTS,
        params=texts,
        tags=texts,
        metrics=st.dictionaries(
            st.sampled_from(KEYS), st.lists(point, min_size=1, max_size=4, unique=True).map(tuple), max_size=3
        ),
        datasets=st.lists(dataset, max_size=2, unique_by=lambda d: d[:2]).map(tuple),
    )
    return st.lists(record, max_size=8).map(
        lambda records: [replace(record, run_id=f"r{i}") for i, record in enumerate(records)]
    )


def experiment_records() -> st.SearchStrategy[list[ExperimentRecord]]:
    """Up to six experiments."""
    record = st.builds(
        ExperimentRecord,
        experiment_id=st.sampled_from((0, 1, 2, 5, 10, 70)),
        name=TEXTS,
        stage=st.sampled_from(("active", "active", "deleted")),
        creation_time=_MILLISECONDS,
        last_update_time=_MILLISECONDS,
        tags=st.dictionaries(st.sampled_from(KEYS), TEXTS, max_size=2),
    )
    return st.lists(record, max_size=6, unique_by=(lambda r: r.experiment_id, lambda r: r.name))


def logged_model_filters() -> st.SearchStrategy[Node]:
    """Trees of filters over logged models, without metrics."""
    times = st.sampled_from(("creation_timestamp_ms", "last_updated_timestamp_ms")).map(_attribute)
    attributes = (
        _text(_attribute("name"), TEXTS)
        | _text(_attribute("model_id"), _IDENTIFIERS)
        | times.flatmap(lambda field: _numeric(field, _TIME))
    )
    return _combined(_keyed("param") | _keyed("param") | _keyed("tag") | attributes)


def logged_model_orders() -> st.SearchStrategy[list[OrderKey]]:
    """Orders of logged models."""
    return _orders_of("name", "model_type", "model_id", "creation_timestamp_ms", "last_updated_timestamp_ms")


def logged_model_records() -> st.SearchStrategy[list[LoggedModelRecord]]:
    """Up to eight logged models."""
    texts = st.dictionaries(st.sampled_from(KEYS), TEXTS, max_size=3)
    record = st.builds(
        LoggedModelRecord,
        model_id=st.just(""),
        name=TEXTS,
        model_type=_OWN_TEXTS.filter(lambda text: len(text) <= 250),
        creation_timestamp_ms=_MILLISECONDS,
        last_updated_timestamp_ms=_MILLISECONDS,
        params=texts,
        tags=texts,
    )
    return st.lists(record, max_size=8).map(
        lambda records: [replace(record, model_id=f"r{i}") for i, record in enumerate(records)]
    )


_VERSION_NUMBERS = st.integers(1, 4)
_STAGE = st.sampled_from((*STAGES, "staging", "Other"))
_OWN_TEXTS = TEXTS.filter(lambda text: len(text) <= 256)
_FLAG = st.sampled_from(("true", "false", "x"))


def _keyed_of_registry() -> st.SearchStrategy[Compare]:
    aliases = st.sampled_from(KEYS).map(lambda key: Field("alias", key))
    return (
        _keyed("tag")
        | _text(Field("tag", PROMPT_TAG), _FLAG)
        | aliases.flatmap(lambda field: _numeric(field, _VERSION_NUMBERS))
    )


def _registered() -> st.SearchStrategy[Compare]:
    times = st.sampled_from(("creation_timestamp", "last_updated_timestamp")).map(_attribute)
    return _text(_attribute("name"), TEXTS) | times.flatmap(lambda field: _numeric(field, _TIME)) | _keyed_of_registry()


def registered_filters() -> st.SearchStrategy[Node]:
    """Trees of filters over registered models."""
    return _combined(_registered())


def version_filters() -> st.SearchStrategy[Node]:
    """Trees of filters over versions of registered models."""
    own = (
        _numeric(_attribute("version_number"), _VERSION_NUMBERS)
        | _text(_attribute("run_id"), _IDENTIFIERS | st.just(""))
        | _text(_attribute("model_id"), _IDENTIFIERS | st.just(""))
        | _text(_attribute("source_path"), TEXTS)
        | _text(_attribute("current_stage"), _STAGE)
    )
    return _combined(_registered() | own)


def _orders_of(*names: str) -> st.SearchStrategy[list[OrderKey]]:
    keys = st.builds(OrderKey, st.sampled_from(names).map(_attribute), st.booleans())
    return st.lists(keys, max_size=3, unique_by=lambda key: key.field)


def registered_orders() -> st.SearchStrategy[list[OrderKey]]:
    """Orders of registered models."""
    return _orders_of("name", "creation_timestamp", "last_updated_timestamp")


def version_orders() -> st.SearchStrategy[list[OrderKey]]:
    """Orders of versions."""
    own = ("version_number", "run_id", "model_id", "source_path", "current_stage")
    return _orders_of("name", "creation_timestamp", "last_updated_timestamp", *own)


def registry_records() -> st.SearchStrategy[tuple[list[RegisteredRecord], list[VersionRecord]]]:
    """Up to four registered models with up to six versions, prompts among both."""
    tags = st.dictionaries(st.sampled_from(KEYS), TEXTS, max_size=2)
    tags |= st.builds(lambda own, flag: own | {PROMPT_TAG: flag}, tags, _FLAG)
    times = {"creation_timestamp": _MILLISECONDS, "last_updated_timestamp": _MILLISECONDS}
    aliases = st.dictionaries(st.sampled_from(KEYS), _VERSION_NUMBERS, max_size=3)
    model = st.builds(RegisteredRecord, name=_OWN_TEXTS, tags=tags, aliases=aliases, **times)

    def with_versions(
        models: list[RegisteredRecord],
    ) -> st.SearchStrategy[tuple[list[RegisteredRecord], list[VersionRecord]]]:
        held = {each.name: each.aliases for each in models}

        def with_aliases(version: VersionRecord) -> VersionRecord:
            own = {alias: number for alias, number in held[version.name].items() if number == version.version_number}
            return replace(version, aliases=own)

        version = st.builds(
            VersionRecord,
            name=st.sampled_from([each.name for each in models]),
            version_number=_VERSION_NUMBERS,
            run_id=_IDENTIFIERS | st.just(""),
            model_id=_IDENTIFIERS | st.just(""),
            source_path=TEXTS,
            current_stage=st.sampled_from(STAGES),
            tags=tags,
            **times,
        )
        unique = st.lists(version, max_size=6, unique_by=lambda each: (each.name, each.version_number))
        return st.tuples(st.just(models), unique.map(lambda versions: list(map(with_aliases, versions))))

    models = st.lists(model, min_size=1, max_size=4, unique_by=lambda each: each.name)
    return models.flatmap(with_versions)
