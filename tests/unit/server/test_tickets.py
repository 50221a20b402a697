"""Tickets open the file they were made for, for a while, as long as their owner has tokens, and nothing else."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from asgi_caller import Caller, config
from stele.server import tickets
from stele.server.app import create_app

FILE = "/ajax-api/2.0/stele/artifacts/file"


@pytest.fixture
def server(tmp_path) -> Iterator[Caller]:
    caller = Caller(create_app(config(tmp_path, require_token=True)))
    yield caller
    caller.close()


@pytest.fixture
def token(server) -> str:
    return server.app.store.create_token("ann")


@pytest.fixture
def run(server, token) -> str:
    """A run with the files ``a/figure.html`` and ``a/other.html``."""
    key = {"authorization": f"Bearer {token}"}
    made = server("POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}, key).json["run"]["info"]
    address = made["artifact_uri"].removeprefix("mlflow-artifacts:/")
    for name in ("figure", "other"):
        path = f"/api/2.0/mlflow-artifacts/artifacts/{address}/a/{name}.html"
        assert server("PUT", path, name.encode(), key).status == 200
    return made["run_id"]


def ticket(server: Caller, token: str, **what: str) -> str:
    answer = server("POST", "/api/2.0/stele/artifacts/tickets", what, {"authorization": f"Bearer {token}"})
    assert answer.status == 200
    return answer.json["ticket"]


def get(server: Caller, address: str = FILE, **query: str):
    return server("GET", f"{address}?{urlencode(query)}")


def test_a_ticket_opens_its_file(server, token, run):
    mine = ticket(server, token, run_id=run, path="a/figure.html")
    opened = get(server, run_id=run, path="a/figure.html", ticket=mine)
    assert (opened.status, opened.body) == (200, b"figure")
    assert get(server, run_id=run, path="a/figure.html", version="1", ticket=mine).status == 200
    assert server("HEAD", f"{FILE}?{urlencode({'run_id': run, 'path': 'a/figure.html', 'ticket': mine})}").status == 200
    folder = ticket(server, token, run_id=run, path="a")
    assert get(server, "/api/2.0/stele/artifacts/zip", run_id=run, path="a/", ticket=folder).body[:2] == b"PK"


def test_a_ticket_opens_nothing_else(server, token, run):
    mine = ticket(server, token, run_id=run, path="a/figure.html")
    query = {"run_id": run, "path": "a/figure.html", "ticket": mine}
    for change in ({"path": "a/other.html"}, {"path": ""}, {"path": "a"}, {"run_id": "other"}, {"model_id": "m-1"}):
        answer = get(server, **(query | change))
        assert (answer.status, answer.code) == (401, "UNAUTHENTICATED"), change
    for address in ("/get-artifact", "/api/2.0/mlflow/runs/get", "/api/2.0/stele/artifacts/tree", "/api/2.0/stele/me"):
        assert get(server, address, **query).status == 401, address
    assert server("POST", f"/api/2.0/mlflow/runs/delete?{urlencode(query)}", {"run_id": run}).status == 401


def test_a_ticket_ends(server, token, run, monkeypatch):
    query = {"run_id": run, "path": "a/figure.html"}
    mine = ticket(server, token, **query)
    now = time.time()
    monkeypatch.setattr(tickets.time, "time", lambda: now + 3_590)
    assert get(server, **query, ticket=mine).status == 200
    monkeypatch.setattr(tickets.time, "time", lambda: now + 3_601)
    assert get(server, **query, ticket=mine).status == 401


def test_a_ticket_dies_with_the_tokens_of_its_owner(server, token, run):
    query = {"run_id": run, "path": "a/figure.html"}
    mine = ticket(server, token, **query)
    server.app.store.create_token("ann")
    server.app.store.create_token("bob")
    assert get(server, **query, ticket=mine).status == 200
    server.app.store.revoke_tokens("ann")
    assert get(server, **query, ticket=mine).status == 401


def test_what_is_no_ticket_is_refused(server, token, run):
    query = {"run_id": run, "path": "a/figure.html"}
    mine = ticket(server, token, **query)
    plain = base64.urlsafe_b64decode(mine + "=" * (-len(mine) % 4))
    last = b"0" if plain[-3:-2] != b"0" else b"1"
    forged = [plain.replace(b'"ann"', b'"admin"'), plain.replace(b"0,", b"1,"), plain[:-3] + last + b'"]']
    forged += [b"[]", b"{}", b"1"]
    texts = [base64.urlsafe_b64encode(item).rstrip(b"=").decode() for item in forged]
    for text in [*texts, "", "x", "é", "%", mine[:-1], "A" * 2_000]:
        assert get(server, **query, ticket=text).status == 401, text
    assert get(server, **query).status == 401
    assert server("POST", "/api/2.0/stele/artifacts/tickets", query).status == 401


def test_a_server_without_tokens_needs_no_ticket(call):
    made = call.post("runs/create", {"experiment_id": "0"}).json["run"]["info"]
    answer = call("POST", "/api/2.0/stele/artifacts/tickets", {"run_id": made["run_id"], "path": "x"})
    assert (answer.status, answer.json["ticket"]) == (200, "")
    assert get(call, run_id=made["run_id"], path="x", ticket="").status == 404
