"""The grammar of searches is described whole, and what the pages show of it is true."""

from __future__ import annotations

import pytest
from doc_pages import DOCS, EXAMPLES, FENCES

from stele.errors import InvalidFilter
from stele.search.fields import AGGREGATES, EXPERIMENTS, OPERATORS, RUNS
from stele.search.grammar import parse_filter, parse_order_by
from stele.search.literals import read


def filters_in_pages() -> list[tuple[str, str]]:
    """The filters in blocks of the language ``sql``, one a line; ``title="experiments"`` marks those of experiments."""
    return [(fence.options, line) for fence in FENCES if fence.language == "sql" for line in fence.text.splitlines()]


@pytest.mark.parametrize(("options", "text"), filters_in_pages())
def test_filter_is_understood(options, text):
    fields = EXPERIMENTS if "experiments" in options else RUNS
    if "order_by" in options:
        assert parse_order_by([text], fields)
    else:
        assert parse_filter(text, fields) is not None


def test_errors_are_as_shown():
    shown = [fence for fence in FENCES if "error" in fence.options]
    assert len(shown) >= 6
    for fence in shown:
        with pytest.raises(InvalidFilter) as caught:
            parse_filter(fence.text.splitlines()[1][2:], RUNS)
        assert str(caught.value) == fence.text


def test_the_grammar_is_described_whole():
    text = (DOCS / "reference/search.md").read_text(encoding="utf-8")
    words = {operator for operators in OPERATORS.values() for operator in operators} | {"AND", "OR", "NOT"}
    words |= {f"{name}(" for name in AGGREGATES} | {"now()", "ASC", "DESC"}
    words |= {f"1{unit}" for unit in ("ms", "s", "m", "h", "d", "w")}
    for fields in (RUNS, EXPERIMENTS):
        words |= {*fields.attributes, *fields.prefixes, *fields.aliases}
        words |= {f"datasets.{key}" for keys in fields.keys.values() for key in keys}
    assert [word for word in sorted(words) if f"`{word}" not in text] == []
    assert read("DURATION", "1w", RUNS.attributes["duration"], "=") == 7 * 86_400_000


def test_the_filters_of_the_examples_use_every_operator():
    text = (EXAMPLES / "search_filters.txt").read_text(encoding="utf-8")
    operators = {operator for operators in OPERATORS.values() for operator in operators}
    assert [operator for operator in sorted(operators) if f" {operator} " not in text] == []
