"""What a server was told on its command line, as one value that every worker process receives."""

from __future__ import annotations

import ipaddress

from msgspec import Struct

__all__ = ["ServerConfig", "is_loopback"]


class ServerConfig(Struct, frozen=True, kw_only=True):
    """The options of ``stele server``.

    Attributes:
        backend_store_uri: The database.
        default_artifact_root: Where new experiments keep files; ``mlflow-artifacts:/`` means through this server.
        artifacts_destination: Where the server keeps the files that go through it.
        serve_artifacts: Whether files go through the server at all.
        host: Address to listen on.
        port: TCP port, 0 for any free one.
        workers: Processes that serve.
        static_prefix: Path in front of every address, such as ``/stele``; "" for none.
        allowed_hosts: Host names the server answers to beside its own; ``*`` allows any.
        allowed_origins: Foreign web origins that may send writes.
        require_token: Whether every request needs an access token.
        log_format: ``text`` or ``json``.
    """

    backend_store_uri: str
    default_artifact_root: str = "mlflow-artifacts:/"
    artifacts_destination: str = "./stele-artifacts"
    serve_artifacts: bool = True
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    static_prefix: str = ""
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    require_token: bool = False
    log_format: str = "text"

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can connect."""
        return is_loopback(self.host)

    @property
    def is_shared(self) -> bool:
        """Whether others can reach the server: over the network, or through a proxy under another name."""
        return not self.is_loopback or bool(self.allowed_hosts)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
