"""Malformed requests: each is a 400 that names the field, and nothing of it is kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgi_caller import Caller, config
from stele.schema.routes import ROUTES, addresses
from stele.server.app import create_app


@pytest.fixture
def run(call) -> str:
    return call.post("runs/create", {"experiment_id": "0"}).json["run"]["info"]["run_id"]


def content(call: Caller, run: str):
    return call("GET", f"/api/2.0/mlflow/runs/get?run_id={run}").json


METRIC = {"key": "m", "value": 1.0, "timestamp": 1, "step": 1}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"metrics": [METRIC, METRIC | {"value": "abc"}]}, "metrics[1].value"),
        ({"metrics": [METRIC, METRIC | {"value": True}]}, "metrics[1].value"),
        ({"metrics": [METRIC, METRIC | {"value": None}]}, "metrics[1].value"),
        ({"metrics": [METRIC, METRIC | {"value": [1]}]}, "metrics[1].value"),
        ({"metrics": [METRIC, METRIC | {"timestamp": -1}]}, "metrics[1].timestamp"),
        ({"metrics": [METRIC, METRIC | {"timestamp": 1.5}]}, "metrics[1].timestamp"),
        ({"metrics": [METRIC, METRIC | {"timestamp": 2**63}]}, "metrics[1].timestamp"),
        ({"metrics": [METRIC, METRIC | {"step": "one"}]}, "metrics[1].step"),
        ({"metrics": [METRIC, METRIC | {"key": ""}]}, "metrics[1].key"),
        ({"metrics": [METRIC, METRIC | {"key": 5}]}, "metrics[1].key"),
        ({"metrics": [METRIC, METRIC | {"key": "k" * 10_000_000}]}, "metrics[1].key"),
        ({"metrics": [METRIC, {"value": 1.0, "timestamp": 1}]}, "metrics[1].key"),
        ({"metrics": [METRIC, None]}, "metrics[1]"),
        ({"metrics": "none"}, "metrics"),
        ({"metrics": {"key": "m"}}, "metrics"),
        ({"metrics": [METRIC], "params": [{"key": "p", "value": 5}]}, "params[0].value"),
        ({"metrics": [METRIC], "tags": [{"key": "../t", "value": "v"}]}, "tags[0].key"),
        ({"metrics": [METRIC], "tags": [{"key": "t", "value": "a\0b"}]}, "tags[0].value"),
        ({"metrics": [METRIC], "runId": "x"}, "runId"),
        ({"metrics": [METRIC], "run_id": 7}, "run_id"),
        ({"metrics": [METRIC], "run_id": ""}, "run_id"),
        ({"metrics": [METRIC], "run_id": "a/../b"}, "run_id"),
    ],
)
def test_bad_field_of_a_batch_is_named_and_nothing_is_kept(call, run, change, named):
    before = content(call, run)
    answer = call.post("runs/log-batch", {"run_id": run} | change)
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
    assert named in answer.json["message"]
    assert len(answer.body) < 2_000
    assert content(call, run) == before


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"[1, 2]",
        b'"text"',
        b"17",
        b"null",
        b"true",
        b"\xff\xfe",
        b'{"run_id": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"run_id": "a", "metrics": [{"key": "m", "value": NaN, "timestamp": 1}]}',
        b'{"run_id": "a", "metrics": [{"key": "m", "value": Infinity, "timestamp": 1}]}',
        b'{"run_id": "a"} trailing',
        b"",
    ],
)
def test_malformed_body_is_explained(call, body):
    answer = call("POST", "/api/2.0/mlflow/runs/log-batch", body)
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
    assert answer.json["message"]


@pytest.mark.parametrize(
    ("operation", "body", "message"),
    [
        (
            "runs/update",
            {"status": "DONE"},
            "status 'DONE' is not one of FAILED, FINISHED, KILLED, RUNNING, SCHEDULED",
        ),
        ("runs/update", {"status": 9}, "status 9 is not one of FAILED"),
        ("runs/search", {"experiment_ids": ["0"], "run_view_type": "SOME"}, "'SOME' is not one of ACTIVE_ONLY"),
        ("experiments/search", {"view_type": "x"}, "view_type 'x' is not one of ACTIVE_ONLY, ALL, DELETED_ONLY"),
        ("logged-models/search", {"experiment_ids": "0"}, "experiment_ids"),
    ],
)
def test_unknown_enum_is_refused(call, run, operation, body, message):
    answer = call.post(operation, {"run_id": run} | body)
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
    assert message in answer.json["message"]


@pytest.mark.parametrize("status", ["FINISHED", 3, "3"])
def test_enum_by_name_or_number(call, run, status):
    answer = call.post("runs/update", {"run_id": run, "status": status})
    assert answer.json["run_info"]["status"] == "FINISHED"


def test_wire_habits_of_mlflow(call, run):
    """camelCase, numbers as text, null as absent, unknown fields, an object encoded twice."""
    metrics = [{"key": "m", "value": "0.5", "timestamp": "12", "step": 3.0, "datasetName": None, "future": {"x": 1}}]
    assert call.post("runs/log-batch", {"runId": run, "metrics": metrics, "params": None}).json == {}
    twice = json.dumps(json.dumps({"run_uuid": run, "key": "n", "value": "-Infinity", "timestamp": 1}))
    assert call("POST", "/api/2.0/mlflow/runs/log-metric", twice.encode()).status == 200
    found = content(call, run)["run"]["data"]["metrics"]
    assert found == [
        {"key": "m", "value": 0.5, "timestamp": 12, "step": 3},
        {"key": "n", "value": "-Infinity", "timestamp": 1, "step": 0},
    ]


def test_body_over_the_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("STELE_MAX_BODY_BYTES", "1000")
    caller = Caller(create_app(config(tmp_path)))
    try:
        body = {"name": "x", "tags": [{"key": "k", "value": "v" * 2_000}]}
        answer = caller.post("experiments/create", body)
        assert (answer.status, answer.code) == (413, "INVALID_PARAMETER_VALUE")
        lying = caller(
            "POST", "/api/2.0/mlflow/experiments/create", json.dumps(body).encode(), {"content-length": "10"}
        )
        assert lying.status == 413
        assert caller("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name=x").status == 404
    finally:
        caller.close()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
def test_compressed_body_is_refused(call, coding):
    answer = call("POST", "/api/2.0/mlflow/experiments/search", b"{}", {"content-encoding": coding})
    assert answer.status == 400


def test_every_operation_answers_nonsense_with_a_4xx(call):
    nonsense = {"run_id": "nope", "experiment_id": "987654321", "name": "nope", "model_id": "m-nope", "version": "1"}
    for route in ROUTES:
        for address in addresses(route):
            path = address.replace("{model_id}", "m-nope").replace("{tag_key}", "t")
            body = None if route.method == "GET" else nonsense | {"key": "k", "alias": "a", "stage": "s"}
            answer = call(route.method, path, body)
            assert answer.status == 200 or 400 <= answer.status < 500 or answer.code == "NOT_IMPLEMENTED", (
                path,
                answer.body,
            )
            assert answer.headers["content-type"] == "application/json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "run_id", "run_uuid", "experiment_id", "experiment_ids", "name", "new_name", "key", "value", "timestamp", "step",
    "metrics", "params", "tags", "datasets", "models", "filter", "order_by", "max_results", "page_token", "view_type",
    "run_view_type", "status", "end_time", "start_time", "artifact_location", "model_json", "run_ids", "metric_key",
]  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(route=st.sampled_from(ROUTES), body=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5))
def test_no_json_makes_the_server_fail(call, route, body):
    path = addresses(route)[0].replace("{model_id}", "m").replace("{tag_key}", "t")
    answer = call(route.method, path, None if route.method == "GET" else body)
    assert answer.status < 500 or answer.code == "NOT_IMPLEMENTED", answer.body
