"""The contract of webhooks, for every :class:`~stele.stores.base.TrackingStore` that keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from stele.errors import DoesNotExist, InvalidParameterValue
from stele.schema import webhooks as wh
from stele.stores.base import TrackingStore
from stele.testing.tracking_calls import unique

__all__ = ["WebhookContract", "events", "new_webhook"]


def events(*names: str) -> list[wh.WebhookEvent]:
    """Events by name."""
    return [wh.WebhookEvent.from_str(name) for name in names]


def new_webhook(store: TrackingStore, *names: str, url: str = "https://example.com/hook", **fields: Any) -> wh.Webhook:
    """A fresh webhook for some events."""
    request = wh.CreateWebhook(name=unique("hook"), url=url, events=events(*names), **fields)
    return store.create_webhook(request).webhook


class WebhookContract:
    """Tests of webhooks as they are kept."""

    def test_webhook_is_read_back_without_its_secret(self, store: TrackingStore) -> None:
        made = new_webhook(store, "model_version.created", "run.finished", description="words", secret="s3cret")  # noqa: S106
        assert (made.url, made.status, made.description) == ("https://example.com/hook", "ACTIVE", "words")
        assert [str(event) for event in made.events] == ["model_version.created", "run.finished"]
        assert made.creation_timestamp == made.last_updated_timestamp > 0
        found = store.get_webhook(wh.WebhookId(webhook_id=made.webhook_id)).webhook
        assert found == made
        assert "s3cret" not in repr(found)

    def test_webhooks_are_changed_and_removed(self, store: TrackingStore) -> None:
        made = new_webhook(store, "model_version.created")
        change = wh.UpdateWebhook(
            webhook_id=made.webhook_id,
            name="other",
            url="https://example.org/x",
            events=events("registered_model.created"),
            status=wh.WebhookStatus.DISABLED,
        )
        found = store.update_webhook(change).webhook
        assert (found.name, found.url, found.status) == ("other", "https://example.org/x", "DISABLED")
        assert [str(event) for event in found.events] == ["registered_model.created"]
        assert store.update_webhook(wh.UpdateWebhook(webhook_id=made.webhook_id)).webhook.name == "other"
        store.delete_webhook(wh.WebhookId(webhook_id=made.webhook_id))
        for call, request in (
            (store.get_webhook, wh.WebhookId(webhook_id=made.webhook_id)),
            (store.delete_webhook, wh.WebhookId(webhook_id=made.webhook_id)),
            (store.update_webhook, wh.UpdateWebhook(webhook_id=made.webhook_id)),
        ):
            operation: Any = call
            with pytest.raises(DoesNotExist):
                operation(request)

    def test_webhooks_are_listed(self, store: TrackingStore) -> None:
        made = [new_webhook(store, "run.finished").webhook_id for _ in range(3)][::-1]
        page = store.list_webhooks(wh.ListWebhooks(max_results=2))
        assert [item.webhook_id for item in page.webhooks] == made[:2]
        following = store.list_webhooks(wh.ListWebhooks(max_results=2, page_token=page.next_page_token))
        assert following.webhooks[0].webhook_id == made[2]
        for fields in ({"max_results": 0}, {"max_results": 1_001}, {"page_token": "!!"}):
            bad: Any = fields
            with pytest.raises(InvalidParameterValue):
                store.list_webhooks(wh.ListWebhooks(**bad))

    @pytest.mark.parametrize(
        "fields",
        [
            {"name": ""},
            {"name": "a b"},
            {"name": "-a"},
            {"name": "x" * 64},
            {"events": []},
            {"secret": ""},
            {"secret": "x" * 1_001},
            *(
                {"url": url}
                for url in (
                    "",
                    "example.com",
                    "http://example.com",
                    "ftp://example.com",
                    "https://",
                    "https://user:x@example.com",
                    "https://localhost/x",
                    "https://127.0.0.1/x",
                    "https://[::1]/x",
                    "https://[::ffff:10.0.0.1]/x",
                    "https://10.0.0.1",
                    "https://169.254.169.254/latest/meta-data",
                    "https://db.internal/x",
                    "https://exa mple.com",
                    "https://example.com:99999/",
                )
            ),
        ],
    )
    def test_bad_webhook(self, store: TrackingStore, fields: dict[str, Any]) -> None:
        good = {"name": "hook", "url": "https://example.com", "events": events("run.finished")}
        with pytest.raises(InvalidParameterValue):
            store.create_webhook(wh.CreateWebhook(**(good | fields)))
        made = new_webhook(store, "run.finished")
        with pytest.raises(InvalidParameterValue):
            store.update_webhook(wh.UpdateWebhook(webhook_id=made.webhook_id, **fields))
        assert store.get_webhook(wh.WebhookId(webhook_id=made.webhook_id)).webhook == made
