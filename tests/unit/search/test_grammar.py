"""The filter language: what is accepted, what it means, and how it refuses."""

from __future__ import annotations

import contextlib
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stele.errors import InvalidFilter
from stele.search.fields import EXPERIMENTS, LOGGED_MODELS, RUNS
from stele.search.grammar import parse_filter, parse_order_by
from stele.search.tree import And, Compare, Field, Moment, Not, Or, OrderKey, to_text
from stele.testing.search_strategies import experiment_filters, run_filters

HOUR, DAY = 3_600_000, 86_400_000


def metric(key: str, aggregate: str | None = None) -> Field:
    return Field("metric", key, aggregate)


def param(key: str) -> Field:
    return Field("param", key)


def tag(key: str) -> Field:
    return Field("tag", key)


def attribute(key: str) -> Field:
    return Field("attribute", key)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("metrics.auc > 0.9", Compare(metric("auc"), ">", 0.9)),
        ("metric.auc>=-1e-3", Compare(metric("auc"), ">=", -0.001)),
        ("metrics.`val auc` != +.5", Compare(metric("val auc"), "!=", 0.5)),
        ("metrics.a.b < 1", Compare(metric("a.b"), "<", 1.0)),
        ("metrics.x < 1e999", Compare(metric("x"), "<", sys.float_info.max)),
        ('params."my key" = "1"', Compare(param("my key"), "=", "1")),
        ("parameters.lr='0.1'", Compare(param("lr"), "=", "0.1")),
        ("params.'my key' = '1'", Compare(param("my key"), "=", "1")),
        ("params.and = ''", Compare(param("and"), "=", "")),
        ("tag.mlflow.user LIKE 'a%'", Compare(tag("mlflow.user"), "LIKE", "a%")),
        ('tags.`mlflow.user` ilike "it\'s"', Compare(tag("mlflow.user"), "ILIKE", "it's")),
        ("tags.x = 'it''s'", Compare(tag("x"), "=", "it''s")),
        ("tags.x IS NULL", Compare(tag("x"), "IS NULL")),
        ("params.x is not null", Compare(param("x"), "IS NOT NULL")),
        ("status = 'RUNNING'", Compare(attribute("status"), "=", "RUNNING")),
        ("attributes.`Run name` = 'a'", Compare(attribute("run_name"), "=", "a")),
        ('"run name" = "a"', Compare(attribute("run_name"), "=", "a")),
        ("run.Created > 5", Compare(attribute("start_time"), ">", 5)),
        ("attr.end_time <= 1700000000000", Compare(attribute("end_time"), "<=", 1_700_000_000_000)),
        ("run_id IN ('a', \"b\")", Compare(attribute("run_id"), "IN", ("a", "b"))),
        ("run_id NOT IN ('a',)", Compare(attribute("run_id"), "NOT IN", ("a",))),
        ("dataset.name = 'iris'", Compare(Field("dataset", "name"), "=", "iris")),
        ("datasets.context IN ('train')", Compare(Field("dataset", "context"), "IN", ("train",))),
    ],
)
def test_what_mlflow_accepts_means_the_same(text: str, tree: object) -> None:
    assert parse_filter(text, RUNS) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("name='RM1'", Compare(attribute("name"), "=", "RM1")),
        ("attribute.name LIKE '%x'", Compare(attribute("name"), "LIKE", "%x")),
        ("experiment_id IN ('1', '2')", Compare(attribute("experiment_id"), "IN", ("1", "2"))),
        ("experiment_id = 7", Compare(attribute("experiment_id"), "=", "7")),
        ("last_update_time >= 5", Compare(attribute("last_update_time"), ">=", 5)),
        ("tags.k IS NOT NULL", Compare(tag("k"), "IS NOT NULL")),
    ],
)
def test_experiments(text: str, tree: object) -> None:
    assert parse_filter(text, EXPERIMENTS) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("params.lr < 0.01", Compare(param("lr"), "<", 0.01)),
        ("params.lr IN (1, 2)", Compare(param("lr"), "IN", (1.0, 2.0))),
        ("metrics.x BETWEEN 1 AND 2", Compare(metric("x"), "BETWEEN", (1.0, 2.0))),
        ("min(metrics.loss) < 0.1", Compare(metric("loss", "min"), "<", 0.1)),
        ("COUNT ( metrics.`a b` ) = 3", Compare(metric("a b", "count"), "=", 3.0)),
        ("start_time > now-7d", Compare(attribute("start_time"), ">", Moment(-7 * DAY))),
        (
            "start_time > NOW() - 1d - 12h + 1m",
            Compare(attribute("start_time"), ">", Moment(-DAY - 12 * HOUR + 60_000)),
        ),
        ("end_time < now()", Compare(attribute("end_time"), "<", Moment(0))),
        ("start_time > '2026-01-01'", Compare(attribute("start_time"), ">", 1_767_225_600_000)),
        ("start_time > '2026-01-01T01:00:00.250+01:00'", Compare(attribute("start_time"), ">", 1_767_225_600_250)),
        ("duration < 2h", Compare(attribute("duration"), "<", 2 * HOUR)),
        ("attributes.duration >= 1h30m", Compare(attribute("duration"), ">=", HOUR * 3 // 2)),
        ("duration BETWEEN 500ms AND 1.5s", Compare(attribute("duration"), "BETWEEN", (500, 1_500))),
        ("duration > 90", Compare(attribute("duration"), ">", 90)),
        ("tags.x RLIKE '^a+$'", Compare(tag("x"), "RLIKE", "^a+$")),
        ("tags.x NOT IN ('a')", Compare(tag("x"), "NOT IN", ("a",))),
    ],
)
def test_what_stele_adds(text: str, tree: object) -> None:
    assert parse_filter(text, RUNS) == tree


