"""A program of many clients of a scoring server: each sends the same body over its own connection, again and again.

``python score_client.py PORT CLIENTS SECONDS BODY`` prints as JSON requests a second, percentiles of the milliseconds
of a request, and how many were refused.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from load_client import exchange


async def client(port: int, body: bytes, deadline: float, samples: list[float], refused: list[bytes]) -> None:
    """Send until then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (started := time.perf_counter()) < deadline:
        status, answer = await exchange(reader, writer, b"/invocations", body)
        samples.append(time.perf_counter() - started)
        if status != b"200":
            refused.append(answer)
    writer.close()


async def load(port: int, clients: int, seconds: float, body: bytes) -> dict[str, float]:
    """Let all of them work."""
    await client(port, body, time.perf_counter() + 0.5, [], [])  # warm
    samples: list[float] = []
    refused: list[bytes] = []
    started = time.perf_counter()
    await asyncio.gather(*(client(port, body, started + seconds, samples, refused) for _ in range(clients)))
    elapsed = time.perf_counter() - started
    samples.sort()
    return {
        "requests_a_second": len(samples) / elapsed,
        "p50_ms": samples[len(samples) // 2] * 1000,
        "p99_ms": samples[len(samples) * 99 // 100] * 1000,
        "refused": len(refused),
    }


if __name__ == "__main__":
    arguments = sys.argv
    print(
        json.dumps(
            asyncio.run(
                load(int(arguments[1]), int(arguments[2]), float(arguments[3]), Path(arguments[4]).read_bytes())
            )
        )
    )
