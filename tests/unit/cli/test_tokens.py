"""Tokens have owners: made, listed and revoked on the command line, and told apart by a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import stele
from asgi_caller import Caller, config
from stele.errors import PermissionDenied
from stele.server.app import create_app
from stele.stores.sql import SqlStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    uri = f"sqlite:///{tmp_path}/s.db"
    monkeypatch.setenv("STELE_TRACKING_URI", uri)
    return uri


def test_a_token_is_shown_once_and_its_owner_stays(cli, store):
    token = cli("tokens", "create", "mara").stdout.strip()
    other = json.loads(cli("tokens", "create", "jon", "--json").stdout)
    assert token.startswith("stele_")
    assert other["name"] == "jon"
    listed = cli("tokens", "list").stdout
    assert token not in listed
    assert [row["name"] for row in json.loads(cli("tokens", "list", "--json").stdout)] == ["jon", "mara"]
    with SqlStore(store) as opened:
        assert opened.principal_of(token) == "mara"
        assert opened.principal_of(other["token"]) == "jon"


def test_a_revoked_token_is_refused_by_a_server_that_runs(cli, store, tmp_path):
    token = cli("tokens", "create", "mara").stdout.strip()
    call = Caller(create_app(config(tmp_path, require_token=True)))
    headers = {"authorization": f"Bearer {token}"}
    assert call("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers).status == 200
    assert "1 token of mara" in cli("tokens", "revoke", "mara").stderr
    assert call("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers).status == 401
    assert "Nobody has a token" in cli("tokens", "revoke", "mara", code=1).stderr
    call.close()


@pytest.mark.parametrize("name", ["", "a b", "x" * 101, "a\nb", "ü"])
def test_names_that_are_none(cli, store, name):
    assert "no name of a token's owner" in cli("tokens", "create", name, code=1).stderr


def test_the_administrators_new_token_leaves_the_others(store):
    with SqlStore(store) as opened:
        mara = opened.create_token("mara")
        first = opened.ensure_admin_token()
        assert opened.ensure_admin_token() is None
        second = opened.ensure_admin_token(renew=True)
        assert [opened.principal_of(token or "") for token in (mara, first, second)] == ["mara", None, "admin"]


def test_who_asks_for_an_approval_cannot_give_it_and_another_can(tmp_path, monkeypatch, store):
    from servers import stele_server

    with SqlStore(store) as opened:
        tokens = {name: opened.create_token(name) for name in ("mara", "jon")}
    with stele_server(tmp_path, "--allowed-hosts", "models.example.org", store=store) as server:

        def client(name: str) -> stele.Client:
            monkeypatch.setenv("STELE_TRACKING_TOKEN", tokens[name])
            return stele.Client(server.url)

        mara = client("mara")
        mara.create_registered_model("fraud")
        mara.create_model_version("fraud", "s3://bucket/model")
        mara.protect("fraud", alias="champion")
        request = mara.request_approval("fraud", "set_alias", alias="champion", version="1")
        with pytest.raises(PermissionDenied):
            mara.approve_request(request.request_id)
        client("jon").approve_request(request.request_id)
        events = client("mara").search_registry_events("fraud")
        assert {"mara", "jon"} <= {event.principal for event in events}
        assert client("mara").get_model_version_by_alias("fraud", "champion").version == "1"
