"""The portable subset of regular expressions and its linear-time matcher."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.search.automaton import matcher
from stele.search.regex import BadPattern, parse, to_portable
from stele.testing.search_strategies import TEXTS, patterns


@given(patterns(), TEXTS)
def test_the_matcher_agrees_with_a_backtracking_engine(pattern: str, text: str) -> None:
    portable = to_portable(pattern, end=r"\Z")
    assert matcher(pattern).search(text) == (re.search(portable, text) is not None)


@given(patterns(), TEXTS)
def test_the_portable_form_means_the_same(pattern: str, text: str) -> None:
    # In Python's own words: a dot takes line breaks, $ is the very end, classes are ASCII.
    python = re.sub(r"(?<!\\)\$", r"\\Z", pattern)
    expected = re.search(python, text, re.DOTALL | re.ASCII) is not None
    assert (re.search(to_portable(pattern, end=r"\Z"), text) is not None) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("", "", True),
        ("^$", "", True),
        ("$^", "", True),
        ("^$", "a", False),
        ("a.c", "a\nc", True),
        ("a$", "a\n", False),
        ("^b", "ab", False),
        (r"\d{3,4}", "ab123", True),
        (r"\d{3,4}", "ab12c3", False),
        ("(?:ab|c)+$", "xxabcab", True),
        (r"[^\w]", "abc_9", False),
        (r"[a-c\-]x", "-x", True),
        (r"\.csv$", "data.csv", True),
        ("a*?b", "aab", True),
        ("é", "café", True),
    ],
)
def test_matches(pattern: str, text: str, found: bool) -> None:
    assert matcher(pattern).search(text) is found


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+$", ".*.*.*.*x", "(a?){50}a{50}"])
def test_no_pattern_explodes(pattern: str) -> None:
    # A backtracking engine needs longer than the age of the universe for some of these.
    assert matcher(pattern).search("a" * 8_000 + "c") is (pattern == "(a?){50}a{50}")


def test_memory_stays_bounded() -> None:
    automaton = matcher("(a|b)*a(a|b){60}c")
    text = "".join("ab"[number.bit_count() % 2] for number in range(8_000))
    assert automaton.search(text) is False
    assert len(automaton.states) <= 1_001


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("(a", 0),
        ("a)", 1),
        ("*a", 0),
        ("a**", 2),
        ("^*", 1),
        ("[a", 0),
        ("[]", 0),
        ("[z-a]", 0),
        ("[[:alpha:]]", 1),
        (r"[\w\W]x[^\w\W]", 7),
        ("a{2", 1),
        ("a{x}", 1),
        ("a{5,2}", 1),
        ("a{101}", 1),
        (r"\b", 0),
        (r"(a)\1", 3),
        ("(?=a)", 0),
        ("(?i)a", 0),
        ("a\\", 1),
        ("((a{90}){90}){90}", 0),
        ("(" * 30 + ")" * 30, 21),
        ("a" * 501, 500),
    ],
)
def test_the_rest_is_refused_with_its_place(pattern: str, position: int) -> None:
    with pytest.raises(BadPattern) as caught:
        parse(pattern)
    assert caught.value.position == position


@given(st.text())
def test_any_text_is_a_pattern_or_a_bad_pattern(text: str) -> None:
    try:
        parse(text)
    except BadPattern:
        return
    re.compile(to_portable(text, end=r"\Z"))
