"""Bodies of requests: every form, and what is said of those that are none."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from stele.errors import InvalidParameterValue, UnsupportedMediaType
from stele.serving.payloads import CSV, JSON, PARQUET, Payload, Rows, Table, Value, parse_body


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"]]}}, Rows(("a", "b"), [[1, "x"]])),
        ({"dataframe_split": {"data": [[1, 2]]}}, Rows(None, [[1, 2]])),
        ({"dataframe_split": {"columns": ["a"], "index": [5], "data": [[1]]}}, Rows(("a",), [[1]])),
        ({"dataframe_records": [{"a": 1}, {"b": 2}]}, Rows(("a", "b"), [[1, None], [None, 2]])),
        ({"instances": [[1], [2]]}, Value([[1], [2]], by_rows=True)),
        ({"inputs": {"a": [1]}}, Value({"a": [1]})),
        ({"messages": [{"role": "user"}]}, Value({"messages": [{"role": "user"}]}, whole=True)),
    ],
)
def test_forms_of_json(content: object, expected: object) -> None:
    assert parse_body(JSON, json.dumps(content).encode()) == Payload(expected)  # type: ignore[arg-type]


def test_parameters_and_charset() -> None:
    body = json.dumps({"inputs": [1], "params": {"p": 1}}).encode()
    assert parse_body('application/json; charset="UTF-8"', body) == Payload(Value([1]), {"p": 1})


def test_nan_of_python_is_read() -> None:
    data = parse_body(JSON, b'{"inputs": [NaN]}').data
    assert isinstance(data, Value)
    assert data.value[0] != data.value[0]


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/xml", "application/json; charset=latin-1", "application/json; a=b"]
)
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        parse_body(kind, b"{}")
    assert caught.value.get_http_status_code() == 415


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no JSON"),
        (b"[1]", "JSON list"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", "nothing"),
        (b'{"data": [1]}', "'data'"),
        (b'{"inputs": [1], "instances": [1]}', "exactly one"),
        (b'{"inputs": [1], "params": [1]}', "params"),
        (b'{"dataframe_split": [1]}', "dataframe_split"),
        (b'{"dataframe_split": {"columns": "ab", "data": []}}', "columns"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1], [1, 2]]}}', r"data\[1\]"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [1]}}', r"data\[0\]"),
        (b'{"dataframe_records": [1]}', "dataframe_records"),
        (b'{"dataframe_records": {"a": 1}}', "dataframe_records"),
        (b'{"inputs": [Nan]}', "no JSON"),
    ],
)
def test_what_is_wrong_with_a_body_is_said(body: bytes, problem: str) -> None:
    with pytest.raises(InvalidParameterValue, match=problem):
        parse_body(JSON, body)


def test_csv_and_parquet_are_tables() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    for kind, body in ((CSV, frame.to_csv(index=False).encode()), (PARQUET, buffer.getvalue())):
        data = parse_body(kind, body).data
        assert isinstance(data, Table)
        assert data.frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("kind", "body"), [(CSV, b""), (CSV, b'a,b\n1,"2'), (CSV, b"\xff\xfe,x\n1"), (PARQUET, b"PAR1")]
)
def test_damaged_tables_are_refused(kind: str, body: bytes) -> None:
    with pytest.raises(InvalidParameterValue, match="The body is no"):
        parse_body(kind, body)
