"""The forms in which a server answers with series."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from asgi_caller import Caller, config
from stele.schema.codec import decode
from stele.schema.series import GetSeriesResponse
from stele.schema.series_arrow import decode_arrow
from stele.schema.series_codec import decode_series
from stele.server.app import create_app

ADDRESS = "/api/2.0/stele/series"


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Caller]:
    caller = Caller(create_app(config(tmp_path)))
    yield caller
    caller.close()


@pytest.fixture
def run(call: Caller) -> str:
    """The id of a run with four losses."""
    run_id = call.post("runs/create", {"experiment_id": "0", "start_time": 1_000}).json["run"]["info"]["run_id"]
    values = [3.0, "NaN", "Infinity", -1.5]
    metrics = [{"key": "loss", "value": v, "timestamp": 1_000 + i, "step": i} for i, v in enumerate(values)]
    assert call.post("runs/log-batch", {"run_id": run_id, "metrics": metrics}).status == 200
    return run_id


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html", "application/json;q=0.9"])
def test_json_unless_something_else_is_named(call, run, accept):
    answer = call("POST", ADDRESS, {"run_ids": [run], "keys": ["loss"]}, headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "series": [
            {
                "form": "points", "run_id": run, "key": "loss", "points": 4, "origin": 1_000, "steps": [0, 1, 2, 3],
                "timestamps": [1_000, 1_001, 1_002, 1_003], "values": [3.0, "NaN", "Infinity", -1.5],
            }
        ]
    }  # fmt: skip


def test_every_form_says_the_same(call, run):
    readers = {
        "application/json": lambda body: decode(body, GetSeriesResponse),
        "application/vnd.stele.series": decode_series,
        "application/vnd.apache.arrow.stream": decode_arrow,
    }
    for request in ({}, {"buckets": 2}, {"max_points": 3}, {"x": "relative", "start": 1}):
        found = []
        for kind, read in readers.items():
            body = {"run_ids": [run], "keys": ["loss"], **request}
            answer = call("POST", ADDRESS, body, headers={"accept": f"{kind}, text/plain"})
            assert (answer.status, answer.headers["content-type"]) == (200, kind)
            found.append(read(answer.body))
        assert found[0] == found[1] == found[2]
        assert len(found[0].series) == 1


def test_arrow_is_a_table_for_others(call, run):
    body = {"run_ids": [run], "keys": ["loss"], "buckets": 2}
    answer = call("POST", ADDRESS, body, headers={"accept": "application/vnd.apache.arrow.stream"})
    frame = pl.read_ipc_stream(answer.body).select("counts", "nans", "infinities", "max", "mean")
    assert frame.to_dicts() == [
        {"counts": [2, 2], "nans": [1, 0], "infinities": [0, 1], "max": [3.0, float("inf")], "mean": [3.0, -1.5]}
    ]


def test_an_error_is_json_in_every_form(call, run):
    for kind in ("application/vnd.stele.series", "application/vnd.apache.arrow.stream"):
        answer = call("POST", ADDRESS, {"run_ids": [run], "keys": []}, headers={"accept": kind})
        assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
        assert "keys has 0 entries" in answer.json["message"]


def test_the_description_has_columns_as_lists(call):
    schemas = call("GET", "/api/openapi.json").json["components"]["schemas"]
    steps = schemas["PointSeries"]["properties"]["steps"]
    assert steps == {"type": "array", "items": {"type": "integer", "format": "int64"}}
    assert schemas["BucketSeries"]["properties"]["mean"]["items"] == {"$ref": "#/components/schemas/Double"}