MISSING_B = Compare(tag("b"), "IS NULL")
A, B, C = (Compare(tag(name), "=", "1") for name in "abc")
a, b, c = (f"tags.{name} = '1'" for name in "abc")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (f"{a} AND {b} and {c}", And((A, B, C))),
        (f"({a} AND {b}) AND ({c})", And((A, B, C))),
        (f"{a} OR {b} AND {c}", Or((A, And((B, C))))),
        (f"({a} OR {b}) AND {c}", And((Or((A, B)), C))),
        (f"NOT {a} AND {b}", And((Not(A), B))),
        (f"NOT ({a} OR {b})", Not(Or((A, B)))),
        (f"AND AND {a} AND and {b} AND", And((A, B))),
        (f"{a} {b} OR {c}", Or((And((A, B)), C))),
        ("tags.a IN ('1') tags.b IS NULL", And((Compare(tag("a"), "IN", ("1",)), MISSING_B))),
        ("AND", None),
        (" and AND ", None),
        ("", None),
        (None, None),
    ],
)
def test_connectives(text: str | None, tree: object) -> None:
    assert parse_filter(text, RUNS) == tree


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("   ", None, "blank"),
        ("strat_time > 1", 0, "Did you mean start_time? Attributes are run_id, run_name, status"),
        ("loss < 1", 0, "metrics.KEY"),
        ("foo.x = '1'", 0, "Prefixes are metrics, metric, params"),
        ("Metrics.x = 1", 0, "Did you mean metrics?"),
        ("datasets.nam = '1'", 0, "Allowed are datasets.name, datasets.digest, datasets.context"),
        ("metrics.a > '1'", 12, "Write numbers without quotes"),
        ("metrics.a > inf", 12, "neither a number nor text in quotes"),
        ("metrics.a LIKE 'x'", 10, "Allowed are =, !=, <"),
        ("params.a = abc", 11, "Write text as 'text'"),
        ("tags.a = 5", 9, "Write text as '5'"),
        ("params.x > 'a'", 11, "text has no order"),
        ("params.x IN ('1', 2)", 13, "do not mix"),
        ("params.a-b = '1'", 8, "expected is an operator"),
        ("param.a == '1'", 9, "Equality is one ="),
        ("status <> 'x'", 8, "inequality is !="),
        ("status = 'abc", 9, "not closed"),
        ("status = 'a';", 12, "no meaning"),
        ("status = 'a', tags.b = 'c'", 12, "expected is AND, OR or the end"),
        ("(status = 'a'", 13, "expected is )"),
        ("status = 'a')", 12, "expected is the end"),
        ("status", 6, "expected is an operator"),
        ("run_id IN ()", 11, "expected is a value"),
        ("run_id IN 'a'", 10, "expected is ("),
        ("NOT", 3, "expected is a field"),
        ("OR status = 'a'", 0, "expected is a field"),
        ("status = 'a' OR AND status = 'b'", 16, "expected is a field"),
        ("metrics.x BETWEEN 1", 19, "expected is AND"),
        ("metrics.x IS 5", 13, "expected is"),
        ("metrics.a != 12abc", 13, "neither a number"),
        ("median(metrics.x) < 1", 0, "Allowed are min, max, first, last, mean, count"),
        ("min(params.x) < 1", 4, "takes a metric"),
        ("start_time > 7d", 13, "now() - 7d"),
        ("start_time > 1.5", 13, "not a whole number"),
        ("start_time > 'yesterday'", 13, "is not a time"),
        ("start_time > 99999999999999999999", 13, "64 bits"),
        ("duration > '1h'", 11, "500ms, 90s"),
        ("tags.x RLIKE 'a('", 15, "not closed"),
        ("tags.x RLIKE '(a)\\1'", 17, "\\1 cannot be used"),
        ("tags.x = '\0'", 10, "no text can hold"),
        ("tags.x = '\ud800'", 10, "no text can hold"),
        ("metrics.x = 1" + " AND metrics.x = 1" * 100, 1800, "more than 100"),
        ("NOT " * 33 + "tags.a = '1'", 128, "deeper than 32"),
        ("(" * 5000, 5000, "expected is a field"),
        ("(" * 33 + "tags.a = '1'" + ")" * 33, 32, "deeper than 32"),
        ("tags.a = '" + "x" * 10_000 + "'", None, "at most 10000"),
    ],
)
def test_errors_say_what_where_and_what_is_allowed(text: str, position: int | None, said: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, RUNS)
    assert said in caught.value.problem
    assert caught.value.position == position


