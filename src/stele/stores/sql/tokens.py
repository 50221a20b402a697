"""Access tokens in SQL: their SHA-256, never the tokens themselves."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import Connection

from stele.stores.sql.core import StoreCore, now_ms
from stele.stores.sql.tables import access_tokens

__all__ = ["TokenOperations"]

_PREFIX = "stele_"
_RANDOM_BYTES = 32


class TokenOperations(StoreCore):
    """Makes and recognises access tokens; a part of the store that has no route."""

    def principal_of(self, token: str) -> str | None:
        """The name that a token stands for, None when it is not valid."""
        query = access_tokens.select().where(access_tokens.c.digest == _digest(token))
        row = self.db.read(lambda c: c.execute(query).one_or_none())
        return None if row is None else str(row.principal)

    def ensure_admin_token(self, *, renew: bool = False) -> str | None:
        """Make the first token of a database.

        Args:
            renew: Replace every token there is.

        Returns:
            The new token, which nobody can read again; None when there is one already.
        """
        token = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        row = {"digest": _digest(token), "principal": "admin", "creation_time": now_ms()}

        def work(connection: Connection) -> bool:
            if renew:
                connection.execute(access_tokens.delete())
            elif connection.execute(access_tokens.select().limit(1)).first():
                return False
            connection.execute(access_tokens.insert(), row)
            return True

        return token if self.db.write(work) else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
