"""Schemas and parameters: their JSON is MLflow's, and comes back as it was."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pytest
from hypothesis import given
from model_strategies import param_schemas, schemas

from stele.errors import InvalidParameterValue
from stele.models.params import ParamSchema, ParamSpec
from stele.types.schema import AnyType, Array, ColSpec, DataType, Map, Object, Property, Schema, TensorSpec


@given(schemas)
def test_a_schema_comes_back_from_its_text(schema):
    again = Schema.from_json(schema.to_json())
    assert again == schema
    assert again.to_json() == schema.to_json()


@given(param_schemas)
def test_parameters_come_back_from_their_text(schema):
    assert ParamSchema.from_json(schema.to_json()) == schema


def test_the_text_is_as_mlflow_writes_it():
    schema = Schema(
        [
            ColSpec("double", "a"),
            ColSpec(Array("long"), "b", required=False),
            ColSpec(Object([Property("y", Array(Array("double")), required=False), Property("x", "string")]), "o"),
            ColSpec(Map("string"), "m"),
            ColSpec(AnyType(), "any", required=False),
        ]
    )
    assert schema.to_json() == (
        '[{"type": "double", "name": "a", "required": true}, {"type": "array", "items": {"type": "long"}, "name": "b", '
        '"required": false}, {"type": "object", "properties": {"x": {"type": "string", "required": true}, "y": '
        '{"type": "array", "items": {"type": "array", "items": {"type": "double"}}, "required": false}}, "name": "o", '
        '"required": true}, {"type": "map", "values": {"type": "string"}, "name": "m", "required": true}, '
        '{"type": "any", "name": "any", "required": false}]'
    )
    assert repr(schema).startswith("['a': double (required), 'b': Array(long) (optional)")
    assert (schema.required_input_names(), schema.optional_input_names()) == (["a", "o", "m"], ["b", "any"])
    tensor = Schema([TensorSpec(np.dtype("float32"), (-1, 28, 28))])
    assert tensor.to_json() == '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 28, 28]}}]'
    params = ParamSchema(
        [ParamSpec("l", "string", ["a"], (-1,)), ParamSpec("d", "datetime", datetime.date(2020, 1, 2))]
    )
    assert params.to_json() == (
        '[{"name": "l", "default": ["a"], "shape": [-1], "type": "string"}, {"name": "d", "default": "2020-01-02", '
        '"shape": null, "type": "datetime"}]'
    )


def test_types_of_columns():
    schema = Schema([ColSpec("string", "a"), ColSpec("datetime", "b")])
    assert schema.numpy_types() == [np.dtype("str"), np.dtype("datetime64[ns]")]
    assert schema.pandas_types() == [np.dtype(object), np.dtype("datetime64[ns]")]
    assert [kind.to_python() for kind in schema.input_types()] == [str, datetime.date]
    assert schema.input_types_dict() == {"a": DataType.string, "b": DataType.datetime}
    with pytest.raises(InvalidParameterValue, match="no numpy type"):
        Schema([ColSpec(AnyType(), "a")]).numpy_types()


def test_what_is_absent_has_its_default():
    assert Schema.from_json('[{"type": "double", "name": "a"}]') == Schema([ColSpec("double", "a")])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Schema([]), "at least one"),
        (lambda: Schema([ColSpec("double"), TensorSpec(np.dtype("int8"), (1,))]), "not both"),
        (lambda: Schema([ColSpec("double", "a"), ColSpec("double")]), "all of its inputs or none"),
        (lambda: Schema([TensorSpec(np.dtype("int8"), (-1,))] * 2), "need names"),
        (lambda: Schema([ColSpec("double", required=False)]), "none may be optional"),
        (lambda: ColSpec("number"), "'number' is no type"),
        (lambda: Object([]), "at least one property"),
        (lambda: ParamSpec("a", "double", "x"), "'a' is 'x', a str"),
        (lambda: ParamSpec("a", "binary", b"x"), "binary"),
        (lambda: ParamSpec("a", "long", 1, (2,)), "shape"),
        (lambda: ParamSpec("a", "long", 2**63), "must be long"),
        (lambda: ParamSchema([ParamSpec("a", "long", 1)] * 2), "same name"),
    ],
)
def test_what_is_no_type_is_refused(make, message):
    with pytest.raises(InvalidParameterValue, match=message):
        make()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[1]",
        "[{}]",
        '[{"type": "array"}]',
        '[{"type": {}}]',
        '[{"type": "object", "properties": []}]',
        '[{"type": "tensor"}]',
        '[{"type": "tensor", "tensor-spec": {"dtype": "no", "shape": [1]}}]',
        '[{"type": "tensor", "tensor-spec": {"dtype": "int8", "shape": ["x"]}}]',
        "[" * 100_000,
        json.dumps([{"type": "double", "x": eval("[" * 80 + "]" * 80)}]),
    ],
)
def test_a_text_from_anywhere_is_a_schema_or_a_clear_error(text):
    with pytest.raises(InvalidParameterValue):
        Schema.from_json(text)


def test_tensors_need_numpys_types():
    with pytest.raises(TypeError, match=r"numpy\.dtype"):
        TensorSpec("float32", (1,))
