"""Batches in columns over HTTP: protobuf and JSON, and what a server does that has enough to do."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from asgi_caller import config
from stele.errors import TooManyRequests
from stele.schema import ingest_codec
from stele.schema.ingest import Ingest, IngestSeries
from stele.schema.runs import CreateRun
from stele.server.app import create_app
from stele.server.dispatch import BodyBudget

ADDRESS = "/api/2.0/stele/ingest"
PROTOBUF = {"content-type": "application/x-protobuf"}
numbers = itertools.count(1)


@pytest.fixture
def run(call) -> str:
    return call.post("runs/create", {"experiment_id": "0"}).json["run"]["info"]["run_id"]


def values(call, run: str) -> list[object]:
    answer = call("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=loss").json
    return [point["value"] for point in answer.get("metrics", ())]


def batch(run: str, *points: float) -> Ingest:
    steps = list(range(len(points)))
    return Ingest(
        client_id="tests", sequence=next(numbers), series=[IngestSeries(run, "loss", steps, steps, [*points])]
    )


def test_protobuf(call, run):
    body = ingest_codec.encode_request(batch(run, 0.5, float("nan"), float("-inf")))
    answer = call("POST", ADDRESS, body, PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == {"points": 3}
    assert values(call, run) == [0.5, "NaN", "-Infinity"]
    again = call("POST", ADDRESS, body, PROTOBUF | {"accept": "application/x-protobuf"})
    assert again.headers["content-type"] == "application/x-protobuf"
    told = ingest_codec.decode_response(again.body)
    assert (told.points, told.repeated_batch) == (3, True)


def test_json(call, run):
    series = {"run_id": run, "key": "loss", "steps": [1, "2"], "timestamps": [1, 2], "values": [0.5, "NaN"]}
    body = {"client_id": "tests", "sequence": next(numbers), "series": [series]}
    assert call("POST", ADDRESS, body).json == {"points": 2}
    assert values(call, run) == [0.5, "NaN"]


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe"])
def test_bytes_that_are_no_batch(call, body):
    answer = call("POST", ADDRESS, body, PROTOBUF)
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
    assert "stele.v1.IngestRequest" in answer.json["message"]


def test_empty_message_lacks_its_sender(call):
    answer = call("POST", ADDRESS, b"", PROTOBUF)
    assert (answer.status, answer.json["message"]) == (400, "client_id is missing or empty.")


def test_other_operations_take_json_alone(call):
    answer = call("POST", "/api/2.0/mlflow/runs/create", b"", PROTOBUF)
    assert answer.status == 400
    assert "send application/json." in answer.json["message"]


def test_budget_counts_what_is_worked_on():
    budget = BodyBudget(100)
    with budget.hold(60):
        with budget.hold(40), pytest.raises(TooManyRequests, match="100 bytes"), budget.hold(1):
            pass
        with budget.hold(40):
            pass
    with budget.hold(1_000):  # alone, a request may be larger than what is left for others
        pass


@pytest.mark.parametrize("path", ["runs/create", "runs/log-metric"])
def test_server_that_is_full_asks_to_come_back(tmp_path, monkeypatch, path):
    """Two bodies at once, where one alone fills the budget: the second is told when to come back."""
    monkeypatch.setenv("STELE_INFLIGHT_BYTES", "10")
    app = create_app(config(tmp_path))
    body = b'{"experiment_id": "0"}'
    if path == "runs/log-metric":
        run_id = app.store.create_run(CreateRun(experiment_id="0")).run.info.run_id
        body = b'{"run_id": "%s", "key": "loss", "value": 1, "timestamp": 1}' % run_id.encode()
    length = str(len(body)).encode()
    headers = [(b"host", b"localhost:5000"), (b"content-type", b"application/json"), (b"content-length", length)]
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/api/2.0/mlflow/{path}",
        "query_string": b"",
        "headers": headers,
    }

    async def scenario() -> tuple[list[dict], list[dict]]:
        arrived, told = asyncio.Event(), asyncio.Event()
        first: list[dict] = []
        second: list[dict] = []

        async def slow():
            arrived.set()
            await told.wait()
            return {"type": "http.request", "body": body, "more_body": False}

        async def quick():
            return {"type": "http.request", "body": body, "more_body": False}

        def keep(messages):
            async def send(message):
                messages.append(message)

            return send

        task = asyncio.create_task(app(dict(scope), slow, keep(first)))
        await arrived.wait()
        await app(dict(scope), quick, keep(second))
        told.set()
        await task
        return first, second

    first, second = asyncio.run(scenario())
    app.store.close()
    assert first[0]["status"] == 200
    assert second[0]["status"] == 429
    assert dict(second[0]["headers"])[b"retry-after"] == b"1"
    assert b"REQUEST_LIMIT_EXCEEDED" in second[1]["body"]
