"""What a server says of itself, and what the routes of later versions answer until then."""

from __future__ import annotations

import json

import pytest
from openapi_spec_validator import validate

from stele.schema.routes import ROUTES, addresses


def test_openapi_is_valid_and_complete(call):
    document = call("GET", "/api/openapi.json").json
    validate(document)
    assert document["openapi"].startswith("3.1")
    for route in ROUTES:
        operation = document["paths"][addresses(route)[0].replace(":path}", "}")][route.method.lower()]
        assert operation["x-permission"] == route.permission
    assert set(document["paths"]) == {addresses(route)[0].replace(":path}", "}") for route in ROUTES}


def test_openapi_describes_numbers_and_absent_fields_as_they_are_written(call):
    schemas = call("GET", "/api/openapi.json").json["components"]["schemas"]
    metric = schemas["Metric"]["properties"]
    assert metric["value"] == {"$ref": "#/components/schemas/Double"}
    assert schemas["Double"]["anyOf"] == [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]
    assert metric["step"] == {"type": "integer", "format": "int64"}
    assert metric["model_id"] == {"type": "string"}
    assert "model_id" not in schemas["Metric"]["required"]
    assert '"default": null' not in json.dumps(schemas)


def test_version_is_one_that_mlflow_clients_accept(call):
    answer = call("GET", "/version")
    assert int(answer.body.split(b".")[0]) >= 3


def test_server_info_promises_nothing_that_is_not_there(call):
    info = call("GET", "/api/3.0/mlflow/server-info").json
    assert info["store_type"] == "SqlStore"
    assert not any(value for value in info.values() if isinstance(value, bool))


def test_prometheus_counts_requests(call):
    call("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    text = call("GET", "/metrics").body.decode()
    assert 'stele_requests_total{operation="get_experiment",status="200"}' in text
    assert "stele_request_seconds_bucket" in text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/2.0/mlflow/logged-models/search", {"experiment_ids": ["0"], "filter": "name = 'model'"}),
        ("GET", "/api/2.0/mlflow/registered-models/search", None),
        ("GET", "/api/2.0/mlflow/model-versions/search?filter=name%3D%27x%27", None),
        ("POST", "/api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ["0"]}),
        ("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ["0"]}),
    ],
)
def test_empty_searches_answer_an_empty_object(call, method, path, body):
    answer = call(method, path, body)
    assert (answer.status, answer.body) == (200, b"{}")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/2.0/mlflow/logged-models/m-1"),
        ("GET", "/api/2.0/mlflow/registered-models/get?name=x"),
        ("GET", "/api/2.0/mlflow/model-versions/get?name=x&version=1"),
        ("GET", "/api/2.0/mlflow/registered-models/alias?name=x&alias=a"),
    ],
)
def test_missing_models_do_not_exist(call, method, path):
    answer = call(method, path)
    assert (answer.status, answer.code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_path_decides_over_body(call):
    answer = call(
        "PATCH", "/api/2.0/mlflow/logged-models/m-path", {"model_id": "m-body", "status": "LOGGED_MODEL_READY"}
    )
    assert "m-path" in answer.json["message"]


def test_json_log_line(capsys, tmp_path):
    import logging

    from stele.server.log_lines import set_up_logging

    logger = logging.getLogger("stele")
    before = logger.handlers, logger.level, logger.propagate
    try:
        set_up_logging("json")
        logging.getLogger("stele.access").info("request", extra={"fields": {"status": 200, "path": "/x"}})
        logging.getLogger("stele.server.app").warning("something %s", "odd")
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        assert lines[0]["status"] == 200
        assert lines[1]["message"] == "something odd"
        assert lines[1]["level"] == "warning"
    finally:
        logger.handlers, logger.level, logger.propagate = before


def test_a_filter_at_fault_is_pointed_at(call):
    filter_string = "params.lr = '1' AND metrics.loss >> 2"
    answer = call("POST", "/api/2.0/stele/runs/table", {"experiment_ids": ["0"], "filter": filter_string})
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
    assert answer.json["clause"] == filter_string
    assert answer.json["position"] == filter_string.index(">>") + 1
    assert answer.json["message"].startswith(answer.json["problem"])
    assert "\n" not in answer.json["problem"]


def test_an_order_at_fault_is_pointed_at(call):
    body = {"experiment_ids": ["0"], "order_by": ["start_time", "nothing DESC"]}
    answer = call("POST", "/ajax-api/2.0/stele/runs/table", body)
    assert (answer.status, answer.json["clause"], answer.json["position"]) == (400, "nothing DESC", 0)
