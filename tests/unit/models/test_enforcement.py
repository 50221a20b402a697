"""What predict gets is checked against the signature: converted without loss, or refused by name."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from stele.errors import InvalidParameterValue
from stele.models.enforcement import enforce_schema
from stele.models.params import ParamSchema, ParamSpec, checked_params
from stele.models.schema import ColSpec, Schema, TensorSpec
from stele.models.types import AnyType, Array, DataType, Map, Object, Property

TWO = Schema([ColSpec("double", "a"), ColSpec("string", "b", required=False)])


def column(values, kind, *, required=True):
    """The column after the check, as its type and values."""
    found = enforce_schema(pd.DataFrame({"c": values}), Schema([ColSpec(kind, "c", required)]))["c"]
    return str(found.dtype), found.tolist()


@pytest.mark.parametrize(
    "source", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]
)
@pytest.mark.parametrize("target", ["integer", "long", "float", "double"])
def test_numbers_fit_when_each_value_does(source, target):
    wanted = DataType[target].to_numpy()
    widens = np.can_cast(source, wanted, "safe")
    exact = np.dtype(source).kind in "iu" and wanted.kind == "f"
    if widens or exact:
        assert column(np.array([1, 2], source), target) == (wanted.name, [1, 2])
    else:
        with pytest.raises(InvalidParameterValue, match=f"'c' has the type {source}; the model takes {target}"):
            column(np.array([1, 2], source), target)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_no_integer_changes_when_it_becomes_a_double(values):
    try:
        _, found = column(np.array(values, "int64"), "double")
    except InvalidParameterValue:
        assert any(abs(value) > 2**53 for value in values)
    else:
        assert [int(each) for each in found] == values


def test_missing_integers():
    nullable = pd.array([1, None], dtype="Int64")
    assert column(nullable, "long", required=False) == ("Int64", [1, pd.NA])
    assert column([1.0, None], "long", required=False) == ("Int64", [1, pd.NA])
    assert column([None, None], "integer", required=False) == ("Int32", [pd.NA, pd.NA])
    kind, found = column(nullable, "double")
    assert (kind, found[0], np.isnan(found[1])) == ("float64", 1.0, True)
    with pytest.raises(InvalidParameterValue, match="nullable column"):
        column([1.0, None], "long")
    with pytest.raises(InvalidParameterValue, match="'c' has the type float64; the model takes long"):
        column([1.5, None], "long", required=False)
    with pytest.raises(InvalidParameterValue):
        column([1e300, None], "long", required=False)


def test_texts_times_and_categories():
    assert column(["a", None], "string")[0] == "str"
    assert column(np.array([b"x"], object), "binary") == ("object", [b"x"])
    aware = pd.to_datetime(["2020-01-01T01:00+01:00"], utc=False)
    assert column(aware, "datetime") == ("datetime64[ns]", [pd.Timestamp("2020-01-01")])
    assert column(np.array([datetime.date(2020, 1, 1)], object), "datetime")[1] == [pd.Timestamp("2020-01-01")]
    assert column(pd.Categorical(["a"]), "string") == ("category", ["a"])
    assert column(pd.Categorical([1]), "long") == ("category", [1])
    for values, kind in (
        ([1], "string"),
        (["1"], "double"),
        ([True], "long"),
        ([1], "boolean"),
        (["2020"], "datetime"),
    ):
        with pytest.raises(InvalidParameterValue, match=f"the model takes {kind}"):
            column(values, kind)


def test_names_decide_and_order_does_not(recwarn):
    frame = enforce_schema(pd.DataFrame({"x": [0], "b": ["t"], "a": [1.5]}), TWO)
    assert list(frame.columns) == ["a", "b"]
    assert "'x'; left out" in str(recwarn.pop(UserWarning).message)
    assert list(enforce_schema(pd.DataFrame({"a": [1.5]}), TWO).columns) == ["a"]
    with pytest.raises(InvalidParameterValue, match=r"lack the column 'a'.*does not know: \['x'\]"):
        enforce_schema(pd.DataFrame({"x": [1], "b": ["t"]}), TWO)


def test_the_usual_frame_is_not_copied():
    frame = pd.DataFrame({"a": [1.5], "b": ["t"]})
    assert enforce_schema(frame, TWO) is frame


def test_positions_decide_without_names():
    schema = Schema([ColSpec("double"), ColSpec("long")])
    assert enforce_schema(pd.DataFrame({"p": [1], "q": [2], "r": [3]}), schema).to_dict("list") == {
        "p": [1.0],
        "q": [2],
    }
    assert enforce_schema([[1.5, 2]], schema).to_numpy().tolist() == [[1.5, 2.0]]
    with pytest.raises(InvalidParameterValue, match=r"takes 2 columns by position.*the data have 1"):
        enforce_schema(np.ones((3, 1)), schema)


def test_what_makes_a_table_is_one():
    for data in (
        {"a": [1.0], "b": ["t"]},
        {"a": 1, "b": "t"},
        [{"a": 1.0, "b": "t"}],
        pl.DataFrame({"a": [1.0], "b": ["t"]}),
        {"a": np.array([1]), "b": np.array(["t"])},
    ):
        assert enforce_schema(data, TWO).to_dict("list") == {"a": [1.0], "b": ["t"]}
    one = Schema([ColSpec("double", "a")])
    for data in (1.0, [1.0], np.array([1.0]), np.array([[1.0]]), pd.Series([1.0]), pd.Series([1.0], name="a")):
        assert enforce_schema(data, one).to_dict("list") == {"a": [1.0]}
    for data in (None, object(), sp.eye(2), {"a": [1.0], "b": ["t", "u"]}, np.ones((1, 2, 3))):
        with pytest.raises(InvalidParameterValue):
            enforce_schema(data, TWO)


def test_anything_passes_where_nothing_is_known():
    whole = np.ones((2, 2))
    assert enforce_schema(whole, None) is whole
    assert enforce_schema(whole, Schema([ColSpec(AnyType())])) is whole
    mixed = pd.DataFrame({"a": [1, "x", None]})
    assert enforce_schema(mixed, Schema([ColSpec(AnyType(), "a")])).equals(mixed)


NESTED = Schema(
    [
        ColSpec(Array("double"), "v"),
        ColSpec(Object([Property("x", "long"), Property("y", "string", required=False)]), "o"),
        ColSpec(Map("long"), "m", required=False),
    ]
)


def test_nested_values():
    cells = {"v": np.array([1], "int32"), "o": {"x": 1, "y": None}, "m": {"k": 2}}
    found = enforce_schema(pd.DataFrame({key: [each] for key, each in cells.items()}), NESTED).iloc[0].to_dict()
    assert (found["v"].dtype, found["v"].tolist()) == (np.dtype("float64"), [1.0])
    assert (found["o"], found["m"]) == ({"x": 1, "y": None}, {"k": 2})
    assert enforce_schema({"v": [1, 2.5], "o": {"x": 1}}, NESTED)["v"][0] == [1.0, 2.5]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"v": 1.5}, r"v\[0\] is 1.5, a float; the model takes Array\(double\)"),
        ({"v": None}, r"v\[0\] is None"),
        ({"v": ["a"]}, r"v\[0\]\[0\] is 'a', a str; the model takes double"),
        ({"v": np.array(["a"])}, r"v\[0\] is an array of <U1"),
        ({"o": {}}, r"o\[0\] lacks the properties x"),
        ({"o": {"x": 1, "z": 1}}, r"o\[0\] has properties that the model does not know: z"),
        ({"o": {"x": "s"}}, r"o\[0\].x is 's'"),
        ({"m": {"k": 1.5}}, r"m\[0\].k is 1.5"),
    ],
)
def test_nested_values_that_do_not_fit_are_found(cell, message):
    row = {"v": [1.0], "o": {"x": 1}, "m": {"k": 1}} | cell
    with pytest.raises(InvalidParameterValue, match=message):
        enforce_schema(pd.DataFrame({key: pd.Series([each], dtype=object) for key, each in row.items()}), NESTED)


IMAGE = Schema([TensorSpec(np.dtype("float32"), (-1, 2))])
NAMED = Schema([TensorSpec(np.dtype("float64"), (-1, 2), "a"), TensorSpec(np.dtype("int64"), (-1,), "b")])


def test_tensors_are_exact():
    array = np.ones((3, 2), "float32")
    assert enforce_schema(array, IMAGE) is array
    assert enforce_schema(pd.DataFrame(array), IMAGE).tolist() == array.tolist()
    sparse = sp.csr_matrix(array)
    assert enforce_schema(sparse, IMAGE) is sparse
    for data, message in (
        (array.astype("float64"), "has the type float64; the model takes float32"),
        (array[0], r"has the shape \(2,\); the model takes \(-1, 2\)"),
        (np.ones((3, 3), "float32"), r"has the shape \(3, 3\)"),
        ([[1.0, 2.0]], "got a list"),
        (None, "NoneType"),
    ):
        with pytest.raises(InvalidParameterValue, match=message):
            enforce_schema(data, IMAGE)


def test_named_tensors(recwarn):
    arrays = {"a": np.ones((1, 2)), "b": np.array([1]), "c": np.array([1])}
    assert list(enforce_schema(arrays, NAMED)) == ["a", "b"]
    assert "['c']; left out" in str(recwarn.pop(UserWarning).message)
    frame = pd.DataFrame({"a": [[1.0, 2.0]], "b": [1]})
    assert {name: each.tolist() for name, each in enforce_schema(frame, NAMED).items()} == {"a": [[1.0, 2.0]], "b": [1]}
    for data, message in (
        ({"a": np.ones((1, 2))}, r"lack the arrays \['b'\]"),
        ({"a": [[1.0]], "b": [1]}, "'a' is a list"),
        (np.ones((1, 2)), "dictionary"),
        (pd.DataFrame({"a": [[1.0], [1.0, 2.0]], "b": [1, 2]}), "make no array"),
    ):
        with pytest.raises(InvalidParameterValue, match=message):
            enforce_schema(data, NAMED)


PARAMS = ParamSchema([ParamSpec("i", "long", 1), ParamSpec("f", "double", 0.5), ParamSpec("d", "datetime", None)])


def test_parameters_widen_and_have_defaults():
    assert checked_params(None, PARAMS) == {"i": 1, "f": 0.5, "d": None}
    found = checked_params({"f": np.int32(2), "d": "2021-01-01"}, PARAMS)
    assert (found["f"], type(found["f"]), found["d"]) == (2.0, float, datetime.datetime.fromisoformat("2021-01-01"))
    with pytest.warns(UserWarning, match="does not take zz; left out. It takes i, f, d"):
        assert checked_params({"zz": 1}, PARAMS) == {"i": 1, "f": 0.5, "d": None}
    with pytest.warns(UserWarning, match="has no parameters"):
        assert checked_params({"zz": 1}, None) == {}
    for params in ({"i": 2.0}, {"i": True}, {"f": "1"}, {"d": "never"}, {"d": 5}, [1]):
        with pytest.raises(InvalidParameterValue):
            checked_params(params, PARAMS)
