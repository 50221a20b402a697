"""The client of artifacts: servers of another make, hostile servers, and where credentials go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as ServerRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stele.artifacts import open_repository, walk
from stele.artifacts.proxied import ProxiedRepository, open_proxied
from stele.errors import DoesNotExist, InvalidParameterValue, NotImplementedHere, SteleError, Unavailable
from stele.transport import HttpTransport
from stele.transport.asgi import AsgiTransport
from unit.transport.scripted_server import DROP, Answer, ScriptedServer

FILES = "/api/2.0/mlflow-artifacts/artifacts"


class PlainServer:
    """Keeps files in memory as MLflow's server does for clients: no digests, versions or ranges of its own."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.listing: list[dict[str, Any]] | None = None
        self.headers: dict[str, str] = {}

    async def list(self, request: ServerRequest) -> Response:
        if self.listing is not None:
            return JSONResponse({"files": self.listing})
        path = request.query_params.get("path", "")
        prefix = f"{path}/" if path else ""
        found: dict[str, dict[str, Any]] = {}
        for name, content in self.files.items():
            if name.startswith(prefix):
                base, _, below = name[len(prefix) :].partition("/")
                found[base] = {"path": base, "is_dir": bool(below)} | ({} if below else {"file_size": len(content)})
        return JSONResponse({"files": list(found.values())} if found else {})

    async def get(self, request: ServerRequest) -> Response:
        content = self.files.get(request.path_params["path"])
        if content is None:
            return JSONResponse({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such file"}, 404)
        return Response(content, headers=self.headers)

    async def put(self, request: ServerRequest) -> Response:
        self.files[request.path_params["path"]] = await request.body()
        return Response(headers=self.headers)

    async def delete(self, request: ServerRequest) -> Response:
        path = request.path_params["path"]
        for name in [name for name in self.files if name == path or name.startswith(f"{path}/")]:
            del self.files[name]
        return JSONResponse({})

    def app(self) -> Starlette:
        handlers: dict[str, Callable[[ServerRequest], Any]] = {"GET": self.get, "PUT": self.put, "DELETE": self.delete}
        below = [Route(FILES + "/{path:path}", handler, methods=[verb]) for verb, handler in handlers.items()]
        return Starlette(routes=[Route(FILES, self.list), *below])


@pytest.fixture
def server() -> PlainServer:
    return PlainServer()


@pytest.fixture
def transport(server: PlainServer) -> Iterator[AsgiTransport]:
    transport = AsgiTransport(server.app())
    yield transport
    transport.close()


@pytest.fixture
def repository(transport: AsgiTransport) -> ProxiedRepository:
    return ProxiedRepository(transport, "1/r/artifacts")


class TestServerOfAnotherMake:
    def test_files_come_back_without_versions(self, repository: ProxiedRepository) -> None:
        info = repository.write("a/f", [b"01234", b"56789"])
        repository.write("a/f", [b"0123456789"])
        assert (info.file_size, info.version) == (10, None)
        assert repository.open_read("a/f").read() == b"0123456789"
        assert repository.versions("a/f") == []
        stat = repository.stat("a/f")
        assert stat is not None
        assert (stat.file_size, stat.sha256, stat.version) == (10, None, None)
        assert [found.path for found in walk(repository)] == ["a/f"]
        repository.delete("")
        assert repository.list() == []
        with pytest.raises(DoesNotExist):
            repository.open_read("a/f")

    @pytest.mark.parametrize(("offset", "length", "expected"), [(0, 4, b"0123"), (4, None, b"456789"), (3, 3, b"345")])
    def test_a_part_when_the_server_sends_everything(
        self, repository: ProxiedRepository, offset: int, length: int | None, expected: bytes
    ) -> None:
        repository.write("f", [b"0123456789"])
        with repository.open_read("f", offset=offset, length=length) as reader:
            assert b"".join(reader) == expected
            assert reader.info.file_size == 10
        with pytest.raises(InvalidParameterValue):
            repository.open_read("f", offset=10)

    def test_an_old_version_is_not_mistaken(self, repository: ProxiedRepository) -> None:
        repository.write("f", [b"x"])
        with pytest.raises(NotImplementedHere, match="no versions"):
            repository.open_read("f", version=1)


class TestHostileServer:
    @pytest.mark.parametrize(
        "name",
        ["../x", "..", "/etc/passwd", "a/b", "", ".", "C:\\x", "..\\x", "a\x00b", ".stele", "a/../../x", "%2e%2e"],
    )
    def test_names_that_are_none_are_left_out_and_told(
        self, repository: ProxiedRepository, server: PlainServer, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.listing = [{"path": name, "is_dir": False}, {"path": "good", "is_dir": False, "file_size": 1}]
        with caplog.at_level(logging.WARNING):
            assert [info.path for info in repository.list("dir")] == ["dir/good"]
        assert "no name of an artifact" in caplog.text

    def test_an_endless_tree_ends(self, repository: ProxiedRepository, server: PlainServer) -> None:
        server.listing = [{"path": "deeper", "is_dir": True}]
        assert list(walk(repository)) == []  # no path is longer than the check allows

    @pytest.mark.parametrize("listing", ["x", [1], [{"path": 5}], [{"path": "a"}]])
    def test_a_listing_that_is_none(self, repository: ProxiedRepository, server: PlainServer, listing: Any) -> None:
        server.listing = listing
        with pytest.raises(SteleError, match="does not answer like a server of artifacts"):
            repository.list()

    def test_an_upload_that_arrives_damaged(self, repository: ProxiedRepository, server: PlainServer) -> None:
        server.headers = {"ETag": f'"{"0" * 64}"'}
        with pytest.raises(SteleError, match="another content"):
            repository.write("f", [b"x"])

    @pytest.mark.parametrize("headers", [{"X-Stele-Version": "²"}, {"ETag": "W/x"}, {"X-Stele-Version": "-1"}])
    def test_headers_that_are_none(
        self, repository: ProxiedRepository, server: PlainServer, headers: dict[str, str]
    ) -> None:
        repository.write("f", [b"x"])
        server.headers = {name: value.encode().decode("latin-1") for name, value in headers.items()}
        with repository.open_read("f") as reader:
            assert (reader.info.sha256, reader.info.version, b"".join(reader)) == (None, None, b"x")


class TestUris:
    def test_without_a_host_it_is_the_tracking_server(self, transport: AsgiTransport, server: PlainServer) -> None:
        repository = open_repository("mlflow-artifacts:/1/my run/artifacts/50%", transport)
        repository.write("f", [b"x"])
        assert list(server.files) == ["1/my run/artifacts/50%/f"]
        repository.close()
        assert repository.open_read("f").read() == b"x"  # the transport belongs to somebody else

    def test_with_the_host_of_the_tracking_server_too(self, transport: AsgiTransport, server: PlainServer) -> None:
        open_repository("mlflow-artifacts://localhost:5000/1/r", transport).write("f", [b"x"])
        assert list(server.files) == ["1/r/f"]

    def test_the_tracking_uri_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5001/prefix")
        repository = open_proxied("mlflow-artifacts:/1")
        assert isinstance(repository._transport, HttpTransport)
        assert repository._transport.address == "http://127.0.0.1:5001/prefix"
        repository.close()

    @pytest.mark.parametrize("tracking", ["", "sqlite:///x.db"])
    def test_no_tracking_server(self, monkeypatch: pytest.MonkeyPatch, tracking: str) -> None:
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.setenv("STELE_TRACKING_URI", tracking)
        with pytest.raises(InvalidParameterValue, match="tracking URI"):
            open_repository("mlflow-artifacts:/1")

    @pytest.mark.parametrize(
        "uri", ["mlflow-artifacts:/../x", "mlflow-artifacts:/a/../../x", "mlflow-artifacts:/%2e%2e/x"]
    )
    def test_a_root_that_climbs(self, transport: AsgiTransport, uri: str) -> None:
        with pytest.raises(InvalidParameterValue, match="artifact path"):
            open_repository(uri, transport)

    @pytest.mark.parametrize("uri", ["mlflow-artifacts://evil.example/x", "mlflow-artifacts://a:b@localhost:5000/x"])
    def test_another_host_gets_no_credentials(
        self, transport: AsgiTransport, monkeypatch: pytest.MonkeyPatch, uri: str
    ) -> None:
        monkeypatch.setenv("STELE_TRACKING_TOKEN", "secret")
        repository = open_proxied(uri, transport)
        assert isinstance(repository._transport, HttpTransport)
        assert repository._transport._headers(_REQUEST).keys().isdisjoint({"Authorization"})
        repository.close()


_REQUEST: Any = type("Any", (), {"headers": {}})()


@pytest.mark.parametrize("answer", [503, DROP])
def test_what_can_be_read_once_is_not_sent_again_empty(tmp_path, answer):
    source = open_repository(str(tmp_path))
    source.write("a.txt", [b"content"])
    with ScriptedServer() as server:
        server.answers = [Answer(answer), Answer()]
        target = ProxiedRepository(HttpTransport(server.address), "")
        with source.open_read("a.txt") as reader, pytest.raises(Unavailable):
            target.write("a.txt", reader)
    assert [seen.body for seen in server.seen] == [b"content"]
