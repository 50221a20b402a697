"""Data on a web server: a real one, in a thread of the test."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from stele.data.sources import HTTPDatasetSource
from stele.errors import SteleError


class Handler(BaseHTTPRequestHandler):
    seen: ClassVar[list] = []

    def do_GET(self):
        Handler.seen.append((self.path, self.headers.get("Authorization")))
        body = b"a,b\n1,2\n" if self.path.startswith("/data") else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Disposition", 'attachment; filename="../../evil"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    Handler.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_is_downloaded_under_its_own_name(address, workplace, monkeypatch):
    monkeypatch.setenv("STELE_TRACKING_TOKEN", "canary")
    path = HTTPDatasetSource(f"{address}/data/my%20set.csv?page=2&empty=").load(str(workplace / "out"))
    assert Path(path) == workplace / "out" / "my set.csv"
    assert Path(path).read_text() == "a,b\n1,2\n"
    assert Handler.seen == [("/data/my%20set.csv?page=2&empty=", None)]
    assert not list(workplace.rglob("evil"))


def test_a_name_in_the_address_cannot_leave_the_directory(address, workplace):
    path = HTTPDatasetSource(f"{address}/data/..%2f..%2fevil").load(str(workplace / "out"))
    assert Path(path).parent == workplace / "out"


def test_what_is_not_there_is_told(address, workplace):
    with pytest.raises(SteleError):
        HTTPDatasetSource(f"{address}/none.csv").load(str(workplace / "out"))
