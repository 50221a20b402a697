"""Results as answers."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.errors import InvalidParameterValue
from stele.serving.answers import answer, split_result

NAN = float("nan")


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (np.array([1, 2]), [1, 2]),
        (np.array([[1.5, NAN], [float("inf"), 2]]), [[1.5, None], [None, 2.0]]),
        (np.float32(0.5), 0.5),
        (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), [{"a": 1, "b": "x"}, {"a": 2, "b": None}]),
        (pd.DataFrame({"t": pd.to_datetime(["2020-01-01"])}), [{"t": "2020-01-01T00:00:00"}]),
        (pd.Series([1.5, NAN]), [1.5, None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        ({"a": np.array([1])}, {"a": [1]}),
        ([{"x": b"ab"}], [{"x": "YWI="}]),
        ("text", "text"),
        (None, None),
        ([True, datetime.date(2020, 1, 2)], [True, "2020-01-02"]),
    ],
)
def test_results_as_json(result: Any, expected: Any) -> None:
    assert json.loads(answer(result)) == {"predictions": expected}


def test_an_answer_of_a_chat_is_the_body() -> None:
    assert json.loads(answer({"choices": []}, wrapped=False)) == {"choices": []}


def test_what_is_no_json_is_named() -> None:
    with pytest.raises(InvalidParameterValue, match="type object"):
        answer(object())


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=6), st.sampled_from(["array", "wide", "frame", "series", "list"])
)
def test_parts_put_together_are_the_result(counts: list[int], kind: str) -> None:
    numbers = list(range(sum(counts)))
    result = {
        "array": np.array(numbers),
        "wide": np.array([[n, n] for n in numbers]),
        "frame": pd.DataFrame({"a": numbers}),
        "series": pd.Series(numbers),
        "list": numbers,
    }[kind]
    parts = split_result(result, counts)
    assert parts is not None
    assert [len(part) for part in parts] == counts
    together = [item for part in parts for item in json.loads(answer(part))["predictions"]]
    assert together == json.loads(answer(result))["predictions"]


@pytest.mark.parametrize("result", [5, {"a": [1, 2]}, np.array([1]), [1, 2, 3], "ab", None])
def test_results_without_a_row_for_each_row_are_not_taken_apart(result: Any) -> None:
    assert split_result(result, [1, 1]) is None
