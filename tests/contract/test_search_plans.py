"""What a search reads: indexes instead of tables, and no more of them than it must."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from search_rows import a_run, load_runs, loss
from sqlalchemy import Connection

from stele.stores.sql import search_plan
from stele.stores.sql.search import RunQuery, find_runs
from stele.stores.sql.search_estimate import Estimate
from stele.testing.search_strategies import NOW

INDEXED = (
    ("params.a = '1' AND metrics.loss < 5", []),
    ("params.a LIKE 'x%' OR metrics.loss BETWEEN 1 AND 2", ["metrics.loss DESC"]),
    ("params.a LIKE '%x' AND tags.a ILIKE 'y' AND tags.a RLIKE 'z'", []),
    ("params.a < 0.5", ["params.a"]),
    ("run_id IN ('r1', 'r2')", []),
    ("datasets.name = 'x' AND datasets.context = 'y'", []),
    ("NOT metrics.loss = 1 AND mean(metrics.loss) > 2", ["min(metrics.loss)", "tags.a"]),
    ("status = 'FINISHED' AND start_time > 5", ["end_time"]),
    (None, ["metrics.loss DESC", "params.a"]),
    (None, ["tags.a"]),
)


# Only SQLite: the others plan by statistics, which a small store does not have.
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("walk_cost", [0.0, math.inf])
@pytest.mark.parametrize(("filter_string", "order_by"), INDEXED)
def test_no_table_is_read_from_end_to_end(
    connection: Connection,
    statements: list[tuple[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    filter_string: str | None,
    order_by: list[str],
    walk_cost: float,
) -> None:
    monkeypatch.setattr(search_plan, "_walk_cost", lambda *_known: walk_cost)
    records = [
        a_run(i, params={"a": "1"}, tags={"a": "y"}, metrics=loss(i), datasets=(("x", "d", "y"),)) for i in range(9)
    ]
    load_runs(connection, records)
    statements.clear()
    first = find_runs(connection, RunQuery([1], filter_string, "ACTIVE_ONLY", order_by, 2, None, NOW))
    find_runs(connection, RunQuery([1], filter_string, "ACTIVE_ONLY", order_by, 2, first.next_page_token, NOW))
    for statement, parameters in list(statements):
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = [row[3] for row in plan]
        # Subqueries that were read through an index before may be scanned.
        scans = [step for step in steps if re.match(r"SCAN (?!found|sample|masks|anon|CONSTANT)", step)]
        assert not scans, (statement, steps)


def looked_up(connection: Connection, statement: str, parameters: Any, name: str) -> int:
    """How many rows a statement reads, or looks up one by one, in the table of this name."""
    is_postgresql = connection.dialect.name == "postgresql"
    explain = "EXPLAIN (ANALYZE, FORMAT JSON)" if is_postgresql else "ANALYZE FORMAT=JSON"
    plan = connection.exec_driver_sql(f"{explain} {statement}", parameters).scalar_one()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    alias, loops, rows = (
        ("Alias", "Actual Loops", "Actual Rows") if is_postgresql else ("table_name", "r_loops", "r_rows")
    )
    (node,) = [node for node in nodes_of(plan) if node.get(alias) == name]
    return int(max(node[loops], node[loops] * (node[rows] or 0)))


def nodes_of(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, dict):
        yield plan
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from nodes_of(part)


def test_a_list_of_matches_finds_what_probes_find(
    connection: Connection, statements: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_plan, "_walk_cost", lambda *_known: math.inf)
    load_runs(connection, [a_run(i, params={"a": str(i % 3), "b": str(i % 4)}, metrics=loss(i % 5)) for i in range(60)])
    filter_string = "metrics.loss > 2 AND params.a = '1' AND params.b != '2'"
    found = {}
    for is_listed in (False, True):
        monkeypatch.setattr(Estimate, "listed", lambda *_known, is_listed=is_listed: is_listed)
        page = find_runs(connection, RunQuery([1], filter_string, "ALL", [], 100, None, NOW))
        found[is_listed] = page.runs
    assert found[True] == found[False]
    expected = [i for i in range(60) if i % 5 > 2 and i % 3 == 1 and i % 4 != 2]
    assert len(found[True]) == len(expected)
    assert ["found.run IN (SELECT" in text for text, _ in statements if "AS found" in text] == [False, True]


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
    indirect=True,
)
class TestOthersThanSqlite:
    """Which decide by statistics in which order they test conditions, and are told where they are wrong."""

    def test_only_texts_that_fit_a_pattern_are_looked_up_elsewhere(
        self, connection: Connection, statements: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(search_plan, "_walk_cost", lambda *_known: math.inf)
        load_runs(connection, [a_run(i, params={"a": f"name{i}"}, metrics=loss(i)) for i in range(60)])
        page = find_runs(connection, RunQuery([1], "metrics.loss > 1 AND params.a LIKE '%7'", "ALL", [], 20, None, NOW))
        assert len(page.runs) == 6
        statement, parameters = next(sent for sent in statements if "AS found" in sent[0])
        assert looked_up(connection, statement, parameters, "probe_metrics") == 6

    def test_a_page_in_the_order_of_a_metric_reads_the_first_entries(
        self, connection: Connection, statements: list[tuple[str, Any]]
    ) -> None:
        load_runs(connection, [a_run(i, metrics=loss(i // 2)) for i in range(400)])
        order = ["metrics.loss DESC"]
        page = find_runs(connection, RunQuery([1], None, "ALL", order, 4, None, NOW))
        assert len(page.runs) == 4
        statement, parameters = [sent for sent in statements if "walk_metrics" in sent[0]][-1]
        if connection.dialect.name == "postgresql":  # without statistics it sorts what is small
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        assert looked_up(connection, statement, parameters, "walk_metrics") < 20
