"""Delivering webhooks: a thread that sends what is due, and the route that tries one at once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from stele import settings
from stele.errors import SteleError
from stele.schema import webhooks as wh
from stele.server.outbound import Answer, Rules, post
from stele.stores.sql import SqlStore
from stele.stores.sql.webhooks import Delivery

__all__ = ["WebhookService", "signature"]

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0
_AT_ONCE = 8
_SUCCESS = range(200, 300)


class WebhookService:
    """Sends deliveries of a store.

    Args:
        store: Keeps the webhooks and what waits for them.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Send what is due from now on, on a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="stele-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being sent; the rest stays in the store."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def test_webhook(self, request: wh.TestWebhook) -> wh.TestWebhookResponse:
        """Send an example at once.

        Raises:
            DoesNotExist: There is no such webhook.
        """
        delivery = self._store.webhook_delivery(request.webhook_id, request.event)
        try:
            answer = _send(delivery)
        except SteleError as e:
            return wh.TestWebhookResponse(result=wh.WebhookTestResult(success=False, error_message=e.message))
        success = answer.status in _SUCCESS
        result = wh.WebhookTestResult(success=success, response_status=answer.status, response_body=answer.text)
        return wh.TestWebhookResponse(result=result)

    def deliver_due(self) -> int:
        """Send everything that is due, several at a time; returns how many deliveries were tried."""
        tried = 0
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="stele-webhook") as pool:
            while not self._stopping.is_set() and (due := self._store.take_deliveries(_AT_ONCE)):
                list(pool.map(self._deliver, due))
                tried += len(due)
        return tried

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE_SECONDS):
            try:
                self.deliver_due()
            except Exception:  # a thread's top: the database may be gone for a while
                logger.warning("webhooks could not be delivered; they wait", exc_info=True)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            arrived = _send(delivery).status in _SUCCESS
        except SteleError as e:
            logger.info("webhook delivery %s failed: %s", delivery.delivery_id, e.message)
            arrived = False
        self._store.finish_delivery(delivery, arrived=arrived)


def signature(secret: str, delivery_id: str, timestamp: str, payload: str) -> str:
    """The value of ``X-MLflow-Signature``: HMAC-SHA256 over ``<delivery id>.<timestamp>.<payload>``, as MLflow's."""
    signed = hmac.new(secret.encode(), f"{delivery_id}.{timestamp}.{payload}".encode(), hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _send(delivery: Delivery) -> Answer:
    moment = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "stele-webhooks",
        "Connection": "close",
        "X-MLflow-Delivery-Id": delivery.delivery_id,
        "X-MLflow-Timestamp": moment,
    }
    if delivery.secret is not None:
        headers["X-MLflow-Signature"] = signature(delivery.secret, delivery.delivery_id, moment, delivery.payload)
    schemes = tuple(scheme.strip() for scheme in settings.WEBHOOK_SCHEMES.get().split(","))
    rules = Rules(schemes, settings.WEBHOOK_PRIVATE.get(), settings.WEBHOOK_TIMEOUT_SECONDS.get())
    return post(delivery.url, delivery.payload.encode(), headers, rules)
