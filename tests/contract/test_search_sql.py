"""Searches in SQL against the oracle, on every database; their statements, indexes and limits."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_rows import ALL_TABLES, a_run, add_experiment, add_run, load_runs, loss, order_text
from sqlalchemy import Connection, Engine, insert

from stele.errors import DeadlineExceeded, InvalidFilter, InvalidParameterValue
from stele.search.fields import RUNS
from stele.search.grammar import parse_filter
from stele.search.tree import Node, OrderKey, to_text
from stele.stores.sql import search_look, search_plan, tables
from stele.stores.sql.keys import Keys
from stele.stores.sql.search import (
    ExperimentQuery,
    RunQuery,
    find_experiments,
    find_runs,
    set_time_limit,
)
from stele.stores.sql.search_memory import SearchMemory
from stele.stores.sql.tables import KIND_TAG, MAX_DOUBLE
from stele.testing.search_oracle import ExperimentRecord, Point, RunRecord, search_experiments, search_runs
from stele.testing.search_strategies import (
    NOW,
    experiment_filters,
    experiment_records,
    orders,
    run_filters,
    run_records,
)

VIEWS = ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")
EXAMPLES = int(os.environ.get("STELE_TEST_EXAMPLES", "60"))
PROPERTY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


# Asking


# Of all examples: an estimate that is out of date finds the same runs.
REMEMBERED: defaultdict[str, SearchMemory] = defaultdict(SearchMemory)


def all_runs(
    connection: Connection,
    names: dict[int, str],
    filter_string: str | None = None,
    order_by: Sequence[str] = (),
    *,
    experiment_ids: Sequence[int] = (1, 2),
    view: str = "ACTIVE_ONLY",
    size: int = 3,
) -> list[str]:
    """The run ids of all pages, which must be a partition."""
    found: list[str] = []
    token: str | None = None
    while True:
        query = RunQuery(list(experiment_ids), filter_string, view, list(order_by), size, token, NOW)
        page = find_runs(connection, query, memory=REMEMBERED[connection.dialect.name])
        found += [names[run] for run in page.runs]
        token = page.next_page_token
        if token is None:
            return found
        assert len(page.runs) == size


@PROPERTY
@given(
    records=run_records(),
    searches=st.lists(st.tuples(st.none() | run_filters(), orders(), st.sampled_from(VIEWS)), min_size=1, max_size=6),
    experiment_ids=st.sampled_from(([1], [1], [2], [1, 2], [2, 1, 3])),
    size=st.sampled_from((1, 2, 3, 8)),
    plan=st.sampled_from((0.0, 1.0, math.inf)),
    newest=st.booleans(),
)
def test_runs_are_those_of_the_oracle(
    engine: Engine,
    records: list[RunRecord],
    searches: list[tuple[Node | None, list[OrderKey], str]],
    experiment_ids: list[int],
    size: int,
    plan: float,
    newest: bool,
) -> None:
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        engine.connect() as connection,
        connection.begin() as transaction,
    ):
        # So that small stores see every plan: drive whenever possible, never, or as usual.
        estimate = search_plan._walk_cost
        monkeypatch.setattr(search_plan, "_walk_cost", lambda *known: plan * (estimate(*known) + 1e-9))
        if newest:  # whatever it costs, and however the numbers of the runs lie
            monkeypatch.setattr(search_plan, "_newest_cost", lambda *_known: -1.0)
            monkeypatch.setattr(search_look, "_ORDERLY", math.inf)
            REMEMBERED[connection.dialect.name].clear()
        names = load_runs(connection, records)
        for node, order, view in searches:
            expected = [r.run_id for r in search_runs(records, experiment_ids, node, view, order, NOW)]
            found = all_runs(
                connection,
                names,
                None if node is None else to_text(node),
                order_text(order),
                experiment_ids=experiment_ids,
                view=view,
                size=size,
            )
            assert found == expected, (None if node is None else to_text(node), order_text(order), view)
        transaction.rollback()


@PROPERTY
@given(
    records=experiment_records(),
    searches=st.lists(
        st.tuples(st.none() | experiment_filters(), orders(experiments=True), st.sampled_from(VIEWS)),
        min_size=1,
        max_size=6,
    ),
    size=st.sampled_from((1, 2, 3, 8)),
)
def test_experiments_are_those_of_the_oracle(
    engine: Engine,
    records: list[ExperimentRecord],
    searches: list[tuple[Node | None, list[OrderKey], str]],
    size: int,
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        for table in ALL_TABLES:
            connection.execute(table.delete())
        for record in records:
            add_experiment(connection, record)
        for node, order, view in searches:
            expected = [r.experiment_id for r in search_experiments(records, node, view, order, NOW)]
            found, token = [], None
            while True:
                filter_string = None if node is None else to_text(node)
                page = find_experiments(
                    connection, ExperimentQuery(filter_string, view, order_text(order), size, token, NOW)
                )
                found += page.experiments
                token = page.next_page_token
                if token is None:
                    break
            assert found == expected, (filter_string, order_text(order), view)
        transaction.rollback()


# Single behaviours


NASTY = (
    "'; DROP TABLE runs; --",
    '" OR ""="',
    "a\\",
    "\\' OR 1=1 --",
    "%s %(x)s %%",
    ":name ?1 $1 {0} @@version",
    "/* */ -- #",
    "a ",
    " a",
    "a\tb\r\nc",
    "\u202e\u0130\U0001f600",
    "[a]*?",
    "`",
    "|a|",
    "NULL",
    "x'00'",
)


def quoted(value: str) -> str:
    quote = "'" if "'" not in value.replace("''", "") else '"'
    return f"{quote}{value}{quote}"


def quotable(value: str) -> bool:
    return "'" not in value or '"' not in value


@pytest.mark.parametrize("value", NASTY)
def test_a_value_is_only_a_value(connection: Connection, statements: list[tuple[str, Any]], value: str) -> None:
    records = [a_run(0, params={"k": value}, tags={"k": value}, run_name=value), a_run(1, params={"k": "other"})]
    records += [a_run(2 + i, params={"k": other}) for i, other in enumerate(NASTY) if other != value]
    names = load_runs(connection, records)
    statements.clear()
    assert all_runs(connection, names, f"params.k = {quoted(value)}") == ["r0"]
    assert "r0" not in all_runs(connection, names, f"params.k != {quoted(value)}")
    assert all_runs(connection, names, f"params.k IN ({quoted(value)}, 'none')") == ["r0"]
    assert all_runs(connection, names, f"tags.k LIKE {quoted(value)}") == ["r0"]
    assert all_runs(connection, names, f"tags.k LIKE {quoted(value[:1] + '%')}") == ["r0"]
    assert all_runs(connection, names, f"run_name ILIKE {quoted('%' + value)} AND run_name != ''") == ["r0"]
    assert all_runs(connection, names, f"run_name = {quoted(value)}") == ["r0"]
    sent = "".join(statement for statement, _ in statements)
    assert len(value) < 5 or value not in sent


@pytest.mark.parametrize("key", [key for key in NASTY if "`" not in key])
def test_a_key_is_only_a_key(connection: Connection, key: str) -> None:
    names = load_runs(connection, [a_run(0, params={key: "1"}, metrics={key: (Point(1.0, 0, 0),)}), a_run(1)])
    assert all_runs(connection, names, f"params.`{key}` = '1' AND metrics.`{key}` = 1") == ["r0"]
    assert all_runs(connection, names, f"params.`{key}` IS NULL") == ["r1"]
    assert all_runs(connection, names, None, [f"metrics.`{key}`"]) == ["r0", "r1"]


@pytest.mark.parametrize(
    ("filter_string", "found"),
    [
        ("tags.k LIKE 'Ab%'", ["r0"]),
        ("tags.k ILIKE 'ab%'", ["r1", "r0"]),
        ("tags.k LIKE 'Ab_'", []),
        ("tags.k LIKE 'A%c'", ["r0"]),
        ("tags.k ILIKE '%É%'", ["r3", "r2"]),
        ("tags.k LIKE '%é'", ["r2"]),
        ("tags.k RLIKE '^[Aa]b.c$'", ["r1", "r0"]),
        ("tags.k RLIKE '\\d'", []),
        ("tags.k != 'Ab\nc'", ["r3", "r2", "r1"]),
        ("NOT tags.k = 'Ab\nc'", ["r4", "r3", "r2", "r1"]),
    ],
)
def test_text_means_the_same_everywhere(connection: Connection, filter_string: str, found: list[str]) -> None:
    values = ("Ab\nc", "ab\nc", "caf\u00e9", "CAF\u00c9")
    records = [a_run(i, tags={"k": value}) for i, value in enumerate(values)]
    names = load_runs(connection, [*records, a_run(4)])
    assert all_runs(connection, names, filter_string) == found


def test_metrics_order_numbers_then_nan_then_missing(connection: Connection) -> None:
    values = (0.5, math.nan, -1.0, math.inf, -math.inf, math.nan, 0.5)
    names = load_runs(
        connection, [*(a_run(i, metrics=loss(value)) for i, value in enumerate(values)), a_run(7), a_run(8)]
    )
    rising = ["r4", "r2", "r6", "r0", "r3", "r5", "r1", "r8", "r7"]
    falling = ["r3", "r6", "r0", "r2", "r4", "r5", "r1", "r8", "r7"]
    for size in (1, 2, 4, 9):
        assert all_runs(connection, names, None, ["metrics.loss"], size=size) == rising
        assert all_runs(connection, names, None, ["metrics.loss DESC"], size=size) == falling
        assert all_runs(connection, names, None, ["metrics.none", "metrics.loss DESC"], size=size) == falling
    assert all_runs(connection, names, "metrics.loss != 0.5") == ["r5", "r4", "r3", "r2", "r1"]
    assert all_runs(connection, names, f"metrics.loss >= {MAX_DOUBLE!r}") == ["r3"]


def test_a_page_that_is_full_and_last_has_no_token(connection: Connection) -> None:
    load_runs(connection, [a_run(i) for i in range(4)])
    query = RunQuery([1], None, "ACTIVE_ONLY", [], 4, "", NOW)
    assert find_runs(connection, query).next_page_token is None


def test_runs_that_come_and_go_meanwhile_neither_repeat_nor_hide_others(connection: Connection) -> None:
    records = [a_run(i, metrics=loss(float(i % 3))) for i in range(0, 20, 2)]
    for order in ([], ["metrics.loss DESC"], ["run_name", "start_time"]):
        names = load_runs(connection, records)
        before = all_runs(connection, names, None, order, size=20)
        query = RunQuery([1], None, "ACTIVE_ONLY", order, 4, None, NOW)
        first = find_runs(connection, query)
        for table in (tables.latest_metrics, tables.runs):  # one that was shown is gone
            connection.execute(table.delete().where(table.c.run == first.runs[0]))
        for number in range(30, 34):
            record = a_run(number, run_name="", start_time=number * 100)
            add_run(connection, 100 + number, record, {}, {})
        second = find_runs(connection, RunQuery([1], None, "ACTIVE_ONLY", order, 50, first.next_page_token, NOW))
        seen = [names[run] for run in (*first.runs, *second.runs) if run in names]
        assert seen == before


def test_now_stands_still_from_page_to_page(connection: Connection) -> None:
    names = load_runs(connection, [a_run(i, start_time=NOW - 10 * i) for i in range(6)])
    filter_string = "start_time > now() - 45ms"
    first = find_runs(connection, RunQuery([1], filter_string, "ACTIVE_ONLY", [], 2, None, NOW))
    later = RunQuery([1], filter_string, "ACTIVE_ONLY", [], 9, first.next_page_token, NOW + 1_000)
    assert [names[run] for run in find_runs(connection, later).runs] == ["r2", "r3", "r4"]


@pytest.mark.parametrize(
    "other",
    [
        {"experiment_ids": [1, 2]},
        {"filter_string": "status = 'FINISHED'"},
        {"view": "ALL"},
        {"order_by": ["start_time"]},
        {"page_token": "abc"},
    ],
)
def test_a_token_belongs_to_its_query(connection: Connection, other: dict[str, Any]) -> None:
    load_runs(connection, [a_run(i) for i in range(4)])
    asked: dict[str, Any] = {"experiment_ids": [1], "filter_string": "", "view": "ACTIVE_ONLY", "order_by": []}
    asked |= {"max_results": 2, "now_ms": NOW}
    token = find_runs(connection, RunQuery(**asked, page_token=None)).next_page_token
    with pytest.raises(InvalidParameterValue, match="page_token"):
        find_runs(connection, RunQuery(**(asked | {"page_token": token} | other)))
    assert len(find_runs(connection, RunQuery(**(asked | {"page_token": token, "max_results": 3}))).runs) == 2


def test_thousands_of_experiments_are_one_parameter(connection: Connection) -> None:
    names = load_runs(connection, [a_run(1, params={"k": "a"}), a_run(2, experiment_id=2, params={"k": "b"})])
    for filter_string in (None, "params.k LIKE '%'", "params.k = 'a' OR params.k = 'b'"):
        assert all_runs(connection, names, filter_string, experiment_ids=range(5_000)) == ["r2", "r1"]
    assert all_runs(connection, names, None, ["params.k"], experiment_ids=range(5_000)) == ["r1", "r2"]


def test_nowhere_to_look_finds_nothing(connection: Connection, statements: list[tuple[str, Any]]) -> None:
    load_runs(connection, [a_run(1)])
    statements.clear()
    assert find_runs(connection, RunQuery([], "params.a = 'b'", "ALL", [], 5, None, NOW)).runs == []
    assert statements == []


def test_a_bad_filter_sends_nothing(connection: Connection, statements: list[tuple[str, Any]]) -> None:
    with pytest.raises(InvalidFilter):
        find_runs(connection, RunQuery([1], "params.a = ", "ALL", [], 5, None, NOW))
    assert statements == []


@pytest.mark.parametrize(
    ("filter_string", "order_by", "count"),
    [
        (None, [], 1),
        ("status = 'FINISHED'", [], 2),
        ("params.none = 'a'", [], 1),
        (None, ["params.a"], 3),
        (None, ["metrics.loss"], 4),
        ("params.a = '1' AND metrics.loss < 5", [], 3),
        ("params.a = '1' OR metrics.loss < 5", ["tags.a"], 3),
        ("metrics.loss < 5", ["metrics.loss DESC"], 3),
        ("NOT (params.a = '1' AND datasets.name = 'x')", ["metrics.loss", "params.a"], 5),
    ],
)
def test_statements_of_a_search(
    connection: Connection,
    statements: list[tuple[str, Any]],
    filter_string: str | None,
    order_by: list[str],
    count: int,
) -> None:
    load_runs(connection, [a_run(i, params={"a": str(i % 2)}, metrics=loss(i)) for i in range(6)])
    find_runs(connection, RunQuery([1], None, "ALL", [], 100, None, NOW))
    statements.clear()
    find_runs(connection, RunQuery([1], filter_string, "ACTIVE_ONLY", order_by, 100, None, NOW))
    # MySQL tries the first entries of an index before it sorts all of them.
    assert len(statements) <= count + (bool(order_by) and connection.dialect.name == "mysql")
    statements.clear()
    find_experiments(connection, ExperimentQuery("tags.a = 'b'", "ALL", ["name"], 5, None, NOW))
    assert len(statements) == 1


def test_a_slow_search_ends(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        _fill(connection, 4_000)
        slow = " OR ".join(f"tags.t RLIKE '(a|b)*c{i}'" for i in range(40))
        set_time_limit(connection, 1)
        with pytest.raises(DeadlineExceeded):
            find_runs(connection, RunQuery([1], f"NOT ({slow})", "ACTIVE_ONLY", ["end_time"], 10, None, NOW))
        transaction.rollback()
    with engine.connect() as connection, connection.begin() as transaction:
        # The next user of the pooled connection has all the time there is.
        _fill(connection, 4_000)
        page = find_runs(connection, RunQuery([1], f"NOT ({slow})", "ACTIVE_ONLY", ["end_time"], 10, None, NOW))
        assert len(page.runs) == 10
        transaction.rollback()


@pytest.mark.parametrize("backwards", [False, True])
def test_the_newest_of_a_tag_are_found_whatever_their_numbers(
    connection: Connection, statements: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch, *, backwards: bool
) -> None:
    monkeypatch.setattr(search_plan, "_newest_cost", lambda *_known: -1.0)
    monkeypatch.setattr(search_look, "_ORDERLY", math.inf)
    starts = [3, 3, 9, 1, 7, 7, 7, 2, 8, 5]
    records = [
        a_run(i, start_time=-start if backwards else start, tags={"team": "ab"[i % 3 == 2]}, metrics=loss(i % 2))
        for i, start in enumerate(starts)
    ]
    names = load_runs(connection, records)
    for filter_string in ("tags.team = 'a'", "tags.team = 'a' AND metrics.loss = 0", "tags.team = 'none'"):
        node = parse_filter(filter_string, RUNS)
        expected = [run.run_id for run in search_runs(records, [1], node, "ACTIVE_ONLY", [], NOW)]
        statements.clear()
        for size in (1, 2, 3, 20):
            assert all_runs(connection, names, filter_string, experiment_ids=[1], size=size) == expected
        assert expected == [] or any("run_texts.run DESC" in text or "texts.run DESC" in text for text, _ in statements)


def _fill(connection: Connection, runs: int) -> None:
    load_runs(connection, [])
    key = {"key_id": 1, "experiment_id": 1, "kind": KIND_TAG, "name": "t"}
    connection.execute(insert(tables.entity_keys), key)
    run = {"experiment_id": 1, "stage": 0, "status": 1, "start_time": 1, "name": "", "user_id": "", "artifact_uri": ""}
    rows = [run | {"run": number, "run_id": f"r{number}", "document": b""} for number in range(1, runs + 1)]
    connection.execute(insert(tables.runs), rows)
    texts = [{"run": number, "key_id": 1, "value": f"{'ab' * 60}{number}"} for number in range(1, runs + 1)]
    connection.execute(insert(tables.run_texts), texts)


def test_an_estimate_is_remembered_for_equal_searches(
    connection: Connection, statements: list[tuple[str, Any]]
) -> None:
    load_runs(connection, [a_run(i, metrics=loss(i)) for i in range(6)])
    memory, keys = SearchMemory(), Keys()

    def count(filter_string: str, token: str | None = None) -> int:
        statements.clear()
        find_runs(connection, RunQuery([1], filter_string, "ALL", [], 2, token, NOW), keys, memory)
        return len(statements)

    count("metrics.loss > 0")  # learns the names
    known, fresh = count("metrics.loss > 0"), count("metrics.loss > 1")
    assert known == fresh - 1
    assert count("metrics.loss > 1") == known
    # So is the way to read a page, which runs the statement anew: it finds what has come meanwhile.
    query = RunQuery([1], "metrics.loss > 1", "ALL", [], 20, None, NOW)
    assert [len(find_runs(connection, query, keys, memory).runs) for _ in range(3)] == [4, 4, 4]
    connection.execute(tables.latest_metrics.update().values(value=9.0))
    assert len(find_runs(connection, query, keys, memory).runs) == 6
    # What is relative to now is looked at anew.
    assert count("metrics.loss > 1 AND start_time < now()") == count("metrics.loss > 1 AND start_time < now()") == fresh
