"""Webhooks in SQL, and what is to be delivered to them.

A delivery is a row that is written in the transaction of the change it is about, so none is lost and none is about
something that did not happen. A server takes what is due, and removes it when it has arrived.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select, update

from stele import limits, settings
from stele.errors import DoesNotExist, InvalidParameterValue, NotImplementedHere, shown
from stele.schema import webhooks as wh
from stele.schema.codec import encode, required
from stele.schema.experiments import Empty
from stele.search.page import Position, decode_token, encode_token, fingerprint
from stele.stores.sql.core import StoreCore, now_ms
from stele.stores.sql.model_tables import WEBHOOK_ACTIVE, WEBHOOK_DISABLED, webhook_deliveries, webhooks

__all__ = ["Delivery", "WebhookOperations", "enqueue", "is_anybody_told", "sample_data"]

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[a-zA-Z0-9](?:[\w.\-]{0,61}[a-zA-Z0-9])?", re.ASCII)
_STATUS = {WEBHOOK_ACTIVE: "ACTIVE", WEBHOOK_DISABLED: "DISABLED"}
_STATUS_NUMBERS = {name: number for number, name in _STATUS.items()}
_MOST_WAITING = 10_000
"""Of one webhook; what happens beyond is not told, and a warning says so."""

_LEASE_MS = 120_000
"""For so long a delivery belongs to the server that took it; if that is killed, another one takes it then."""

_PAUSES_MS = (10_000, 60_000, 300_000, 1_800_000, 7_200_000)
"""After the first attempt, the second, ...; after the last one a delivery is given up."""

_w, _d = webhooks.c, webhook_deliveries.c
_ACTIVE = _w.status == WEBHOOK_ACTIVE


class Delivery(Struct, frozen=True):
    """Something to tell.

    Attributes:
        delivery: Its row number; 0 when it is not kept.
        delivery_id: What the receiver may tell repetitions by.
        url: Where it goes.
        secret: What it is signed with, if with anything. Never logged.
        payload: JSON.
        attempts: How often it was tried.
    """

    delivery: int
    delivery_id: str
    url: str
    secret: str | None
    payload: str
    attempts: int

    def __repr__(self) -> str:
        return f"Delivery({self.delivery_id!r}, attempts={self.attempts})"


class WebhookOperations(StoreCore):
    """The part of a store that knows who is to be told."""

    def create_webhook(self, request: wh.CreateWebhook) -> wh.WebhookResponse:
        now = now_ms()
        row = {
            "webhook_id": str(uuid.uuid4()),
            "name": _checked_name(request.name),
            "description": limits.check_length(request.description, limits.MAX_DESCRIPTION_CHARACTERS, "description"),
            "url": _checked_url(request.url),
            "events": _checked_events(request.events),
            "status": _STATUS_NUMBERS[request.status],
            "secret": _checked_secret(request.secret),
            "creation_time": now,
            "last_update_time": now,
        }

        def work(connection: Connection) -> wh.WebhookResponse:
            connection.execute(webhooks.insert(), row)
            return _response(connection, str(row["webhook_id"]))

        return self.db.write(work)

    def get_webhook(self, request: wh.WebhookId) -> wh.WebhookResponse:
        return self.db.read(lambda c: _response(c, request.webhook_id))

    def list_webhooks(self, request: wh.ListWebhooks) -> wh.ListWebhooksResponse:
        most = limits.check_max_results(request.max_results, limits.MAX_WEBHOOKS_PAGE)
        mark = fingerprint("webhooks")
        position = decode_token(request.page_token, mark, [int])
        query = select(webhooks).order_by(_w.webhook.desc()).limit(most + 1)
        if position is not None:
            query = query.where(_w.webhook < position.values[0])
        rows = self.db.read(lambda c: c.execute(query).all())
        token = encode_token(Position((rows[most - 1].webhook,), 0), mark) if len(rows) > most else ""
        return wh.ListWebhooksResponse(webhooks=[_entity(row) for row in rows[:most]], next_page_token=token)

    def update_webhook(self, request: wh.UpdateWebhook) -> wh.WebhookResponse:
        checks: dict[str, Callable[[Any], Any]] = {
            "name": _checked_name,
            "description": lambda text: limits.check_length(text, limits.MAX_DESCRIPTION_CHARACTERS, "description"),
            "url": _checked_url,
            "events": _checked_events,
            "secret": _checked_secret,
            "status": lambda status: _STATUS_NUMBERS[status],
        }
        given = {name: getattr(request, name) for name in checks}
        changes = {name: checks[name](value) for name, value in given.items() if value is not None}

        def work(connection: Connection) -> wh.WebhookResponse:
            row = _found(connection, request.webhook_id, lock=True)
            values = changes | {"last_update_time": now_ms()}
            connection.execute(update(webhooks).where(_w.webhook == row.webhook).values(**values))
            return _response(connection, request.webhook_id)

        return self.db.write(work)

    def delete_webhook(self, request: wh.WebhookId) -> Empty:
        def work(connection: Connection) -> Empty:
            row = _found(connection, request.webhook_id, lock=True)
            connection.execute(delete(webhook_deliveries).where(_d.webhook == row.webhook))
            connection.execute(delete(webhooks).where(_w.webhook == row.webhook))
            return Empty()

        return self.db.write(work)

    def test_webhook(self, request: wh.TestWebhook) -> wh.TestWebhookResponse:
        raise NotImplementedHere(
            f"A server sends webhooks, a store only keeps them; {shown(request.webhook_id)} was not tried."
        )

    def webhook_delivery(self, webhook_id: str, event: wh.WebhookEvent | None) -> Delivery:
        """An example of a delivery, which is not kept.

        Raises:
            DoesNotExist: There is no such webhook.
        """
        row = self.db.read(lambda c: _found(c, webhook_id))
        name = str(event) if event is not None else row.events.split()[0]
        if name not in wh.EVENTS:
            raise InvalidParameterValue(f"{shown(name)} is no event of a webhook.")
        return Delivery(0, str(uuid.uuid4()), row.url, row.secret, _payload(name, sample_data(name)), 0)

    def take_deliveries(self, most: int) -> list[Delivery]:
        """Deliveries that are due; for two minutes nobody else takes them."""

        def work(connection: Connection) -> list[Delivery]:
            now = now_ms()
            active = {row.webhook: row for row in connection.execute(select(webhooks).where(_ACTIVE))}
            query = (
                select(webhook_deliveries)
                .where(_d.due_time <= now, _d.webhook.in_(active))
                .order_by(_d.due_time, _d.delivery)
                .limit(most)
                .with_for_update(skip_locked=True)
            )
            rows = connection.execute(query).all()
            numbers = [row.delivery for row in rows]
            if numbers:
                later = {"due_time": now + _LEASE_MS, "attempts": _d.attempts + 1}
                connection.execute(update(webhook_deliveries).where(_d.delivery.in_(numbers)).values(**later))
            places = [(row, active[row.webhook]) for row in rows]
            return [
                Delivery(row.delivery, row.delivery_id, place.url, place.secret, row.payload, row.attempts)
                for row, place in places
            ]

        if not self.db.read(lambda c: c.scalar(select(_d.delivery).where(_d.due_time <= now_ms()).limit(1))):
            return []
        return self.db.write(work)

    def finish_delivery(self, delivery: Delivery, *, arrived: bool) -> None:
        """Remove a delivery that has arrived; try another one later, or give it up after five times."""
        own = _d.delivery == delivery.delivery

        def work(connection: Connection) -> None:
            if arrived or delivery.attempts >= len(_PAUSES_MS):
                connection.execute(delete(webhook_deliveries).where(own))
            else:
                later = now_ms() + _PAUSES_MS[delivery.attempts]
                connection.execute(update(webhook_deliveries).where(own).values(due_time=later))

        self.db.write(work)
        if not arrived and delivery.attempts >= len(_PAUSES_MS):
            logger.warning("webhook delivery %s is given up after %d attempts", delivery.delivery_id, delivery.attempts)


def is_anybody_told(connection: Connection) -> bool:
    """Whether there is an active webhook."""
    return connection.scalar(select(_w.webhook).where(_ACTIVE).limit(1)) is not None


def enqueue(connection: Connection, event: str, data: Callable[[], dict[str, Any]]) -> None:
    """Keep a delivery for each webhook that wants to know of an event, in the transaction of the change.

    Args:
        connection: The transaction.
        event: Such as ``model_version.created``.
        data: What to tell; called only when somebody wants to know.
    """
    rows = connection.execute(select(_w.webhook, _w.events).where(_ACTIVE)).all()
    wanted = [row.webhook for row in rows if event in row.events.split()]
    if not wanted:
        return
    waiting = select(_d.webhook, func.count()).where(_d.webhook.in_(wanted)).group_by(_d.webhook)
    full = {webhook for webhook, count in connection.execute(waiting) if count >= _MOST_WAITING}
    for webhook in full:
        logger.warning("webhook %d has %d deliveries that wait; %s is not told", webhook, _MOST_WAITING, event)
    payload = _payload(event, data())
    now = now_ms()
    fresh = [
        {"delivery_id": str(uuid.uuid4()), "webhook": webhook, "payload": payload, "attempts": 0, "due_time": now}
        for webhook in wanted
        if webhook not in full
    ]
    if fresh:
        connection.execute(webhook_deliveries.insert(), fresh)


def _payload(event: str, data: dict[str, Any]) -> str:
    entity, _, action = event.partition(".")
    moment = datetime.now(UTC).isoformat()
    return encode({"entity": entity, "action": action, "timestamp": moment, "data": data}).decode()


def sample_data(event: str) -> dict[str, Any]:
    """What a delivery of an event looks like."""
    entity = event.partition(".")[0]
    name: dict[str, Any] = {"name": "example"}
    version = name | {"version": "1"}
    if entity in ("registered_model", "prompt"):
        return name | {"tags": {"example": "yes"}, "description": "An example"}
    if entity in ("model_version", "prompt_version"):
        return version | {"source": "models:/m-" + "0" * 32, "run_id": "0" * 32, "tags": {}, "description": ""}
    if entity.endswith("_alias"):
        return version | {"alias": "champion"}
    if entity == "model_version_stage":
        return version | {"from_stage": "None", "to_stage": "Staging"}
    if entity == "run":
        return {"run_id": "0" * 32, "run_name": "example", "experiment_id": "0", "status": "FINISHED"}
    return (version if entity != "prompt_tag" else name) | {"key": "example", "value": "yes"}


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(required(name, "name")):
        raise InvalidParameterValue(
            f"name {shown(name)} cannot name a webhook: 1 to 63 letters, digits, '.', '_' and '-', "
            "a letter or digit at both ends."
        )
    return name


def _checked_url(url: str) -> str:
    """The address, when a server may be asked to speak to it as far as that can be told without asking for its name.

    Raises:
        InvalidParameterValue: It is not.
    """
    limits.check_length(required(url, "url"), limits.MAX_SOURCE_CHARACTERS, "url")
    schemes = [scheme.strip() for scheme in settings.WEBHOOK_SCHEMES.get().split(",")]
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as e:
        raise InvalidParameterValue(f"url {shown(url)} is not an address.") from e
    if parts.scheme not in schemes or not host or parts.username or parts.password or re.search(r"[\s\\]", url):
        raise InvalidParameterValue(
            f"url {shown(url)} is not a full address with one of the schemes {', '.join(schemes)} "
            f"({settings.WEBHOOK_SCHEMES.name}) and without a user."
        )
    if not settings.WEBHOOK_PRIVATE.get() and _is_private(host):
        raise InvalidParameterValue(
            f"url {shown(url)} is an address of this machine or of a private network ({settings.WEBHOOK_PRIVATE.name})."
        )
    return url


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False  # a name: what it stands for is checked when it is connected to


def _checked_events(events: Sequence[wh.WebhookEvent]) -> str:
    if not events:
        raise InvalidParameterValue("events is empty. A webhook needs at least one.")
    return " ".join(dict.fromkeys(str(wh.WebhookEvent.from_str(str(event))) for event in events))


def _checked_secret(secret: str | None) -> str | None:
    if secret is None:
        return None
    if not secret or len(secret) > limits.MAX_SECRET_CHARACTERS or "\0" in secret:
        raise InvalidParameterValue(f"secret has to have 1 to {limits.MAX_SECRET_CHARACTERS} characters.")
    return secret


def _found(connection: Connection, webhook_id: str, *, lock: bool = False) -> Any:
    query = select(webhooks).where(_w.webhook_id == required(webhook_id, "webhook_id"))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise DoesNotExist(f"There is no webhook {shown(webhook_id)}.")
    return row


def _response(connection: Connection, webhook_id: str) -> wh.WebhookResponse:
    return wh.WebhookResponse(webhook=_entity(_found(connection, webhook_id)))


def _entity(row: Any) -> wh.Webhook:
    return wh.Webhook(
        webhook_id=row.webhook_id,
        name=row.name,
        url=row.url,
        events=[wh.WebhookEvent.from_str(name) for name in row.events.split()],
        status=_STATUS[row.status],
        creation_timestamp=row.creation_time,
        last_updated_timestamp=row.last_update_time,
        description=row.description or None,
    )
