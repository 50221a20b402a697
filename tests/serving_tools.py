"""A model to serve, and a scoring server in this process, spoken to over ASGI."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

import stele.sklearn
from stele.models import infer_signature
from stele.serving.app import ScoringApp
from stele.transport import Request
from stele.transport.asgi import AsgiTransport


def frame(rows: int = 4) -> pd.DataFrame:
    """What the model takes."""
    return pd.DataFrame({"a": np.arange(rows, dtype=float), "b": np.ones(rows)})


def save_linear(path: Path, slope: float = 2.0) -> Path:
    """Save a model that predicts ``slope * a + b``."""
    data = pd.DataFrame({"a": [0.0, 1.0, 0.0, 5.0], "b": [0.0, 0.0, 1.0, 2.0]})
    model = LinearRegression(fit_intercept=False).fit(data, slope * data["a"] + data["b"])
    signature = infer_signature(data, model.predict(data))
    stele.sklearn.save_model(model, path, signature=signature, input_example=frame(1))
    return path


class Asker:
    """Sends requests as a client on this machine would."""

    def __init__(self, app: ScoringApp) -> None:
        self.app = app
        self._life: threading.Thread | None = None
        self._ending = threading.Event()
        self._transport = AsgiTransport(app)

    def __call__(self, method: str, path: str, body: Any = b"", **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"host": "localhost:5000"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST":
            sent.setdefault("content-type", "application/json")
        response = self._transport.exchange(Request(method, path, headers=sent, body=content))
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())

    def predict(self, body: Any, **headers: str) -> Any:
        return self("POST", "/invocations", body, **headers)

    def close(self) -> None:
        if self._life is not None:
            self._ending.set()
            self._life.join(timeout=60)
        self._transport.close()

    def live(self) -> Asker:
        """Tell the application that it starts, as a server does; ``close`` tells it that it ends."""
        begun = threading.Event()
        events = iter(("lifespan.startup", "lifespan.shutdown"))

        async def receive() -> dict[str, str]:
            event = next(events)
            if event == "lifespan.shutdown":
                await asyncio.to_thread(self._ending.wait)
            return {"type": event}

        async def send(message: dict[str, str]) -> None:
            begun.set()

        self._life = threading.Thread(target=lambda: asyncio.run(self.app({"type": "lifespan"}, receive, send)))
        self._life.start()
        assert begun.wait(60)
        return self


class Answer:
    """Status, headers and body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Serve = Callable[..., Asker]


def until(condition: Callable[[], bool]) -> None:
    """Return when something is so; fail when it is not within a minute."""
    pause = threading.Event()
    for _ in range(6000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen")
