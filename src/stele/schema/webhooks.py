"""Webhooks: addresses that are told when something happens."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from stele.errors import InvalidParameterValue, shown
from stele.schema.codec import Int64, Message

__all__ = [
    "EVENTS",
    "CreateWebhook",
    "ListWebhooks",
    "ListWebhooksResponse",
    "TestWebhook",
    "TestWebhookResponse",
    "UpdateWebhook",
    "Webhook",
    "WebhookEvent",
    "WebhookId",
    "WebhookResponse",
    "WebhookStatus",
    "WebhookTestResult",
]

EVENTS = frozenset(
    """
    registered_model.created model_version.created model_version_tag.set model_version_tag.deleted
    model_version_alias.created model_version_alias.deleted prompt.created prompt_version.created prompt_tag.set
    prompt_tag.deleted prompt_version_tag.set prompt_version_tag.deleted prompt_alias.created prompt_alias.deleted
    model_version_stage.changed run.finished
    """.split()
)
"""What can be told. The last two are Stele's."""

EntityName = Literal[
    "REGISTERED_MODEL", "MODEL_VERSION", "MODEL_VERSION_TAG", "MODEL_VERSION_ALIAS", "PROMPT", "PROMPT_VERSION",
    "PROMPT_TAG", "PROMPT_VERSION_TAG", "PROMPT_ALIAS", "MODEL_VERSION_STAGE", "RUN",
]  # fmt: skip
ActionName = Literal["CREATED", "UPDATED", "DELETED", "SET", "CHANGED", "FINISHED"]


class WebhookStatus(StrEnum):
    """Whether a webhook is told anything."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class WebhookEvent(Struct, frozen=True, gc=False):
    """A kind of event, such as ``model_version.created``."""

    entity: EntityName
    action: ActionName

    def __str__(self) -> str:
        return f"{self.entity.lower()}.{self.action.lower()}"

    @classmethod
    def from_str(cls, event_str: str) -> WebhookEvent:
        """The event with a name.

        Raises:
            InvalidParameterValue: There is none.
        """
        if event_str not in EVENTS:
            allowed = ", ".join(sorted(EVENTS))
            raise InvalidParameterValue(f"{shown(event_str)} is no event of a webhook. Allowed are {allowed}.")
        entity, _, action = event_str.upper().partition(".")
        return cls(entity, action)  # type: ignore[arg-type]  # two of the words above


class Webhook(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """A webhook. Its secret is never told. Times are milliseconds since 1970."""

    webhook_id: str
    name: str
    url: str
    events: list[WebhookEvent]
    status: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str | None = None


class WebhookTestResult(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """What came of a delivery. ``response_body`` is the beginning of the answer."""

    success: bool
    response_status: int | None = None
    response_body: str | None = None
    error_message: str | None = None


class CreateWebhook(Message):
    name: str
    url: str
    events: list[WebhookEvent]
    description: str = ""
    secret: str | None = None
    status: WebhookStatus = WebhookStatus.ACTIVE


class WebhookId(Message):
    webhook_id: str


class UpdateWebhook(Message):
    """Changes what is given."""

    webhook_id: str
    name: str | None = None
    description: str | None = None
    url: str | None = None
    events: list[WebhookEvent] | None = None
    secret: str | None = None
    status: WebhookStatus | None = None


class WebhookResponse(Message):
    webhook: Webhook


class ListWebhooks(Message):
    max_results: Int64 = 100
    page_token: str = ""


class ListWebhooksResponse(Message):
    webhooks: list[Webhook] = []
    next_page_token: str = ""


class TestWebhook(Message):
    """Send an example of an event at once; of the webhook's first one when none is named."""

    webhook_id: str
    event: WebhookEvent | None = None


class TestWebhookResponse(Message):
    result: WebhookTestResult
