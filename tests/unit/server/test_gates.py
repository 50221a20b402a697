"""Who is let in: hosts, origins, content types, tokens, permissions, on every address of the live table."""

from __future__ import annotations

import base64
import json

import pytest
from starlette.requests import Request
from starlette.responses import Response

from asgi_caller import Caller, config
from stele.schema.routes import Permission
from stele.server.app import create_app
from stele.server.endpoints import Endpoint, EndpointTable
from stele.server.ui import page_endpoints

PUBLIC = {"/health", "/version"}
PAGE = {endpoint.path for endpoint in page_endpoints()}
FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:5000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "",
    "[::1",
    "10.0.0.1",
    "8.8.8.8",
    "localhost:port",
]
FOREIGN_ORIGINS = ["http://evil.example", "https://localhost.evil.example", "null", "file://", "http://10.0.0.1:5000"]


def addresses(caller: Caller) -> list[tuple[str, str]]:
    """Every method and path of the live table, its parameters filled in."""
    return [
        (
            endpoint.method,
            endpoint.path.replace("{path:path}", "a.txt").replace("{model_id}", "m").replace("{tag_key}", "t"),
        )
        for endpoint in caller.app.table.endpoints
    ]


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    caller = Caller(create_app(config(folder, host="0.0.0.0", require_token=True)))
    yield caller
    caller.close()


@pytest.fixture
def guarded(guarded_server):
    """A server that asks for a token, and the token."""
    return guarded_server, guarded_server.app.store.ensure_admin_token(renew=True)


def test_every_endpoint_has_a_permission(call):
    assert len(call.app.table.endpoints) > 100
    assert all(isinstance(endpoint.permission, Permission) for endpoint in call.app.table.endpoints)
    public = {endpoint.path for endpoint in call.app.table.endpoints if endpoint.permission is Permission.PUBLIC}
    assert public == PUBLIC | PAGE


def test_a_table_with_an_endpoint_without_permission_is_refused():
    async def handler(_request: Request) -> Response:
        return Response()

    with pytest.raises(TypeError, match="/x"):
        EndpointTable([Endpoint("GET", "/x", None, handler, "x")])  # type: ignore[arg-type]


