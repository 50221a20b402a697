"""What ``stele models serve`` was told, as one value that every worker process receives."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = ["ServingConfig"]


class ServingConfig(Struct, frozen=True, kw_only=True):
    """The options of a scoring server.

    Attributes:
        model_uri: Which model: a path, ``runs:/...``, ``models:/name/3``, ``models:/name@alias``.
        tracking_uri: The store that resolves it; "" for none.
        trust: Whether files may run code though nobody vouches for them, see ``models/trust.py``.
        host: Address to listen on.
        port: TCP port, 0 for any free one.
        workers: Processes that serve.
        threads: Predictions that run at the same time in a process; more than 1 wants a model that allows it.
        timeout_seconds: How long a request may take.
        max_body_bytes: The largest body that is read.
        batching: Whether concurrent requests are predicted together: ``auto`` does it for flavors whose models predict
            each row by itself.
        max_batch_rows: The most rows of a batch.
        batch_delay_ms: How long a request may wait for others while nothing is being predicted.
        follow_alias: Whether another version takes over when the alias in ``model_uri`` moves.
        follow_seconds: How often the alias is looked up.
        allowed_hosts: Host names the server answers to beside its own; ``*`` allows any.
        allowed_origins: Foreign web origins that may send requests.
        sample_rate: Share of the requests whose inputs and outputs are kept in the tracking store, 0 to 1.
        sample_experiment: Name of the experiment that keeps them.
        log_format: ``text``, ``json``, or ``off`` for no line a request.
    """

    model_uri: str
    tracking_uri: str = ""
    trust: bool = False
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    threads: int = 1
    timeout_seconds: float = 60.0
    max_body_bytes: int = 64 * 1024 * 1024
    batching: Literal["auto", "on", "off"] = "auto"
    max_batch_rows: int = 1024
    batch_delay_ms: float = 0.0
    follow_alias: bool = False
    follow_seconds: float = 5.0
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    sample_rate: float = 0.0
    sample_experiment: str = ""
    log_format: str = "text"
