"""RestStore: which request an operation becomes, and what comes back."""

from __future__ import annotations

import json
import math

import pytest

from stele.errors import (
    SteleError,
    Unavailable,
)
from stele.schema.experiments import Empty
from stele.schema.logged_models import DeleteLoggedModelTag
from stele.schema.metrics import Metric
from stele.schema.routes import by_operation
from stele.schema.runs import CreateRun, GetRun, LogBatch, SetTag
from stele.stores.base import TrackingStore
from stele.stores.rest import RestStore
from stele.transport import HttpTransport, Request
from stele.transport.asgi import AsgiTransport
from unit.transport.scripted_server import DROP, Answer, ScriptedServer


async def silent(*_: object) -> None: ...


class TestRestStore:
    @pytest.fixture
    def store(self, transport: HttpTransport) -> RestStore:
        return RestStore(transport, prefix="/tracking/")

    def test_it_is_a_tracking_store_with_every_operation_of_the_table(self, store: RestStore) -> None:
        assert isinstance(store, TrackingStore)
        assert all(callable(getattr(store, operation)) for operation in by_operation())

    def test_a_read(self, store: RestStore, server: ScriptedServer) -> None:
        info = b'{"run_id": "r", "experiment_id": "1", "user_id": "", "status": "FINISHED", "start_time": 1}'
        server.answers = [Answer(body=b'{"run": {"info": ' + info + b', "data": {}}}')]
        assert store.get_run(GetRun(run_id="r")).run.info.start_time == 1
        assert server.seen[0].method == "GET"
        assert server.seen[0].path == "/tracking/api/2.0/mlflow/runs/get?run_id=r"

    def test_a_write(self, store: RestStore, server: ScriptedServer) -> None:
        metric = Metric(key="m", value=math.nan, timestamp=1, step=0)
        assert store.log_batch(LogBatch(run_id="r", metrics=[metric])) == Empty()
        seen = server.seen[0]
        assert (seen.method, seen.headers["Content-Type"]) == ("POST", "application/json")
        assert b'"NaN"' in seen.body

    def test_fields_of_the_path_are_quoted_and_also_in_the_body(self, store: RestStore, server: ScriptedServer) -> None:
        store.delete_logged_model_tag(DeleteLoggedModelTag(model_id="m", tag_key="a/b %"))
        seen = server.seen[0]
        assert (seen.method, seen.path) == ("DELETE", "/tracking/api/2.0/mlflow/logged-models/m/tags/a%2Fb%20%25")
        assert json.loads(seen.body) == {"model_id": "m", "tag_key": "a/b %"}

    def test_only_what_may_happen_twice_is_sent_twice(
        self, store: RestStore, server: ScriptedServer, waits: list[float]
    ) -> None:
        server.answers = [Answer(DROP), Answer(), Answer(DROP)]
        store.set_tag(SetTag(run_id="r", key="k", value="v"))
        with pytest.raises(Unavailable):
            store.create_run(CreateRun(experiment_id="1"))
        assert [seen.path.rpartition("/")[2] for seen in server.seen] == ["set-tag", "set-tag", "create"]

    @pytest.mark.parametrize("body", [b"<html>log in</html>", b"[]", b'{"run": 5}'])
    def test_an_answer_of_something_else(self, store: RestStore, server: ScriptedServer, body: bytes) -> None:
        server.answers = [Answer(body=body)]
        with pytest.raises(SteleError, match="does not answer get_run like a tracking server") as caught:
            store.get_run(GetRun(run_id="r"))
        assert not isinstance(caught.value, ValueError)

    def test_closing_closes_the_transport(self) -> None:
        transport = AsgiTransport(silent)
        RestStore(transport).close()
        with pytest.raises(Unavailable, match="closed"):
            transport.send(Request("GET", "/x"))