def test_an_error_points_at_the_fault() -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter("status = 'a' AND metrics.x > '1'", RUNS)
    *_, line, caret = str(caught.value).splitlines()
    assert line[caret.index("^")] == "'"


@pytest.mark.parametrize(
    ("clauses", "keys"),
    [
        (None, []),
        ([], []),
        (["metrics.`a b` DESC"], [OrderKey(metric("a b"), ascending=False)]),
        (["start_time"], [OrderKey(attribute("start_time"))]),
        (
            ["attribute.start_time asc", "params.x desc"],
            [OrderKey(attribute("start_time")), OrderKey(param("x"), False)],
        ),
        (["min(metrics.x)"], [OrderKey(metric("x", "min"))]),
        (["tags.x", "run_id", "tags.x DESC"], [OrderKey(tag("x")), OrderKey(attribute("run_id"))]),
        (["params.asc asc"], [OrderKey(param("asc"))]),
    ],
)
def test_orders(clauses: list[str] | None, keys: list[OrderKey]) -> None:
    assert parse_order_by(clauses, RUNS) == keys


@pytest.mark.parametrize(
    ("clause", "position", "said"),
    [
        ("", None, "blank"),
        ("metrics.x foo", 10, "expected is ASC, DESC or the end"),
        ("metrics.x, metrics.y", 9, "expected is ASC, DESC or the end"),
        ("datasets.name", 0, "An order can use"),
        ("loss", 0, "metrics.KEY"),
        ("max(params.x)", 4, "takes a metric"),
        ("DESC", 0, "expected is a field"),
    ],
)
def test_order_errors(clause: str, position: int | None, said: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_order_by([clause], RUNS)
    assert said in caught.value.problem
    assert caught.value.position == position


def test_experiments_have_their_own_fields() -> None:
    with pytest.raises(InvalidFilter, match=r"Attributes are name, experiment_id"):
        parse_filter("status = 'a'", EXPERIMENTS)
    with pytest.raises(InvalidFilter, match=r"no function 'min' of experiments"):
        parse_filter("min(metrics.x) < 1", EXPERIMENTS)
    with pytest.raises(InvalidFilter, match=r"An order can use name, experiment_id"):
        parse_order_by(["tags.x"], EXPERIMENTS)
    with pytest.raises(InvalidFilter, match="at most 20"):
        parse_order_by(["name"] * 21, EXPERIMENTS)


@given(run_filters())
def test_print_then_parse_gives_the_same_tree(tree: object) -> None:
    assert parse_filter(to_text(tree), RUNS) == tree  # type: ignore[arg-type]


@given(experiment_filters())
def test_print_then_parse_for_experiments(tree: object) -> None:
    assert parse_filter(to_text(tree), EXPERIMENTS) == tree  # type: ignore[arg-type]


WORDS = (
    "AND OR NOT ( ) , . = != < <= LIKE ILIKE RLIKE IN BETWEEN IS NULL ASC now now() - + 7d 1h30m 5 -0.5 1e-3 metrics.x "
    'params.`a b` tags."x" status start_time duration min max( \'x\' "y" ` \' " ; -- /* % \\ \u0130 \U0001f600 \n'
).split(" ")


@given(
    st.text()
    | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
    | st.lists(st.sampled_from(WORDS)).map("".join)
)
@example("'" * 9_999)
@example("metrics.x = " + "9" * 5_000)
@example("duration > " + "9" * 5_000 + "d")
@example("start_time > now()" + " - 9999999999999999999999999999d" * 50)
def test_any_text_is_a_filter_or_an_invalid_filter(text: str) -> None:
    for parse in (lambda: parse_filter(text, RUNS), lambda: parse_order_by([text], RUNS)):
        with contextlib.suppress(InvalidFilter):
            parse()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("name = net", "net"),
        ("name = 3", "3"),
        ("params.depth = deep", "deep"),
        ("params.depth LIKE 3", "3"),
        ("params.depth = 3", 3.0),
        ("params.depth IN (3, 4)", (3.0, 4.0)),
        ("tags.x IN (a, 'b')", ("a", "b")),
    ],
)
def test_text_of_logged_models_needs_no_quotes(text, value):
    assert parse_filter(text, LOGGED_MODELS).value == value


@pytest.mark.parametrize("text", ["name = `net`", "metrics.x = net", "creation_time > soon", "last(metrics.x) > 0"])
def test_other_bare_words_are_refused(text):
    with pytest.raises(InvalidFilter):
        parse_filter(text, LOGGED_MODELS)
