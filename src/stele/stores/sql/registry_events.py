"""Who changed what in the registry: written in the transaction of the change, and never changed."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from stele import limits
from stele.stores.sql.core import actor, now_ms
from stele.stores.sql.tables import registry_events

__all__ = ["Change", "record"]


class Change(Struct, frozen=True):
    """What happened.

    Attributes:
        kind: Such as ``alias_set``.
        version: The version that it is about; None for the model.
        subject: The alias, the stage or the key of the tag.
        before: What it was; None for nothing.
        after: What it became.
    """

    kind: str
    version: int | None = None
    subject: str = ""
    before: str | None = None
    after: str | None = None


def record(connection: Connection, model: Any, change: Change, reason: str = "") -> None:
    """Add an event of a registered model, whose row the caller has locked.

    Raises:
        InvalidParameterValue: The reason is too long.
    """
    connection.execute(
        registry_events.insert(),
        {
            "registered": model.registered,
            "name": model.name,
            "time": now_ms(),
            "kind": change.kind,
            "principal": actor()[: limits.MAX_USER_ID_CHARACTERS],
            "version": change.version,
            "subject": change.subject,
            "before": change.before,
            "after": change.after,
            "reason": limits.check_length(reason, limits.MAX_REASON_CHARACTERS, "reason"),
        },
    )
