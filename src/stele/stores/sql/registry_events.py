"""Who changed what in the registry: written in the transaction of the change, and never changed."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, or_, select

from stele import limits
from stele.schema import governance as g
from stele.search.page import Position, decode_token, encode_token, fingerprint
from stele.stores.sql.announcements import announce_change
from stele.stores.sql.core import StoreCore, actor, now_ms
from stele.stores.sql.model_tables import registered_models, registry_events
from stele.stores.sql.registry_rows import normal_name, version_number

__all__ = ["Change", "RegistryEventOperations", "record"]

_e = registry_events.c


class RegistryEventOperations(StoreCore):
    """The part of the registry that remembers."""

    def search_registry_events(self, request: g.SearchRegistryEvents) -> g.SearchRegistryEventsResponse:
        limits.check_max_results(request.max_results, limits.MAX_EVENTS_PAGE)
        mark = fingerprint(
            "registry events",
            request.name,
            request.version,
            sorted(request.kinds),
            request.subject,
            request.principal,
            request.since,
        )
        position = decode_token(request.page_token, mark, [int])
        query = select(registry_events).order_by(_e.event.desc()).limit(request.max_results + 1)
        if request.name:
            name = normal_name(request.name)
            now = select(registered_models.c.registered).where(registered_models.c.name == name)
            query = query.where(or_(_e.registered == now.scalar_subquery(), _e.name == name))
        if request.version:
            query = query.where(_e.version == version_number(request.version))
        for column, value in ((_e.subject, request.subject), (_e.principal, request.principal)):
            if value:
                query = query.where(column == value)
        if request.kinds:
            query = query.where(_e.kind.in_(request.kinds))
        if request.since:
            query = query.where(_e.time >= request.since)
        if position is not None:
            query = query.where(_e.event < position.values[0])
        rows = self.db.read(lambda c: c.execute(query).all())
        token = ""
        if len(rows) > request.max_results:
            rows = rows[: request.max_results]
            token = encode_token(Position((rows[-1].event,), 0), mark)
        return g.SearchRegistryEventsResponse(events=[_entity(row) for row in rows], next_page_token=token)


def _entity(row: Any) -> g.RegistryEvent:
    return g.RegistryEvent(
        event_id=row.event,
        time=row.time,
        kind=row.kind,
        principal=row.principal,
        name=row.name,
        version="" if row.version is None else str(row.version),
        subject=row.subject,
        before=row.before,
        after=row.after,
        reason=row.reason,
    )


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
    """Add an event of a registered model, whose row the caller has locked, and tell the webhooks.

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
    announce_change(connection, model, change, reason)
