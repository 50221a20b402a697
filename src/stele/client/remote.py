"""The store behind a server's address; imported with the first such address, because it brings the HTTP library."""

from __future__ import annotations

from stele.stores.rest import RestStore
from stele.transport import HttpTransport

__all__ = ["open_for_sender", "open_remote"]


def open_remote(uri: str) -> RestStore:
    """The store of the server at ``http://host:port/prefix``.

    Raises:
        InvalidParameterValue: The address is not one of a server.
    """
    return RestStore(HttpTransport(uri))


def open_for_sender(uri: str) -> RestStore:
    """The same for the sender of a journal, which waits and tries again by itself.

    Raises:
        InvalidParameterValue: The address is not one of a server.
    """
    return RestStore(HttpTransport(uri, retries=0))
