"""A program of many clients: each sends ``log-batch`` over its own connection, one request after the other.

``python load_client.py PORT CLIENTS POINTS SECONDS`` prints as JSON requests and points a second, the 50th and 99th
percentile of the milliseconds of a request, and how many requests were refused, with the answer to one of them. Sockets
and prepared bytes, because with an HTTP library the client would be what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

_KEYS = 5
_PREPARED = 200
"""Requests of a run; then the client makes another one, and sends the same points to that."""
_NO_RUN = b"x" * 32


def body_of(number: int, points: int) -> bytes:
    """The JSON of a batch, with as many letters where the id of a run belongs as the id has."""
    keys = min(_KEYS, points)
    first = number * (points // keys)
    metrics = [
        {
            "key": f"m{place % keys}",
            "value": 0.123456789 + place + first,
            "timestamp": 1_700_000_000_000 + first,
            "step": first + place // keys,
        }
        for place in range(points)
    ]
    return json.dumps({"run_id": _NO_RUN.decode(), "metrics": metrics}).encode()


class Client:
    """One connection.

    Attributes:
        seconds: Of each request that was answered with 200.
        refused: How many requests were not.
        refusal: What was said to the last of those.
    """

    def __init__(self, port: int, bodies: list[bytes]) -> None:
        self.seconds: list[float] = []
        self.refused = 0
        self.refusal = ""
        self._port = port
        self._bodies = bodies

    async def work(self, deadline: float) -> None:
        """Send until then."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)

        async def post(operation: bytes, body: bytes) -> bytes | None:
            status, answer = await exchange(reader, writer, b"/api/2.0/mlflow/" + operation, body)
            if status == b"200":
                return answer
            self.refused += 1
            self.refusal = answer.decode()[:200]
            return None

        while time.perf_counter() < deadline:
            made = await post(b"runs/create", b'{"experiment_id": "0", "start_time": 1}')
            if made is None:
                continue
            run_id = json.loads(made)["run"]["info"]["run_id"].encode()
            for body in self._bodies:
                message = body.replace(_NO_RUN, run_id)
                started = time.perf_counter()
                if started > deadline:
                    break
                if await post(b"runs/log-batch", message) is not None:
                    self.seconds.append(time.perf_counter() - started)
        writer.close()


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: bytes, body: bytes
) -> tuple[bytes, bytes]:
    """Status and body of the answer to a request."""
    head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" % path
    writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return answer.split(b" ", 2)[1], await reader.readexactly(length)


async def load(clients: list[Client], seconds: float) -> float:
    """Let all of them work; returns how long it took."""
    started = time.perf_counter()
    await asyncio.gather(*(client.work(started + seconds) for client in clients))
    return time.perf_counter() - started


def main() -> None:
    port, clients, points, seconds = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    bodies = [body_of(number, points) for number in range(_PREPARED)]
    working = [Client(port, bodies) for _ in range(clients)]
    elapsed = asyncio.run(load(working, seconds))
    samples = sorted(item for client in working for item in client.seconds)
    figures = {
        "requests_a_second": len(samples) / elapsed,
        "points_a_second": len(samples) * points / elapsed,
        "p50_ms": samples[len(samples) // 2] * 1000 if samples else None,
        "p99_ms": samples[len(samples) * 99 // 100] * 1000 if samples else None,
        "refused": sum(client.refused for client in working),
        "refusal": max(client.refusal for client in working),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
