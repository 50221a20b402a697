"""HttpTransport: what goes over the wire, what is tried again, which error comes out."""

from __future__ import annotations

import base64
import gzip
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stele.errors import (
    BadRequest,
    DeadlineExceeded,
    DoesNotExist,
    EndpointNotFound,
    InvalidParameterValue,
    SteleError,
    TooManyRequests,
    Unavailable,
)
from stele.transport import HttpTransport, Request
from unit.transport.scripted_server import DROP, STALL, Answer, ScriptedServer

GET = Request("GET", "/x")
POST = Request("POST", "/x", body=b"{}")


class Chunks:
    """A body that can be read again, and counts how often it was."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks
        self.readings = 0

    def __iter__(self) -> Iterator[bytes]:
        self.readings += 1
        yield from self.chunks


class TestWire:
    def test_query_headers_and_body_arrive_and_the_connection_is_kept(
        self, server: ScriptedServer, transport: HttpTransport
    ) -> None:
        server.answers = [Answer(body=b"first", headers={"X-One": "1"})]
        response = transport.send(Request("GET", "/a%20b", query=[("q", "x y&z"), ("q", "é")]))
        assert (response.status, response.headers["x-one"], response.read()) == (200, "1", b"first")
        transport.send(Request("POST", "/p", headers={"Content-Type": "a/b"}, body=b"body")).read()
        first, second = server.seen
        assert first.path == "/a%20b?q=x+y%26z&q=%C3%A9"
        assert first.headers["User-Agent"].startswith("stele-python-client/")
        assert (second.body, second.headers["Content-Type"]) == (b"body", "a/b")
        assert first.connection == second.connection

    @pytest.mark.parametrize("body", [b"", b"abc", [b"a", b"", b"bc"], []])
    def test_a_body_of_bytes_or_chunks(self, server: ScriptedServer, transport: HttpTransport, body: Any) -> None:
        transport.send(Request("PUT", "/x", body=body)).read()
        assert server.seen[0].body == b"".join([body] if isinstance(body, bytes) else body)

    @pytest.mark.parametrize("size", [0, 10, 3_000_000])
    @pytest.mark.parametrize("compressed", [False, True])
    def test_a_body_is_the_same_in_one_piece_and_in_chunks(
        self, server: ScriptedServer, transport: HttpTransport, size: int, compressed: bool
    ) -> None:
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        sent, headers = (gzip.compress(body), {"Content-Encoding": "gzip"}) if compressed else (body, {})
        server.answers = [Answer(body=sent, headers=headers)] * 2
        assert transport.send(GET).read() == body
        with transport.send(GET) as response:
            assert b"".join(response.chunks) == body
        transport.send(GET).read()
        assert len({seen.connection for seen in server.seen}) == 1

    def test_the_address_has_a_path(self, server: ScriptedServer) -> None:
        transport = HttpTransport(server.address + "/tracking/", retries=0)
        transport.send(GET).read()
        assert server.seen[0].path == "/tracking/x"
        assert transport.address == server.address + "/tracking"
        transport.close()

    def test_an_answer_can_be_left_unread(self, server: ScriptedServer, transport: HttpTransport) -> None:
        server.answers = [Answer(body=b"x" * 3_000_000), Answer(body=b"next")]
        with transport.send(GET) as response:
            assert next(response.chunks)
        assert transport.send(GET).read() == b"next"

    @pytest.mark.parametrize(
        "address", ["", "localhost:5000", "ftp://host", "http://", "http://h:99999", "http://[", "file:///x"]
    )
    def test_other_addresses_are_refused(self, address: str) -> None:
        with pytest.raises(InvalidParameterValue, match="address"):
            HttpTransport(address)


class TestErrors:
    def test_a_json_error_becomes_its_class(self, server: ScriptedServer, transport: HttpTransport) -> None:
        server.answers = [Answer(404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no run"}')]
        with pytest.raises(DoesNotExist, match=r"^no run$"):
            transport.send(GET)

    @pytest.mark.parametrize(
        ("status", "expected"),
        [(400, BadRequest), (404, EndpointNotFound), (500, SteleError), (429, TooManyRequests), (502, Unavailable)],
    )
    @pytest.mark.parametrize(
        "body", [b"<html>Oh dear</html>", b"", b"[1]", b"\xff\xfe", b'{"error_code": 5}', b"[" * 9000]
    )
    def test_any_other_body_becomes_the_class_of_the_status(
        self, server: ScriptedServer, waits: list[float], status: int, expected: type[SteleError], body: bytes
    ) -> None:
        server.answers = [Answer(status, body)]
        transport = HttpTransport(server.address, retries=0)
        with pytest.raises(expected, match=f"{server.address} answered {status}") as caught:
            transport.send(GET)
        assert type(caught.value) is expected
        transport.close()

    def test_nobody_listens(self, waits: list[float]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(Unavailable, match=f"Cannot reach {address}: .*refused"):
            HttpTransport(address, retries=2).send(POST)
        assert len(waits) == 2

    def test_an_answer_that_breaks_off(self, server: ScriptedServer, transport: HttpTransport) -> None:
        server.answers = [Answer(body=b"half", promised=100)]
        response = transport.send(GET)
        with pytest.raises(Unavailable, match="in the middle"):
            response.read()

    def test_an_answer_that_breaks_off_while_it_is_read_in_chunks(
        self, server: ScriptedServer, transport: HttpTransport
    ) -> None:
        server.answers = [Answer(body=b"half", promised=100)]
        response = transport.send(GET)
        with response, pytest.raises(Unavailable, match="in the middle"):
            list(response.chunks)

    def test_an_answer_that_does_not_come(self, server: ScriptedServer, waits: list[float]) -> None:
        server.answers = [Answer(STALL)]
        transport = HttpTransport(server.address, retries=0, timeout_seconds=0.05)
        with pytest.raises(DeadlineExceeded, match=r"within 0\.05 s"):
            transport.send(GET)
        transport.close()

    def test_a_body_that_cannot_be_read_is_not_a_network_error(
        self, server: ScriptedServer, transport: HttpTransport, waits: list[float]
    ) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"a"
            raise OSError("disk")

        with pytest.raises(OSError, match=r"^disk$"):
            transport.send(Request("PUT", "/x", body=chunks()))
        assert waits == []


class TestRetries:
    @pytest.mark.parametrize("status", [429, 502, 503, 504, DROP])
    def test_what_may_be_repeated_is_repeated(
        self, server: ScriptedServer, transport: HttpTransport, waits: list[float], status: int
    ) -> None:
        server.answers = [Answer(status), Answer(status), Answer(body=b"done")]
        assert transport.send(GET).read() == b"done"
        assert 0.25 <= waits[0] <= 0.5
        assert 0.5 <= waits[1] <= 1.0

    @pytest.mark.parametrize("status", [502, 504, DROP])
    def test_a_creation_is_not_repeated_when_it_may_have_happened(
        self, server: ScriptedServer, transport: HttpTransport, waits: list[float], status: int
    ) -> None:
        server.answers = [Answer(status)]
        with pytest.raises((Unavailable, DeadlineExceeded)):
            transport.send(POST)
        assert len(server.seen) == 1

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_creation_is_repeated_when_the_server_refused_it(
        self, server: ScriptedServer, transport: HttpTransport, waits: list[float], status: int
    ) -> None:
        server.answers = [Answer(status)]
        transport.send(POST).read()
        assert [seen.body for seen in server.seen] == [b"{}", b"{}"]

    def test_a_post_that_is_declared_repeatable(
        self, server: ScriptedServer, transport: HttpTransport, waits: list[float]
    ) -> None:
        server.answers = [Answer(DROP)]
        transport.send(Request("POST", "/x", body=b"{}", repeatable=True)).read()
        assert len(server.seen) == 2

    @pytest.mark.parametrize("status", [400, 401, 404, 409, 500, 501])
    def test_other_errors_are_final(self, server: ScriptedServer, transport: HttpTransport, status: int) -> None:
        server.answers = [Answer(status)]
        with pytest.raises(SteleError):
            transport.send(GET)
        assert len(server.seen) == 1

    def test_it_gives_up(self, server: ScriptedServer, transport: HttpTransport, waits: list[float]) -> None:
        server.answers = [Answer(503, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "full"}')] * 9
        with pytest.raises(Unavailable, match="full"):
            transport.send(GET)
        assert len(server.seen) == 4

    @pytest.mark.parametrize(
        ("named", "low", "high"),
        [
            ("7", 7, 7),
            ("99999", 120, 120),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
            ("soon", 0.25, 0.5),
        ],
    )
    def test_retry_after(
        self, server: ScriptedServer, transport: HttpTransport, waits: list[float], named: str, low: float, high: float
    ) -> None:
        server.answers = [Answer(503, headers={"Retry-After": named})]
        transport.send(GET).read()
        assert low <= waits[0] <= high

    def test_chunks_that_can_be_read_again_are(
        self, server: ScriptedServer, transport: HttpTransport, waits: list[float]
    ) -> None:
        server.answers = [Answer(503), Answer(DROP)]
        body = Chunks(b"a", b"b")
        transport.send(Request("PUT", "/x", body=body)).read()
        assert [seen.body for seen in server.seen] == [b"ab"] * 3
        assert body.readings == 3

    def test_a_bare_iterator_is_sent_once(
        self, server: ScriptedServer, transport: HttpTransport, waits: list[float]
    ) -> None:
        server.answers = [Answer(503)]
        with pytest.raises(Unavailable):
            transport.send(Request("PUT", "/x", body=iter([b"a"])))
        assert len(server.seen) == 1


class TestCredentials:
    def sent(self, server: ScriptedServer, address: str, **options: Any) -> str | None:
        transport = HttpTransport(address, retries=0, **options)
        transport.send(GET).read()
        transport.close()
        return server.seen[-1].headers.get("Authorization")

    def test_of_the_environment(self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.sent(server, server.address) is None
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret-token\n")
        assert self.sent(server, server.address) == "Bearer secret-token"
        monkeypatch.setenv("STELE_TRACKING_USERNAME", "ann")
        monkeypatch.setenv("STELE_TRACKING_PASSWORD", "pass")
        assert self.sent(server, server.address) == "Basic " + base64.b64encode(b"ann:pass").decode()
        assert self.sent(server, server.address, authenticate=False) is None

    def test_of_the_address_come_first_and_are_shown_nowhere(
        self,
        server: ScriptedServer,
        waits: list[float],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setenv("STELE_TRACKING_TOKEN", "other")
        caplog.set_level("DEBUG")
        address = server.address.replace("//", "//ann:s%40cret@")
        assert self.sent(server, address) == "Basic " + base64.b64encode(b"ann:s@cret").decode()
        server.answers = [Answer(503)] * 2
        transport = HttpTransport(address, retries=1)
        with pytest.raises(Unavailable) as caught:
            transport.send(GET)
        transport.close()
        texts = [str(caught.value), transport.address, caplog.text, repr(transport)]
        assert not any("cret" in text or "ann" in text for text in texts)

    @pytest.mark.parametrize("token", ["se\ncret", "sécret", "se\tcret"])
    def test_a_token_that_is_none_is_refused_and_not_shown(
        self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, token: str
    ) -> None:
        monkeypatch.setenv("STELE_TRACKING_TOKEN", token)
        with pytest.raises(InvalidParameterValue, match="STELE_TRACKING_TOKEN") as caught:
            self.sent(server, server.address)
        assert "cret" not in str(caught.value)

    @pytest.mark.parametrize(
        "place", ["http://localhost:{port}/x", "http://127.0.0.1:1/x", "//evil.example/x", "http://[/x"]
    )
    def test_never_follow_a_redirect_to_another_host(
        self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        monkeypatch.setenv("STELE_TRACKING_TOKEN", "secret")
        location = place.format(port=server.server.server_port)
        server.answers = [Answer(307, headers={"Location": location})]
        with pytest.raises(BadRequest, match="redirects to"):
            self.sent(server, server.address)
        assert len(server.seen) == 1

    def test_a_redirect_on_the_same_host_is_followed(self, server: ScriptedServer, transport: HttpTransport) -> None:
        server.answers = [Answer(302, headers={"Location": "/y"}), Answer(307, headers={"Location": "z"})]
        transport.send(GET).read()
        assert [seen.path for seen in server.seen] == ["/x", "/y", "/z"]

    def test_redirects_that_do_not_end(self, server: ScriptedServer, transport: HttpTransport) -> None:
        server.answers = [Answer(302, headers={"Location": "/y"})] * 9
        with pytest.raises(BadRequest, match="more than"):
            transport.send(GET)

    def test_a_redirected_write_is_not_turned_into_a_read(
        self, server: ScriptedServer, transport: HttpTransport
    ) -> None:
        server.answers = [Answer(302, headers={"Location": "/y"})]
        with pytest.raises(BadRequest, match="POST"):
            transport.send(POST)
        server.answers = [Answer(307, headers={"Location": "/y"})]
        with pytest.raises(BadRequest, match="twice"):
            transport.send(Request("PUT", "/x", body=iter([b"a"])))


class TestProxy:
    def test_of_the_environment_with_its_own_credentials(
        self, server: ScriptedServer, waits: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", server.address.replace("//", "//pia:pw@"))
        transport = HttpTransport("http://tracking.example:81/p", retries=0)
        assert transport.send(GET).read() == b"{}"
        assert server.seen[0].path == "http://tracking.example:81/p/x"
        assert server.seen[0].headers["Proxy-Authorization"] == "Basic " + base64.b64encode(b"pia:pw").decode()
        transport.close()

    def test_is_left_out_for_this_machine_and_for_exceptions(
        self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        transport = HttpTransport(server.address, retries=0)
        transport.send(GET).read()
        assert server.seen[0].path == "/x"
        transport.close()

    def test_another_kind_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
        with pytest.raises(InvalidParameterValue, match="socks5"):
            HttpTransport("http://tracking.example")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    key = file.with_name("key.pem")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(file)]
    subprocess.run(words + more, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + key.read_bytes())
    return file


class TestTls:
    @pytest.fixture
    def address(self, server: ScriptedServer, certificate: Path) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
        return server.address.replace("http:", "https:")

    def test_an_unknown_certificate_is_refused_at_once(self, address: str, waits: list[float]) -> None:
        with pytest.raises(Unavailable, match="No trusted connection"):
            HttpTransport(address, retries=3).send(GET)
        assert waits == []

    def test_a_named_authority_is_trusted(
        self, address: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
        transport = HttpTransport(address, retries=0)
        assert transport.send(GET).read() == b"{}"
        transport.close()

    @pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
    def test_the_check_can_be_turned_off(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STELE_TRACKING_INSECURE_TLS", "true")
        transport = HttpTransport(address, retries=0)
        assert transport.send(GET).read() == b"{}"
        transport.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        (None, None),
        ("soon", None),
        ("", None),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 0),
    ],
)
def test_an_error_says_when_to_come_back(server: ScriptedServer, header: str | None, seconds: float | None) -> None:
    server.answers = [Answer(429, headers={} if header is None else {"Retry-After": header})]
    with pytest.raises(TooManyRequests) as caught:
        HttpTransport(server.address, retries=0).send(Request("GET", "/x"))
    assert caught.value.retry_after_seconds == seconds
