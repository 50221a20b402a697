"""Signatures: inferred from data, said aloud when that fails, and what MLmodel holds of them."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any, Literal

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_strategies import param_schemas, schemas

from stele.errors import InvalidParameterValue
from stele.models.hints import predict_hints, schema_of_hint
from stele.models.inference import CannotInfer
from stele.models.schema import ColSpec, Schema
from stele.models.signature import ModelSignature, infer_signature
from stele.models.types import AnyType, Array, DataType, Map, Object, Property


@given(st.none() | schemas, st.none() | schemas, param_schemas)
def test_a_signature_comes_back_from_its_mapping(inputs, outputs, params):
    signature = ModelSignature(inputs, outputs, params)
    assert ModelSignature.from_dict(signature.to_dict()) == signature


def columns(data: Any) -> list[dict[str, Any]]:
    return json.loads(infer_signature(data).to_dict()["inputs"])


def test_a_column_without_a_type_leaves_the_others_theirs():
    frame = pd.DataFrame({"good": [1.5], "bad": [1j]})
    with pytest.warns(UserWarning, match="'bad' becomes 'any'.*complex128"):
        found = columns(frame)
    assert found == [
        {"type": "double", "name": "good", "required": True},
        {"type": "any", "name": "bad", "required": True},
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (object(), "no type"),
        ({}, "empty"),
        ({1: 2}, "no text"),
        ([1, "a"], "no common type"),
        (pd.DataFrame(), "no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than once"),
    ],
)
def test_data_without_a_type_are_said_aloud(data, reason):
    with pytest.warns(UserWarning, match=reason):
        assert columns(data) == [{"type": "any", "required": True}]


def test_nothing_has_no_signature():
    with pytest.raises(InvalidParameterValue, match="inputs, outputs or params"):
        infer_signature()
    with pytest.raises(InvalidParameterValue, match="must be a Schema"):
        ModelSignature(inputs=5)


def test_missing_values_make_a_column_optional():
    frame = pd.DataFrame(
        {"a": [1.0, None], "b": pd.array([1, None], dtype="Int64"), "c": ["x", None], "d": [None, None]}
    )
    assert [(each["type"], each["required"]) for each in columns(frame)] == [
        ("double", False),
        ("long", False),
        ("string", False),
        ("any", False),
    ]


class Question(pydantic.BaseModel):
    text: str
    temperature: float | None = None
    kind: Literal["chat", "search"] = "chat"
    tags: dict[str, int] = {}


@dataclasses.dataclass
class Answer:
    text: str
    scores: list[float]


def test_objects_have_the_columns_of_their_fields():
    assert infer_signature(Answer("a", [1.0])).inputs == Schema(
        [ColSpec("string", "text"), ColSpec(Array("double"), "scores")]
    )
    assert ModelSignature(Answer).inputs == infer_signature(Answer("a", [1.0])).inputs


def test_hints_are_schemas():
    def predict(self, context, model_input: list[Question], params=None) -> list[dict[str, str]]:
        raise NotImplementedError

    hints = predict_hints(predict)
    assert hints == (list[Question], list[dict[str, str]])
    assert schema_of_hint(hints.input) == Schema(
        [
            ColSpec(
                Object(
                    [
                        Property("text", "string"),
                        Property("temperature", "double", required=False),
                        Property("kind", "string"),
                        Property("tags", Map("long")),
                    ]
                )
            )
        ]
    )
    assert schema_of_hint(hints.output) == Schema([ColSpec(Map("string"))])
    assert schema_of_hint(list[list[Answer]]) == Schema(
        [ColSpec(Array(Object([Property("text", "string"), Property("scores", Array("double"))])))]
    )
    assert schema_of_hint(list[datetime.datetime]) == Schema([ColSpec(DataType.datetime)])
    assert schema_of_hint(list[Any]) == schema_of_hint(list[int | str]) == Schema([ColSpec(AnyType())])
    assert schema_of_hint(pd.DataFrame) is schema_of_hint(None) is None
    for hint in (list, list[str | None], list[dict], list[object]):
        with pytest.raises(CannotInfer):
            schema_of_hint(hint)


def test_parameters_have_the_types_of_their_defaults():
    signature = infer_signature(params={"a": 1, "b": np.float32(1.5), "c": ["x"], "d": {"k": True}, "e": np.arange(2)})
    assert {spec.name: (repr(spec.dtype), spec.default, spec.shape) for spec in signature.params} == {
        "a": ("long", 1, None),
        "b": ("float", 1.5, None),
        "c": ("string", ["x"], (-1,)),
        "d": ("{k: boolean (required)}", {"k": True}, None),
        "e": ("long", [0, 1], (-1,)),
    }
    for params in ({"a": None}, {"a": (1, 2)}, {"a": b"x"}, {"a": [[1]]}, [1]):
        with pytest.raises(InvalidParameterValue):
            infer_signature(params=params)
