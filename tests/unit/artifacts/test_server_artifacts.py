"""The artifact addresses of the server: what goes over the wire, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from stele.artifacts.local import LocalRepository
from stele.errors import DoesNotExist, InvalidParameterValue, NotImplementedHere, PermissionDenied
from stele.schema.artifacts import FileInfo, ListArtifacts
from stele.schema.routes import Permission
from stele.server.artifacts import artifact_endpoints
from stele.transport import Request
from stele.transport.asgi import AsgiTransport
from unit.artifacts import small_server
from unit.artifacts.payloads import HOSTILE, PAYLOADS

FILES = "/api/2.0/mlflow-artifacts/artifacts"
MIB = 1024 * 1024


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    LocalRepository(root).write("1/r/artifacts/a/f.txt", [b"0123456789"])
    return root


@pytest.fixture
def uris(root: Path) -> dict[str, str]:
    return {
        "r": "mlflow-artifacts:/1/r/artifacts",
        "inside": f"{root}/1/r/artifacts",
        "uri": f"{root.as_uri()}/1/r/artifacts",
        "other": str(root.parent / "elsewhere"),
        "climb": f"{root}/../elsewhere",
        "climb-proxied": "mlflow-artifacts:/../elsewhere",
        "etc": "file:///etc",
        "host": "mlflow-artifacts://127.0.0.1:1/x",
        "http": "http://127.0.0.1:1/x",
        "sibling": f"{root}-sibling",
        "none": "",
    }


@pytest.fixture
def server(root: Path, uris: dict[str, str]) -> Iterator[AsgiTransport]:
    transport = AsgiTransport(small_server.app(small_server.service(str(root), uris)))
    yield transport
    transport.close()


def get(server: AsgiTransport, address: str, /, **query: str) -> tuple[int, dict[str, str], bytes]:
    response = server.exchange(Request("GET", address, query=list(query.items())))
    return response.status, dict(response.headers), response.read()


def ranged(server: AsgiTransport, part: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    response = server.exchange(Request("GET", f"{FILES}/1/r/artifacts/a/f.txt", headers={"Range": part, **headers}))
    return response.status, dict(response.headers), response.read()


class TestDownload:
    def test_a_file_with_what_is_known_about_it(self, server: AsgiTransport) -> None:
        status, headers, body = get(server, f"{FILES}/1/r/artifacts/a/f.txt")
        assert (status, body) == (200, b"0123456789")
        assert headers["content-length"] == "10"
        assert headers["etag"] == f'"{hashlib.sha256(body).hexdigest()}"'
        assert headers["x-stele-version"] == "1"
        assert headers["accept-ranges"] == "bytes"

    @pytest.mark.parametrize(
        ("name", "media_type"),
        [
            ("page.html", "text/plain; charset=utf-8"),
            ("image.svg", "text/plain; charset=utf-8"),
            ("feed.xhtml", "application/octet-stream"),
            ("script.js", "text/plain; charset=utf-8"),
            ("data.json", "text/plain; charset=utf-8"),
            ("MLmodel", "text/plain; charset=utf-8"),
            ("conda.yaml", "text/plain; charset=utf-8"),
            ("plot.png", "image/png"),
            ("model.pkl", "application/octet-stream"),
            ("files.tar", "application/octet-stream"),
            ("unknown", "application/octet-stream"),
        ],
    )
    @pytest.mark.parametrize("address", ["proxied", "of_run"])
    def test_nothing_acts_in_a_browser(self, server: AsgiTransport, name: str, media_type: str, address: str) -> None:
        server.send(Request("PUT", f"{FILES}/1/r/artifacts/{name}", body=b"<script>alert(1)</script>")).close()
        if address == "proxied":
            _, headers, _ = get(server, f"{FILES}/1/r/artifacts/{name}")
        else:
            _, headers, _ = get(server, "/get-artifact", run_id="r", path=name)
        assert headers["content-type"] == media_type
        assert headers["content-disposition"] == f'attachment; filename="{name}"'
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]

    @pytest.mark.parametrize("name", ['a"b; filename=evil.exe', "größe.txt", "a;b", "a%22b"])
    def test_a_name_cannot_break_the_header(self, server: AsgiTransport, name: str) -> None:
        server.send(Request("PUT", f"{FILES}/{quote(name)}", body=b"x")).close()
        _, headers, _ = get(server, f"{FILES}/{quote(name)}")
        assert headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(name, safe='')}"

    @pytest.mark.parametrize(
        ("part", "expected", "content_range"),
        [
            ("bytes=0-3", b"0123", "bytes 0-3/10"),
            ("bytes=4-", b"456789", "bytes 4-9/10"),
            ("bytes=-3", b"789", "bytes 7-9/10"),
            ("bytes=-99", b"0123456789", "bytes 0-9/10"),
            ("bytes=8-99", b"89", "bytes 8-9/10"),
            ("bytes = 1 - 1", b"1", "bytes 1-1/10"),
        ],
    )
    def test_a_part(self, server: AsgiTransport, part: str, expected: bytes, content_range: str) -> None:
        status, headers, body = ranged(server, part)
        assert (status, body, headers["content-range"]) == (206, expected, content_range)
        assert headers["content-length"] == str(len(expected))

    @pytest.mark.parametrize(
        "part",
        ["bytes=0-1,3-4", "lines=0-1", "bytes=", "bytes=-", "bytes=5-2", "x", "bytes=٣-", "bytes=" + "9" * 200 + "-"],
    )
    def test_what_is_no_part_is_ignored(self, server: AsgiTransport, part: str) -> None:
        response = server.exchange(
            Request("GET", f"{FILES}/1/r/artifacts/a/f.txt", headers={"Range": part.encode().decode("latin-1")})
        )
        assert (response.status, response.read()) == (200, b"0123456789")

    @pytest.mark.parametrize("part", ["bytes=10-", "bytes=99-100", "bytes=-0"])
    def test_a_part_behind_the_end(self, server: AsgiTransport, part: str) -> None:
        status, headers, body = ranged(server, part)
        assert (status, headers["content-range"]) == (416, "bytes */10")
        assert json.loads(body)["error_code"] == "INVALID_PARAMETER_VALUE"

    def test_a_part_of_another_content_is_not_given(self, server: AsgiTransport) -> None:
        etag = ranged(server, "bytes=0-0")[1]["etag"]
        assert ranged(server, "bytes=0-0", **{"If-Range": etag})[0] == 206
        assert ranged(server, "bytes=0-0", **{"If-Range": '"old"'})[0] == 200

    def test_an_old_version(self, server: AsgiTransport) -> None:
        server.send(Request("PUT", f"{FILES}/f", body=b"one")).close()
        with server.send(Request("PUT", f"{FILES}/f", body=b"two")) as response:
            assert response.headers["x-stele-version"] == "2"
        assert get(server, f"{FILES}/f", version="1")[2] == b"one"
        assert get(server, f"{FILES}/f")[2] == b"two"
        assert get(server, f"{FILES}/f", version="3")[0] == 404
        versions = json.loads(get(server, "/api/2.0/stele/artifacts/versions", path="f")[2])["versions"]
        assert [(v["version"], v["current"], v["file_size"]) for v in versions] == [(1, False, 3), (2, True, 3)]

    @pytest.mark.parametrize("version", ["0", "-1", "x", "1.5", "", "²", "9" * 50])
    def test_a_version_that_is_none(self, server: AsgiTransport, version: str) -> None:
        assert get(server, f"{FILES}/1/r/artifacts/a/f.txt", version=version)[0] == 400

    def test_a_directory_and_what_is_not_there(self, server: AsgiTransport) -> None:
        assert get(server, f"{FILES}/1/r")[0] == 400
        status, _, body = get(server, f"{FILES}/1/none")
        assert (status, json.loads(body)["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_the_head_alone(self, server: AsgiTransport) -> None:
        response = server.exchange(Request("HEAD", f"{FILES}/1/r/artifacts/a/f.txt"))
        assert (response.status, response.headers["content-length"], response.read()) == (200, "10", b"")


class TestListing:
    def test_base_names_and_nothing_for_a_file(self, server: AsgiTransport) -> None:
        server.send(Request("PUT", f"{FILES}/1/r/artifacts/b", body=b"")).close()
        assert json.loads(get(server, FILES, path="1/r/artifacts")[2]) == {
            "files": [{"path": "a", "is_dir": True}, {"path": "b", "is_dir": False, "file_size": 0}]
        }
        assert get(server, FILES, path="1/r/artifacts/a/f.txt")[2] == b"{}"
        assert get(server, FILES, path="none")[2] == b"{}"
        assert json.loads(get(server, FILES)[2]) == {"files": [{"path": "1", "is_dir": True}]}

    def test_of_a_run(self, root: Path, uris: dict[str, str]) -> None:
        service = small_server.service(str(root), uris)
        for run_id in ("r", "inside", "uri"):
            answer = service.list_artifacts(ListArtifacts(run_id=run_id))
            assert (answer.root_uri, answer.files) == (uris[run_id], [FileInfo("a", is_dir=True)])
            below = service.list_artifacts(ListArtifacts(run_uuid=run_id, path="a"))
            assert below.files == [FileInfo("a/f.txt", is_dir=False, file_size=10)]
            assert service.list_artifacts(ListArtifacts(run_id=run_id, path="a/f.txt")).files == []

    def test_of_no_run(self, root: Path, uris: dict[str, str]) -> None:
        service = small_server.service(str(root), uris)
        with pytest.raises(InvalidParameterValue, match="run_id"):
            service.list_artifacts(ListArtifacts())
        with pytest.raises(DoesNotExist):
            service.list_artifacts(ListArtifacts(run_id="unknown"))


class TestConfinement:
    @pytest.mark.parametrize("run_id", ["other", "climb", "climb-proxied", "etc", "host", "http", "sibling", "none"])
    def test_a_run_elsewhere_is_not_read(self, root: Path, uris: dict[str, str], run_id: str) -> None:
        service = small_server.service(str(root), uris, roots=("mlflow-artifacts:/",))
        with pytest.raises((PermissionDenied, InvalidParameterValue)):
            service.list_artifacts(ListArtifacts(run_id=run_id))

    def test_a_root_that_the_administrator_named(self, root: Path, uris: dict[str, str]) -> None:
        service = small_server.service(str(root), uris, roots=(str(root.parent / "elsewhere"),))
        assert [info.path for info in service.list_artifacts(ListArtifacts(run_id="other")).files] == ["secret"]

    def test_without_proxying_runs_in_a_named_root_stay_readable(self, root: Path, uris: dict[str, str]) -> None:
        service = small_server.service(str(root), uris, serve=False, roots=(str(root),))
        assert service.list_artifacts(ListArtifacts(run_id="inside")).files
        with pytest.raises(NotImplementedHere, match="no-serve-artifacts"):
            service.list_artifacts(ListArtifacts(run_id="r"))

    @pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
    def test_no_payload_at_any_address_touches_anything_outside(
        self, server: AsgiTransport, root: Path, payload: str
    ) -> None:
        before = outside(root)
        in_path = quote(payload, safe="")
        requests = [Request(method, f"{FILES}/{in_path}", body=b"evil") for method in ("GET", "PUT", "DELETE")]
        for method, path, run in (
            ("GET", FILES, []),
            ("GET", "/get-artifact", [("run_id", "r")]),
            ("GET", "/api/2.0/stele/artifacts/versions", []),
            ("GET", "/api/2.0/stele/artifacts/zip", [("run_id", "r")]),
            ("POST", "/ajax-api/2.0/mlflow/upload-artifact", [("run_uuid", "r")]),
        ):
            requests.append(Request(method, path, query=[*run, ("path", payload)]))
        for request in requests:
            response = server.exchange(request)
            assert response.read() != b"secret"
            assert response.status in ((400, 404) if payload in HOSTILE else (200, 400, 404))
        assert outside(root) == before


def outside(root: Path) -> dict[str, bytes | None]:
    return {
        str(file): file.read_bytes() if file.is_file() else None
        for file in sorted(root.parent.rglob("*"))
        if not file.is_relative_to(root)
    }


class TestUpload:
    @pytest.mark.parametrize("kind", [None, "application/json", "text/html", "multipart/form-data", "nonsense"])
    def test_any_content_type(self, server: AsgiTransport, kind: str | None) -> None:
        headers = {"Content-Type": kind} if kind else {}
        with server.send(Request("PUT", f"{FILES}/f", headers=headers, body=b'{"a":')) as response:
            assert (response.status, response.read()) == (200, b"")
        assert get(server, f"{FILES}/f")[2] == b'{"a":'

    def test_a_compressed_body_is_refused(self, server: AsgiTransport) -> None:
        with pytest.raises(InvalidParameterValue, match="Content-Encoding"):
            server.send(Request("PUT", f"{FILES}/f", headers={"Content-Encoding": "gzip"}, body=b"x"))

    def test_to_a_run_up_to_ten_megabytes(self, server: AsgiTransport) -> None:
        address = "/ajax-api/2.0/mlflow/upload-artifact"
        query = [("run_uuid", "r"), ("path", "up/f")]
        assert server.exchange(Request("POST", address, query=query, body=[b"x" * MIB] * 10)).status == 200
        response = server.exchange(Request("POST", address, query=query, body=[b"x" * MIB] * 10 + [b"x"]))
        assert response.status == 413
        assert len(get(server, "/get-artifact", run_uuid="r", path="up/f")[2]) == 10 * MIB
        for incomplete in ([("path", "f")], [("run_uuid", "r")]):
            assert server.exchange(Request("POST", address, query=incomplete, body=b"x")).status == 400

    def test_an_upload_that_breaks_off_leaves_nothing(self, server: AsgiTransport, root: Path) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"x" * MIB
            raise OSError("cable")

        with pytest.raises(OSError, match="cable"):
            server.send(Request("PUT", f"{FILES}/f", body=chunks()))
        assert get(server, f"{FILES}/f")[0] == 404
        assert not list(root.rglob("*.tmp"))

    def test_deleting(self, server: AsgiTransport) -> None:
        for _ in range(2):
            with server.send(Request("DELETE", f"{FILES}/1/r/artifacts")) as response:
                assert (response.status, response.read()) == (200, b"{}")
        assert get(server, FILES, path="1/r/artifacts")[2] == b"{}"

    def test_the_whole_destination_is_not_deleted(self, server: AsgiTransport, root: Path) -> None:
        assert server.exchange(Request("DELETE", f"{FILES}/")).status == 400
        assert (root / "1").exists()


class TestZip:
    def test_a_directory(self, server: AsgiTransport) -> None:
        status, headers, body = get(server, "/api/2.0/stele/artifacts/zip", run_id="r", path="a")
        assert (status, headers["content-type"]) == (200, "application/zip")
        assert headers["content-disposition"] == 'attachment; filename="a.zip"'
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.testzip() is None
            assert {name: archive.read(name) for name in archive.namelist()} == {"f.txt": b"0123456789"}

    def test_what_is_not_there(self, server: AsgiTransport) -> None:
        assert get(server, "/api/2.0/stele/artifacts/zip", run_id="r", path="none")[0] == 404


class TestRoutes:
    def test_every_route_has_a_permission_and_one_that_fits(self, root: Path) -> None:
        for route in artifact_endpoints(small_server.service(str(root))):
            expected = Permission.READ_ARTIFACT if route.method == "GET" else Permission.WRITE_ARTIFACT
            assert route.permission is expected or route.name == "refuse_direct"

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("POST", "/api/2.0/mlflow-artifacts/mpu/create/a/b", 501),
            ("POST", "/api/2.0/mlflow-artifacts/mpu/complete/a", 501),
            ("POST", "/ajax-api/2.0/mlflow-artifacts/mpu/abort/a", 501),
            ("GET", "/api/2.0/mlflow-artifacts/presigned/a", 501),
            ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", 400),
            ("POST", "/api/2.0/mlflow/artifacts/presigned-download-url", 400),
        ],
    )
    def test_what_this_server_does_not_do(self, server: AsgiTransport, method: str, path: str, status: int) -> None:
        response = server.exchange(Request(method, path, body=b"{}"))
        body: dict[str, Any] = json.loads(response.read())
        assert (response.status, bool(body["error_code"]), bool(body["message"])) == (status, True, True)

    def test_without_proxying(self, root: Path) -> None:
        transport = AsgiTransport(small_server.app(small_server.service(str(root), serve=False)))
        assert transport.exchange(Request("GET", f"{FILES}/a")).status == 501
        assert transport.exchange(Request("PUT", f"{FILES}/a", body=b"x")).status == 501
        transport.close()
