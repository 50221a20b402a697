"""Tickets: addresses of single files that work without a token, for a while.

A page sends its token with what it fetches, but a browser sends none for an image, a frame or a link. So the page asks
for a ticket, which opens one file of one run or model for an hour, whoever holds it: a page of HTML in a frame can read
its own address, and must not learn more from it than it is.

A ticket is signed with what the database keeps of its owner's tokens. Every process on the database knows it, nothing
of it is stored, and it dies with the tokens.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from stele.artifacts.paths import normalise
from stele.errors import Unauthenticated
from stele.schema.artifacts import ArtifactOwner, CreateTicket, TicketResponse
from stele.server.auth import ANONYMOUS, Principal
from stele.stores.base import ACTOR
from stele.stores.sql import SqlStore

__all__ = ["Tickets"]

_SECONDS = 3_600
_FIELDS = (*ArtifactOwner.__struct_fields__, "path")
_PURPOSE = "stele file ticket"
_MOST_CHARACTERS = 1_000


class _Ticket(Struct, array_like=True, forbid_unknown_fields=True):
    principal: str
    expiration_time: int
    signature: str


_decoder = msgspec.json.Decoder(_Ticket)


class Tickets:
    """Makes and accepts tickets.

    Args:
        store: Knows the tokens.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def create_ticket(self, request: CreateTicket) -> TicketResponse:
        """A ticket for one file or directory.

        Raises:
            InvalidParameterValue: The path is not allowed.
        """
        principal, expires = ACTOR.get(), int(time.time() + _SECONDS) * 1000
        keys = self._store.token_digests(principal)
        if not keys:  # whoever reaches this server may read everything
            return TicketResponse(ticket="", expiration_time=expires)
        what = [getattr(request, name) for name in _FIELDS]
        ticket = _Ticket(principal, expires, _signature(keys[0], principal, expires, what))
        text = urlsafe_b64encode(msgspec.json.encode(ticket)).rstrip(b"=").decode()
        return TicketResponse(ticket=text, expiration_time=expires)

    def principal_of(self, query: Mapping[str, str]) -> Principal:
        """Whose ticket stands in the query of a request for the file that it names; without one the anonymous one.

        Raises:
            Unauthenticated: The ticket is of another file, has expired, or is none.
        """
        if "ticket" not in query:
            return ANONYMOUS
        ticket = _decoded(query["ticket"])
        what = [query.get(name, "") for name in _FIELDS]
        if ticket is not None and ticket.expiration_time > time.time() * 1000:
            for key in self._store.token_digests(ticket.principal):
                expected = _signature(key, ticket.principal, ticket.expiration_time, what)
                if hmac.compare_digest(expected.encode(), ticket.signature.encode()):
                    return Principal(ticket.principal, admin=True)
        raise Unauthenticated("The ticket has expired, or it is not for this file.")


def _signature(key: str, principal: str, expires: int, what: list[str]) -> str:
    *owner, path = what
    signed = msgspec.json.encode([_PURPOSE, principal, expires, *owner, normalise(path)])
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def _decoded(text: str) -> _Ticket | None:
    if len(text) > _MOST_CHARACTERS:
        return None
    try:
        return _decoder.decode(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        return None
