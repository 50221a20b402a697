"""Which requests are let in at all, before anybody looks at what they ask.

A page of another site can make a browser send requests to a server on the visitor's machine (CSRF), or give its own
name this machine's address (DNS rebinding). Against the first, a write needs a same-origin or no ``Origin``, and
JSON; against the second, the ``Host`` header must name this server. Both hold on every path.
"""

from __future__ import annotations

import ipaddress
import socket

from stele.errors import InvalidParameterValue, PermissionDenied, shown
from stele.server.config import ServerConfig, is_loopback

__all__ = ["HEADERS", "RequestGuard", "require_content_type"]

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
}
"""Sent with every answer that does not set its own."""

# Answered for any Host, because a load balancer asks for them by address.
_ANY_HOST = ("/health", "/version")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class RequestGuard:
    """Checks the headers of a request against what the server was told about its names."""

    def __init__(self, config: ServerConfig) -> None:
        self._any_host = "*" in config.allowed_hosts
        self._hosts = {"localhost", config.host.strip("[]").lower(), *map(str.lower, config.allowed_hosts)}
        self._origins = {origin.lower().rstrip("/") for origin in config.allowed_origins}
        self._loopback_only = config.is_loopback
        if not config.is_loopback:
            self._hosts.add(socket.gethostname().lower())

    def check(self, method: str, path: str, headers: dict[str, str]) -> None:
        """Let a request pass, or not.

        Args:
            method: In capitals.
            path: Without the static prefix.
            headers: By name in lower case.

        Raises:
            PermissionDenied: The Host or the Origin is foreign.
        """
        host = headers.get("host", "")
        if path not in _ANY_HOST and not self._is_our_name(host):
            raise PermissionDenied(
                f"This server does not answer to the host {shown(host)}. "
                "Start it with --allowed-hosts to add a name it is reached by."
            )
        if method not in _SAFE_METHODS:
            self._check_origin(host, headers)

    def _is_our_name(self, host: str) -> bool:
        if self._any_host:
            return True
        name, port = _split_host(host)
        if name is None:
            return False
        if name in self._hosts or f"{name}:{port}" in self._hosts:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # A numeric address in Host means that no name was rebound.
        return address.is_loopback if self._loopback_only else address.is_loopback or address.is_private

    def _check_origin(self, host: str, headers: dict[str, str]) -> None:
        origin = headers.get("origin", "").lower().rstrip("/")
        if origin and origin not in self._origins:
            scheme, _, authority = origin.partition("://")
            name, _ = _split_host(authority)
            ours = scheme in ("http", "https") and (
                authority == host.lower() or (self._loopback_only and name is not None and is_loopback(name))
            )
            if not ours:
                raise PermissionDenied(f"A page of {shown(origin)} may not write to this server (--allowed-origins).")
        elif not origin and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise PermissionDenied("A page of another site may not write to this server.")


def _split_host(host: str) -> tuple[str | None, str]:
    """Name (in lower case, without brackets) and port of a Host header; no name when it is malformed."""
    host = host.lower()
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return (name, rest.removeprefix(":")) if bracket and (not rest or rest[0] == ":") else (None, "")
    name, _, port = host.partition(":")
    if not name or "@" in name or (port and not port.isdigit()):
        return None, ""
    return name, port


def require_content_type(content_type: str, *others: str) -> str:
    """The media type of a write, when it is JSON or one of ``others``: a form on a foreign page cannot declare these.

    Raises:
        InvalidParameterValue: It is declared as something else.
    """
    kind = content_type.partition(";")[0].strip().lower()
    allowed = ("application/json", *others)
    if kind not in allowed:
        raise InvalidParameterValue(
            f"Content-Type {shown(content_type)} is not allowed here; send {' or '.join(allowed)}."
        )
    return kind
