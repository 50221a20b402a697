"""A scoring server: what it answers, what it refuses, and who may ask."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openapi_spec_validator import validate

from serving_tools import Serve, frame

SPLIT = {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 1], [2, 1]]}}


@pytest.mark.parametrize(
    "body",
    [
        SPLIT,
        {"dataframe_split": {"data": [[1, 1], [2, 1]]}},
        {"dataframe_records": [{"a": 1, "b": 1}, {"b": 1, "a": 2.0}]},
        {"instances": [[1, 1], [2, 1]]},
        {"instances": [{"a": 1, "b": 1}, {"a": 2, "b": 1}]},
        {"inputs": {"a": [1, 2], "b": [1, 1]}},
    ],
)
def test_every_form_is_answered(serve: Serve, linear: Path, body: Any) -> None:
    answer = serve(linear).predict(body)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["predictions"] == pytest.approx([3.0, 5.0])


def test_csv_and_parquet(serve: Serve, linear: Path) -> None:
    ask = serve(linear)
    buffer = io.BytesIO()
    frame(2).to_parquet(buffer)
    for kind, body in (("text/csv", b"b,a\n1,0\n1,1\n"), ("application/vnd.apache.parquet", buffer.getvalue())):
        assert ask.predict(body, content_type=kind).json["predictions"] == pytest.approx([1.0, 3.0])


@pytest.mark.parametrize(
    ("body", "kind", "status", "problem"),
    [
        (b"{", "application/json", 400, "no JSON"),
        ({"dataframe_records": [{"a": 1}]}, "application/json", 400, "needs the column 'b'"),
        (
            {"dataframe_records": [{"a": 1, "b": "x"}]},
            "application/json",
            400,
            "Column 'b' takes double, row 0 has 'x'",
        ),
        ({"dataframe_records": [{"a": 1, "b": None}]}, "application/json", 400, "Column 'b' has no value in row 0"),
        (b"a,b", "text/plain", 415, "Content-Type"),
        (b"a,b", "", 415, "Content-Type"),
        (b"{}" * 600, "application/json", 413, "more than 1000 bytes"),
    ],
)
def test_bad_requests_are_told(serve: Serve, linear: Path, body: Any, kind: str, status: int, problem: str) -> None:
    answer = serve(linear, max_body_bytes=1000).predict(body, content_type=kind)
    assert answer.status == status
    assert set(answer.json) == {"error_code", "message"}
    assert problem in answer.json["message"]


def test_a_model_that_fails_is_a_400_without_its_trace(serve: Serve, tmp_path: Path) -> None:
    import stele.pyfunc

    class Failing(stele.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
            raise ValueError("not today")

    stele.pyfunc.save_model(tmp_path / "failing", python_model=Failing())
    with pytest.warns(UserWarning, match="runs code"):
        ask = serve(tmp_path / "failing")
    answer = ask.predict({"inputs": [1]})
    assert answer.status == 400
    assert answer.json["error_code"] == "BAD_REQUEST"
    assert answer.json["message"] == "The model failed on this input: ValueError: not today"


def test_parameters_reach_the_model(serve: Serve, tmp_path: Path) -> None:
    import stele.pyfunc
    from stele.models import infer_signature

    class Scaled(stele.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
            return model_input["a"] * params["factor"]

    signature = infer_signature(pd.DataFrame({"a": [1.0]}), [1.0], params={"factor": 2.0})
    stele.pyfunc.save_model(tmp_path / "scaled", python_model=Scaled(), signature=signature)
    with pytest.warns(UserWarning, match="runs code"):
        ask = serve(tmp_path / "scaled")
    body = {"dataframe_split": {"columns": ["a"], "data": [[3]]}}
    assert ask.predict(body).json == {"predictions": [6.0]}
    assert ask.predict(body | {"params": {"factor": 10}}).json == {"predictions": [30.0]}
    refused = ask.predict(body | {"params": {"factor": "many"}})
    assert (refused.status, "factor" in refused.json["message"]) == (400, True)


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_probes(serve: Serve, linear: Path, path: str) -> None:
    answer = serve(linear)("GET", path, host="10.1.2.3")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"\n", "application/json")


def test_version_and_unknown_places(serve: Serve, linear: Path) -> None:
    ask = serve(linear)
    assert ask("GET", "/version").body == b"3.17.2"
    assert ask("GET", "/nothing").status == 404
    assert ask("GET", "/invocations").status == 405
    assert ask("HEAD", "/ping").body == b""


def test_openapi_describes_the_model(serve: Serve, linear: Path) -> None:
    document = serve(linear)("GET", "/openapi.json").json
    validate(document)
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]
    assert content["example"] == {"dataframe_split": {"columns": ["a", "b"], "data": [[0.0, 1.0]]}}
    records = next(form for form in content["schema"]["oneOf"] if form["required"] == ["dataframe_records"])
    assert records["properties"]["dataframe_records"]["items"] == {
        "type": "object",
        "properties": {"a": {"type": "number", "format": "double"}, "b": {"type": "number", "format": "double"}},
        "required": ["a", "b"],
    }


def test_metrics_count_requests_and_rows(serve: Serve, linear: Path) -> None:
    ask = serve(linear)
    ask.predict(SPLIT)
    ask.predict(b"{")
    text = ask("GET", "/metrics").body.decode()
    assert 'stele_serving_requests_total{path="/invocations",status="200"} 1.0' in text
    assert 'stele_serving_requests_total{path="/invocations",status="400"} 1.0' in text
    assert "stele_serving_rows_total 2.0" in text
    assert "stele_serving_batch_rows_sum 2.0" in text
    assert re.search(r'stele_serving_model\{uri="[^"]*linear",version=""\} 1\.0', text)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost.evil.example:5000"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_pages_of_others_get_nothing(serve: Serve, linear: Path, headers: dict[str, str]) -> None:
    assert serve(linear).predict(SPLIT, **headers).status == 403


def test_token(serve: Serve, linear: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STELE_SERVING_TOKEN", "secret")
    ask = serve(linear)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "secret"}):
        answer = ask.predict(SPLIT, **headers)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    for path in ("/metrics", "/openapi.json"):
        assert ask("GET", path).status == 401
    assert ask("GET", "/ping").status == 200
    assert ask.predict(SPLIT, authorization="Bearer secret").status == 200


def test_answers_have_the_headers_of_every_server_of_ours(serve: Serve, linear: Path) -> None:
    headers = serve(linear).predict(SPLIT).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_compressed_bodies_are_refused(serve: Serve, linear: Path) -> None:
    assert serve(linear).predict(json.dumps(SPLIT).encode(), content_encoding="gzip").status == 400
