"""Page tokens."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.errors import InvalidParameterValue
from stele.search.page import Position, decode_token, encode_token, fingerprint

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
VALUES = st.lists(
    st.tuples(st.just(int), st.none() | INT64)
    | st.tuples(st.just(float), st.none() | st.floats(allow_nan=False, allow_infinity=False))
    | st.tuples(st.just(str), st.none() | TEXT)
)


@given(VALUES, INT64)
def test_a_token_gives_its_position_back(pairs: list[tuple[type, object]], now: int) -> None:
    kinds = [kind for kind, _ in pairs]
    position = Position(tuple(value for _, value in pairs), now)  # type: ignore[misc]
    token = encode_token(position, "q")
    assert re.fullmatch(r"[\w-]+", token, re.ASCII)
    found = decode_token(token, "q", kinds)
    assert found == position
    assert [type(value) for value in found.values] == [type(value) for value in position.values]


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_the_first_page(token: str | None) -> None:
    assert decode_token(token, "q", []) is None


def test_padding_is_optional() -> None:
    token = encode_token(Position((1,), 5), "q")
    assert decode_token(token + "=" * (-len(token) % 4), "q", [int]) == Position((1,), 5)


@given(st.text())
def test_any_other_text_is_refused(token: str) -> None:
    if token:
        with pytest.raises(InvalidParameterValue, match="not one that this server gave"):
            decode_token(token, "q", [int])


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ((1,), []),
        ((), [int]),
        (("1",), [int]),
        ((1.5,), [int]),
        ((1,), [str]),
        (("x",), [float]),
        ((2**63,), [int]),
        (("\0",), [str]),
        ((True,), [int]),
    ],
)
def test_values_of_another_order_are_refused(values: tuple[object, ...], kinds: list[type]) -> None:
    token = encode_token(Position(values, 0), "q")  # type: ignore[arg-type]
    with pytest.raises(InvalidParameterValue):
        decode_token(token, "q", kinds)


def test_a_token_of_another_query_is_refused() -> None:
    token = encode_token(Position((1,), 0), fingerprint([1], "a", [], "ALL"))
    with pytest.raises(InvalidParameterValue, match="another query"):
        decode_token(token, fingerprint([1], "b", [], "ALL"), [int])


def test_fingerprints_tell_queries_apart() -> None:
    queries = [([1], "a", ["b"]), ([1], "ab", []), ([1, 2], "a", ["b"]), ([1], "a", []), ([1], None, ["a", "b"])]
    assert len({fingerprint(*query) for query in queries}) == len(queries)