def test_anonymous_gets_nothing(guarded):
    caller, _ = guarded
    for method, path in addresses(caller):
        answer = caller(method, path)
        if path in PUBLIC | PAGE:
            assert answer.status == 200, path
        else:
            assert (answer.status, answer.code) == (401, "UNAUTHENTICATED"), (method, path)
            assert answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Basic !!!", "Basic " + base64.b64encode(b"admin:x").decode(), "Digest x", "Bearer "]
)
def test_wrong_credentials(guarded, header):
    caller, _ = guarded
    answer = caller("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"authorization": header})
    assert answer.status == 401


def test_token_opens_as_bearer_and_as_password(guarded):
    caller, token = guarded
    basic = base64.b64encode(f"anybody:{token}".encode()).decode()
    for header in (f"Bearer {token}", f"Basic {basic}"):
        answer = caller("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"authorization": header})
        assert answer.status == 200


def test_token_is_made_once_and_renewed(guarded):
    caller, _ = guarded
    store = caller.app.store
    assert store.ensure_admin_token() is None
    renewed = store.ensure_admin_token(renew=True)
    assert store.principal_of(renewed) == "admin"
    store.ensure_admin_token(renew=True)
    assert store.principal_of(renewed) is None


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_foreign_host_is_refused_everywhere(call, host):
    for method, path in addresses(call):
        answer = call(method, path, headers={"host": host})
        if path in PUBLIC:
            assert answer.status == 200
        else:
            assert (answer.status, answer.code) == (403, "PERMISSION_DENIED"), (method, path)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]:5000", "[::1]"])
def test_own_host_is_let_in(call, host):
    assert call("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"host": host}).status == 200


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_foreign_origin_writes_nowhere(call, origin):
    for method, path in addresses(call):
        if method != "GET":
            answer = call(method, path, headers={"origin": origin})
            assert (answer.status, answer.code) == (403, "PERMISSION_DENIED"), (method, path)


@pytest.mark.parametrize("origin", ["http://localhost:5000", "http://127.0.0.1:8080", "http://[::1]:5000"])
def test_own_origin_writes(call, origin):
    answer = call("POST", "/api/2.0/mlflow/experiments/search", {}, headers={"origin": origin})
    assert answer.status == 200


def test_cross_site_fetch_without_origin_is_refused(call):
    answer = call("POST", "/api/2.0/mlflow/experiments/search", {}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "text/json"]
)
def test_writes_need_json(call, kind):
    answer = call("POST", "/api/2.0/mlflow/experiments/create", b'{"name": "by form"}', headers={"content-type": kind})
    assert (answer.status, answer.code) == (400, "INVALID_PARAMETER_VALUE")
    found = call("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name=by+form")
    assert found.status == 404


def test_delete_without_a_body_needs_no_content_type(call):
    """MLflow's client removes a tag of a logged model like that."""
    path = "/api/2.0/mlflow/logged-models/m-0/tags/k"
    assert call("DELETE", path, headers={"content-type": None}).code == "RESOURCE_DOES_NOT_EXIST"
    assert call("DELETE", path, b"{}", headers={"content-type": None, "content-length": "2"}).status == 400
    assert call("POST", "/api/2.0/mlflow/runs/delete", headers={"content-type": None}).status == 400


def test_allowed_hosts_and_origins(tmp_path):
    caller = Caller(
        create_app(config(tmp_path, allowed_hosts=("stele.example",), allowed_origins=("https://page.example",)))
    )
    try:
        body, path = {}, "/api/2.0/mlflow/experiments/search"
        assert caller("POST", path, body, {"host": "stele.example", "origin": "https://page.example"}).status == 200
        assert caller("POST", path, body, {"host": "other.example"}).status == 403
        assert caller("POST", path, body, {"host": "stele.example", "origin": "https://other.example"}).status == 403
    finally:
        caller.close()


def test_network_server_answers_to_private_addresses_only(guarded):
    caller, token = guarded
    path, key = "/api/2.0/mlflow/experiments/get?experiment_id=0", {"authorization": f"Bearer {token}"}
    assert caller("GET", path, headers=key | {"host": "192.168.1.7:5000"}).status == 200
    assert caller("GET", path, headers=key | {"host": "evil.example"}).status == 403


def test_answers_carry_protective_headers(call):
    for path in ("/health", "/nowhere", "/api/2.0/mlflow/experiments/get?experiment_id=0"):
        headers = call("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers


def test_unknown_address_and_verb_are_json(call):
    answer = call("GET", "/api/2.0/mlflow/nothing")
    assert (answer.status, answer.code) == (404, "ENDPOINT_NOT_FOUND")
    answer = call("DELETE", "/api/2.0/mlflow/runs/get")
    assert (answer.status, answer.code) == (405, "BAD_REQUEST")


def test_static_prefix(tmp_path):
    caller = Caller(create_app(config(tmp_path, static_prefix="/team")))
    try:
        assert caller("GET", "/team/api/2.0/mlflow/experiments/get?experiment_id=0").status == 200
        assert caller("GET", "/team/health").status == 200
        assert caller("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0").status == 404
        assert caller("GET", "/teamwork/health").status == 404
        assert caller("GET", "/api/2.0/mlflow-artifacts/artifacts?path=").status == 200
    finally:
        caller.close()


def test_log_has_no_query_no_headers_no_body(guarded, caplog):
    caller, _ = guarded
    secret = "canary-5c1c7d"
    with caplog.at_level("INFO", logger="stele"):
        caller("GET", f"/api/2.0/mlflow/runs/get?run_id={secret}", headers={"authorization": f"Bearer {secret}"})
        caller("POST", "/api/2.0/mlflow/experiments/create", {"name": secret}, {"authorization": f"Bearer {secret}"})
    records = [json.dumps(record.__dict__, default=str) for record in caplog.records]
    assert records
    assert not any(secret in record for record in records)


def test_everybody_can_ask_who_they_are(call, guarded):
    mine = call("GET", "/api/2.0/stele/me").json
    assert (mine["name"], mine["require_token"]) == ("owner", False)
    assert set(mine["permissions"]) == set(Permission) - {Permission.PUBLIC}
    assert mine["version"]
    caller, token = guarded
    assert caller("GET", "/api/2.0/stele/me").status == 401
    theirs = caller("GET", "/ajax-api/2.0/stele/me", headers={"authorization": f"Bearer {token}"}).json
    assert (theirs["name"], theirs["require_token"]) == ("admin", True)
