"""What a model gets of a request: types, order, and errors that name the column."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from stele.errors import InvalidParameterValue
from stele.models.enforcement import enforce_schema
from stele.models.schema import ColSpec, Schema, TensorSpec
from stele.serving.inputs import InputReader
from stele.serving.payloads import CSV, JSON, parse_body

MIXED = Schema(
    [
        ColSpec("double", "x"),
        ColSpec("long", "n"),
        ColSpec("integer", "i", required=False),
        ColSpec("string", "s"),
        ColSpec("boolean", "b"),
        ColSpec("datetime", "t"),
        ColSpec("binary", "d"),
    ]
)
ROW = {"x": 1, "n": 2.0, "i": 3, "s": "a", "b": True, "t": "2020-01-01T10:00:00", "d": "YWI="}


def read(schema: Schema | None, content: Any, kind: str = JSON, *, raw: bool = False) -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return InputReader(schema, raw=raw).read(parse_body(kind, body).data)


def test_values_become_the_types_of_the_signature() -> None:
    frame = read(MIXED, {"dataframe_records": [ROW]})
    kinds = [str(kind).replace("str", "object") for kind in frame.dtypes]  # texts are objects before pandas 3
    assert kinds == ["float64", "int64", "int32", "object", "bool", "datetime64[ns]", "object"]
    assert frame.iloc[0].tolist() == [1.0, 2, 3, "a", True, pd.Timestamp("2020-01-01 10:00:00"), b"ab"]


@pytest.mark.parametrize(
    "content",
    [
        {"dataframe_records": [ROW | {"other": 5}]},
        {"dataframe_split": {"columns": [*reversed(ROW), "more"], "data": [[*reversed(ROW.values()), None]]}},
        {"inputs": ROW},
        {"inputs": {name: [value] for name, value in ROW.items()}},
        {"inputs": [ROW]},
        {"instances": [ROW]},
        {"instances": [list(ROW.values())]},
        {"dataframe_split": {"data": [list(ROW.values())]}},
    ],
)
def test_every_form_gives_the_same_frame(content: Any) -> None:
    assert_frame_equal(read(MIXED, content), read(MIXED, {"dataframe_records": [ROW]}), check_dtype=True)


def test_csv_gives_the_same_frame() -> None:
    schema = Schema([ColSpec("double", "x"), ColSpec("long", "n"), ColSpec("string", "s"), ColSpec("datetime", "t")])
    found = read(schema, b"t,s,n,x,z\n2020-01-01,a,2,1,9\n", CSV)
    assert_frame_equal(found, read(schema, {"dataframe_records": [{"x": 1, "n": 2, "s": "a", "t": "2020-01-01"}]}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"x": "1.5"}, "'x' takes double, row 0 has '1.5'"),
        ({"x": None}, "'x' has no value in row 0"),
        ({"n": 1.5}, "'n' takes long, row 0 has 1.5"),
        ({"n": 1 << 63}, "'n' takes long"),
        ({"n": None}, "'n' has no value"),
        ({"i": 1 << 31}, "'i' takes integer"),
        ({"s": 5}, "'s' takes string, row 0 has 5"),
        ({"b": 1}, "'b' takes boolean"),
        ({"t": "yesterday-ish"}, "'t' takes datetime, row 0 has 'yesterday-ish': a time in ISO 8601"),
        ({"t": 5}, "'t' takes datetime"),
        ({"d": "%%%"}, "'d' takes binary"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidParameterValue, match=problem):
        read(MIXED, {"dataframe_records": [ROW | change]})


def test_absent_columns() -> None:
    without = {name: value for name, value in ROW.items() if name not in ("x", "s")}
    with pytest.raises(InvalidParameterValue, match="needs the columns 'x', 's'"):
        read(MIXED, {"dataframe_records": [without]})
    frame = read(MIXED, {"dataframe_records": [{name: value for name, value in ROW.items() if name != "i"}]})
    assert list(frame.columns) == ["x", "n", "s", "b", "t", "d"]
    assert str(read(MIXED, {"dataframe_records": [ROW | {"i": None}, ROW]}).dtypes["i"]) == "Int32"


def test_columns_of_one_real_type_take_the_short_way_with_the_same_result() -> None:
    schema = Schema([ColSpec("double", "a"), ColSpec("double", "b")])
    frame = read(schema, {"dataframe_split": {"columns": ["b", "c", "a"], "data": [[1, 2, 3], [4.5, 5, 6]]}})
    assert_frame_equal(frame, pd.DataFrame({"a": [3.0, 6.0], "b": [1.0, 4.5]}))
    assert read(schema, {"inputs": {"a": [True], "b": [2]}}).to_numpy().tolist() == [[1.0, 2.0]]
    for bad in (None, "x", [1], {}):
        with pytest.raises(InvalidParameterValue, match="Column 'b'"):
            read(schema, {"dataframe_split": {"columns": ["b", "a"], "data": [[bad, 2], [1, 2]]}})


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "a": st.floats(allow_nan=False, allow_infinity=False),
                "b": st.integers(-(1 << 31), (1 << 31) - 1),
                "c": st.text(),
            }
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_read_fits_the_signature(records: list[dict[str, Any]]) -> None:
    schema = Schema([ColSpec("double", "a"), ColSpec("long", "b"), ColSpec("string", "c")])
    frame = read(schema, {"dataframe_records": records})
    assert_frame_equal(enforce_schema(frame, schema), frame)
    assert frame.to_dict("records") == records


def test_tensors() -> None:
    image = Schema([TensorSpec(np.dtype("float32"), (-1, 2))])
    named = Schema([TensorSpec(np.dtype("int64"), (-1,), "a"), TensorSpec(np.dtype("float64"), (-1, 1), "b")])
    assert read(image, {"inputs": [[1, 2.5]]}).dtype == np.float32
    assert read(image, {"instances": [[1, None]]}).tolist() == [[1.0, pytest.approx(float("nan"), nan_ok=True)]]
    assert read(image, {"dataframe_split": {"data": [[1, 2]]}}).tolist() == [[1.0, 2.0]]
    for content in ({"inputs": {"a": [1], "b": [[2]]}}, {"instances": [{"a": 1, "b": [2]}]}):
        found = read(named, content)
        assert {name: (array.dtype.name, array.tolist()) for name, array in found.items()} == {
            "a": ("int64", [1]),
            "b": ("float64", [[2.0]]),
        }


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"inputs": [[1, 2], [3]]}, "different lengths"),
        ({"inputs": [["a", "b"]]}, "takes float32"),
        ({"inputs": {"a": [1.5]}}, None),
    ],
)
def test_bad_tensors(content: Any, problem: str | None) -> None:
    schema = Schema([TensorSpec(np.dtype("float32"), (-1, 2))])
    if problem is None:  # the model's own check says what it wants
        assert set(read(schema, content)) == {"a"}
        return
    with pytest.raises(InvalidParameterValue, match=problem):
        read(schema, content)


def test_lossy_integers_are_refused_for_tensors() -> None:
    with pytest.raises(InvalidParameterValue, match="takes int64"):
        read(Schema([TensorSpec(np.dtype("int64"), (-1,))]), {"inputs": [1.5]})


def test_without_a_signature_data_stay_as_they_are() -> None:
    assert read(None, {"dataframe_split": {"columns": ["a"], "data": [["x"]]}}).to_dict("list") == {"a": ["x"]}
    assert read(None, {"inputs": [[1, 2]]}).tolist() == [[1, 2]]
    assert read(None, {"inputs": [[1, 2], [3]]}) == [[1, 2], [3]]
    assert read(None, {"inputs": "text"}) == "text"
    assert read(None, {"messages": []}) == {"messages": []}


def test_models_with_type_hints_take_inputs_alone() -> None:
    schema = Schema([ColSpec("string")])
    assert read(schema, {"inputs": ["a", "b"]}, raw=True) == ["a", "b"]
    with pytest.raises(InvalidParameterValue, match="'inputs'"):
        read(schema, {"instances": ["a"]}, raw=True)


def test_columns_without_names_go_by_position() -> None:
    schema = Schema([ColSpec("double"), ColSpec("long")])
    assert_frame_equal(read(schema, {"instances": [[1, 2]]}), pd.DataFrame({0: [1.0], 1: [2]}))
    with pytest.raises(InvalidParameterValue, match="have 1 values, the model takes 2"):
        read(schema, {"dataframe_split": {"data": [[1]]}})
    with pytest.raises(InvalidParameterValue, match="Column 1 takes long"):
        read(schema, {"instances": [[1, "x"]]})
