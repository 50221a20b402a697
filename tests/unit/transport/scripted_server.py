"""A real HTTP server on this machine that gives prepared answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Self

DROP = -1  # close the connection instead of answering
STALL = -2  # neither answer nor close


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None  # Content-Length, when it is not the truth


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: tuple[str, int]


class ScriptedServer:
    """Gives prepared answers in order, then empty objects, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.seen: list[Seen] = []
        self.over = Event()
        self.server = _Server(self)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None: ...

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self) -> None:
        self.server.script.seen.append(
            Seen(
                self.command,
                self.path,
                {n.title(): v for n, v in self.headers.items()},
                self.body(),
                self.client_address,
            )
        )
        answer = self.server.script.answers.pop(0) if self.server.script.answers else Answer()
        if answer.status < 0:
            if answer.status == STALL:
                self.server.script.over.wait(30)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        promised = len(answer.body) if answer.promised is None else answer.promised
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.promised is not None:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: ScriptedServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script

    def handle_error(self, *_: object) -> None: ...
