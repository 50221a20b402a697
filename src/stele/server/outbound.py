"""The one function with which a server speaks to an address that a user gave.

It asks for the host's addresses itself, refuses them all when one of them is not public, and connects to one of those
that it has checked, so that nobody can change the answer in between. It follows no redirect, uses no proxy, and reads
the beginning of the answer only.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from stele.errors import PermissionDenied, Unavailable, shown

__all__ = ["Answer", "Rules", "is_public", "post"]

_MOST_BYTES = 4_096
_MOST_CHARACTERS = 1_000
_PORTS = {"https": 443, "http": 80}
# Its addresses end with one of IPv4, which `ipaddress` tells of mapped, 6to4 and Teredo ones, not of these.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Rules(Struct, frozen=True):
    """What may be spoken to.

    Attributes:
        schemes: Such as ``https``.
        private: Whether addresses of this machine and of private networks may be, too.
        seconds: How long it may take in all.
    """

    schemes: tuple[str, ...]
    private: bool
    seconds: float


class Answer(Struct, frozen=True):
    """The status of an answer, and the beginning of its text."""

    status: int
    text: str


def post(url: str, body: bytes, headers: Mapping[str, str], rules: Rules) -> Answer:
    """Send a body and return what comes back.

    Raises:
        PermissionDenied: The rules forbid the address.
        Unavailable: It does not answer, or not in time.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in rules.schemes or host is None or parts.username is not None:
        raise PermissionDenied(f"{shown(url)} is not an address that this server may speak to.")
    port = parts.port or _PORTS[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _connected(_checked_address(host, port, rules), rules.seconds) as plain:
            channel = _wrapped(plain, host) if parts.scheme == "https" else plain
            with channel, _stopped_after(rules.seconds, channel) as stopped:
                if isinstance(channel, ssl.SSLSocket):
                    channel.do_handshake()
                answer = _exchange(channel, host, port, target, body, headers)
            if stopped.is_set():  # what was read is the beginning of an answer
                raise TimeoutError
            return answer
    except (OSError, http.client.HTTPException, ValueError) as e:
        raise Unavailable(f"{shown(host)} does not answer: {type(e).__name__}.") from e


def is_public(address: str) -> bool:
    """Whether an address belongs to the Internet, and so does every address that is packed into it."""
    found: Any = ipaddress.ip_address(address.partition("%")[0])
    if found.version == 6:
        packed = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            packed = ipaddress.ip_address(int(found) & 0xFFFFFFFF)
        if packed is not None:
            return is_public(str(packed))
    return bool(found.is_global) and not found.is_multicast


def _checked_address(host: str, port: int, rules: Rules) -> tuple[int, Any]:
    """Family and address of a host whose addresses all may be spoken to.

    Raises:
        PermissionDenied: One of them may not.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not rules.private and not all(is_public(str(address[0])) for *_, address in found):
        raise PermissionDenied(f"{shown(host)} is in a private network, to which this server may not speak.")
    family, _, _, _, address = found[0]
    return family, address


@contextmanager
def _connected(address: tuple[int, Any], seconds: float) -> Iterator[socket.socket]:
    family, place = address
    with socket.socket(family, socket.SOCK_STREAM) as plain:
        plain.settimeout(seconds)
        plain.connect(place)
        yield plain


def _wrapped(plain: socket.socket, host: str) -> ssl.SSLSocket:
    # The handshake comes when the time is running.
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


@contextmanager
def _stopped_after(seconds: float, channel: socket.socket) -> Iterator[threading.Event]:
    """Shut a connection down after a time, whatever the other side does: one byte a second is no answer.

    The event says that it was.
    """
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        with contextlib.suppress(OSError):
            channel.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield stopped
    finally:
        timer.cancel()


def _exchange(
    channel: socket.socket, host: str, port: int, target: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    connection = http.client.HTTPConnection(host, port)
    connection.sock = channel
    connection.request("POST", target, body, dict(headers))
    response = connection.getresponse()
    text = response.read(_MOST_BYTES).decode(errors="replace")[:_MOST_CHARACTERS]
    return Answer(response.status, text)
