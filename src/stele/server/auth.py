"""Who is asking: access tokens and principals.

A server on this machine alone has one principal, the owner. Elsewhere every request carries an access token, as
``Authorization: Bearer <token>`` or as the password of basic authentication.
"""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

import anyio.to_thread
from msgspec import Struct

from stele.errors import Unauthenticated
from stele.stores.sql import SqlStore

__all__ = ["ANONYMOUS", "OWNER", "PRINCIPAL", "Authenticator", "OwnerOnly", "Principal", "TokenAuthenticator"]


class Principal(Struct, frozen=True):
    """Somebody who may do something; ``admin`` may do everything."""

    name: str
    admin: bool = False


OWNER = Principal("owner", admin=True)
"""Whoever can reach a server that listens on this machine alone."""

ANONYMOUS = Principal("anonymous")
"""Somebody without credentials."""

PRINCIPAL = "stele.principal"
"""Where the scope of a request has its principal."""


class Authenticator(Protocol):
    """Tells who sends a request."""

    async def identify(self, authorization: str) -> Principal:
        """The principal of an ``Authorization`` header, "" when there is none.

        Raises:
            Unauthenticated: The credentials are wrong.
        """
        ...


class OwnerOnly:
    """Everybody is the owner: for a server that only this machine reaches."""

    async def identify(self, authorization: str) -> Principal:
        """The owner."""
        return OWNER


class TokenAuthenticator:
    """Access tokens from the database."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def identify(self, authorization: str) -> Principal:
        """As :meth:`Authenticator.identify`; without credentials the anonymous principal."""
        token = _token(authorization)
        if not token:
            return ANONYMOUS
        # The database may be slow, and the event loop serves everybody.
        name = await anyio.to_thread.run_sync(self._store.principal_of, token)
        if name is None:
            raise Unauthenticated("The access token is not valid.")
        return Principal(name, admin=True)


def _token(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError) as e:
            raise Unauthenticated("The Authorization header is malformed.") from e
    if authorization:
        raise Unauthenticated("The Authorization header is neither Bearer nor Basic.")
    return ""
