"""Webhooks: addresses that a server tells when something happens."""

from __future__ import annotations

from collections.abc import Sequence

from stele.client.calls.base import StoreCalls
from stele.client.paged_list import PagedList
from stele.errors import InvalidParameterValue, shown
from stele.schema import webhooks as wh
from stele.schema.webhooks import Webhook, WebhookEvent, WebhookStatus, WebhookTestResult

__all__ = ["WebhookCalls"]


class WebhookCalls(StoreCalls):
    """The part of a client that is about webhooks. An event is named as in ``model_version.created``."""

    def create_webhook(
        self,
        name: str,
        url: str,
        events: Sequence[str | WebhookEvent],
        description: str | None = None,
        secret: str | None = None,
        status: str | WebhookStatus | None = None,
    ) -> Webhook:
        """Let a server tell an address of events.

        Args:
            name: 1 to 63 letters, digits, ``.``, ``_`` and ``-``.
            url: An address of the Internet, with ``https``.
            events: What it is told of.
            description: Free text.
            secret: What deliveries are signed with. Nobody can read it again.
            status: ``ACTIVE`` or ``DISABLED``; None means active.

        Raises:
            InvalidParameterValue: An argument is not allowed.
        """
        request = wh.CreateWebhook(
            name=name,
            url=url,
            events=[_event(event) for event in events],
            description=description or "",
            secret=secret,
            status=_status(status) or WebhookStatus.ACTIVE,
        )
        return self._registry.create_webhook(request).webhook

    def get_webhook(self, webhook_id: str) -> Webhook:
        """A webhook, without its secret.

        Raises:
            DoesNotExist: There is none with this id.
        """
        return self._registry.get_webhook(wh.WebhookId(webhook_id=webhook_id)).webhook

    def list_webhooks(self, max_results: int | None = None, page_token: str | None = None) -> PagedList[Webhook]:
        """One page of webhooks, the newest first.

        Args:
            max_results: Size of the page, up to 1000; None means 100.
            page_token: Token of the page before.
        """
        request = wh.ListWebhooks(page_token=page_token or "")
        if max_results is not None:
            request.max_results = max_results
        response = self._registry.list_webhooks(request)
        return PagedList(response.webhooks, response.next_page_token)

    def update_webhook(
        self,
        webhook_id: str,
        name: str | None = None,
        description: str | None = None,
        url: str | None = None,
        events: Sequence[str | WebhookEvent] | None = None,
        secret: str | None = None,
        status: str | WebhookStatus | None = None,
    ) -> Webhook:
        """Change a webhook; what is None stays. The arguments are those of :meth:`create_webhook`.

        Raises:
            DoesNotExist: There is no such webhook.
            InvalidParameterValue: An argument is not allowed.
        """
        request = wh.UpdateWebhook(
            webhook_id=webhook_id,
            name=name,
            description=description,
            url=url,
            events=None if events is None else [_event(event) for event in events],
            secret=secret,
            status=_status(status),
        )
        return self._registry.update_webhook(request).webhook

    def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook; what waits for it is not delivered.

        Raises:
            DoesNotExist: There is no such webhook.
        """
        self._registry.delete_webhook(wh.WebhookId(webhook_id=webhook_id))

    def test_webhook(self, webhook_id: str, event: str | WebhookEvent | None = None) -> WebhookTestResult:
        """Let the server send an example at once.

        Args:
            webhook_id: The webhook.
            event: What it is an example of; None means the first event of the webhook.

        Raises:
            DoesNotExist: There is no such webhook.
            NotImplementedHere: The store is not behind a server.
        """
        request = wh.TestWebhook(webhook_id=webhook_id, event=None if event is None else _event(event))
        return self._registry.test_webhook(request).result


def _event(event: str | WebhookEvent) -> WebhookEvent:
    return event if isinstance(event, WebhookEvent) else WebhookEvent.from_str(event)


def _status(status: str | WebhookStatus | None) -> WebhookStatus | None:
    if status is not None and str(status) not in list(WebhookStatus):
        raise InvalidParameterValue(f"status {shown(str(status))} is not one of {', '.join(WebhookStatus)}.")
    return None if status is None else WebhookStatus(str(status))
