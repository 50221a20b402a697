"""Access tokens in SQL: their SHA-256, never the tokens themselves."""

from __future__ import annotations

import hashlib
import re
import secrets

from sqlalchemy import Connection, select

from stele.errors import DoesNotExist, InvalidParameterValue, shown
from stele.stores.sql.core import StoreCore, now_ms
from stele.stores.sql.tables import access_tokens

__all__ = ["TokenOperations"]

_PREFIX = "stele_"
_RANDOM_BYTES = 32
_ADMIN = "admin"
_NAME = re.compile(r"[\w.@-]{1,100}", re.ASCII)


class TokenOperations(StoreCore):
    """Makes and recognises access tokens; a part of the store that has no route."""

    def principal_of(self, token: str) -> str | None:
        """The name that a token stands for, None when it is not valid."""
        query = access_tokens.select().where(access_tokens.c.digest == _digest(token))
        row = self.db.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else str(row.principal)

    def token_digests(self, principal: str) -> list[str]:
        """What is kept of the tokens of somebody, the newest first: a secret that only the database knows."""
        c = access_tokens.c
        query = select(c.digest).where(c.principal == principal).order_by(c.creation_time.desc(), c.digest)
        return list(self.db.read(lambda connection: connection.scalars(query).all()))

    def ensure_admin_token(self, *, renew: bool = False) -> str | None:
        """Make the first token of a database.

        Args:
            renew: Replace the tokens of the administrator.

        Returns:
            The new token, which nobody can read again; None when there is one already.
        """
        token, row = _new_token(_ADMIN)
        admins = access_tokens.c.principal == _ADMIN

        def work(connection: Connection) -> bool:
            if renew:
                connection.execute(access_tokens.delete().where(admins))
            elif connection.execute(access_tokens.select().where(admins).limit(1)).first():
                return False
            connection.execute(access_tokens.insert(), row)
            return True

        return token if self.db.write(work) else None

    def create_token(self, principal: str) -> str:
        """A new token for somebody, which nobody can read again.

        Raises:
            InvalidParameterValue: The name is none.
        """
        token, row = _new_token(_checked_name(principal))
        self.db.write(lambda c: c.execute(access_tokens.insert(), row))
        return token

    def list_tokens(self) -> list[tuple[str, int]]:
        """Who has tokens, and since when, in milliseconds since 1970."""
        query = select(access_tokens.c.principal, access_tokens.c.creation_time).order_by(
            access_tokens.c.principal, access_tokens.c.creation_time
        )
        return [(str(name), int(made)) for name, made in self.db.read(lambda c: c.execute(query).all())]

    def revoke_tokens(self, principal: str) -> int:
        """Take all tokens of somebody away; returns how many there were.

        Raises:
            DoesNotExist: Nobody of this name has one.
        """
        remove = access_tokens.delete().where(access_tokens.c.principal == principal)
        count = self.db.write(lambda c: c.execute(remove).rowcount)
        if not count:
            raise DoesNotExist(f"Nobody has a token under the name {shown(principal)}.")
        return count


def _new_token(principal: str) -> tuple[str, dict[str, object]]:
    token = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    return token, {"digest": _digest(token), "principal": principal, "creation_time": now_ms()}


def _checked_name(principal: str) -> str:
    if not _NAME.fullmatch(principal):
        raise InvalidParameterValue(
            f"{shown(principal)} is no name of a token's owner: letters, digits and .@_- are allowed, 1 to 100 of them."
        )
    return principal


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
