"""Drives webhooks: they are kept, tried and told, and what arrives is signed; see ``driver_tools.py``."""

import base64
import hashlib
import hmac
import http.server
import json
import queue
import threading

from driver_tools import error_of, main, named, step

SECRET = "s3cret"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    received = queue.Queue()

    def do_POST(self):
        self.received.put((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *_):
        pass


def told():
    """What the next delivery says, once it is there, and whether it is signed with the secret."""
    headers, body = Receiver.received.get()
    signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.{body.decode()}".encode()
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    message = json.loads(body)
    data = {key: value or "" for key, value in message["data"].items()}  # text that is absent is null at MLflow
    return [message["entity"], message["action"], data, headers["X-MLflow-Signature"] == f"v1,{expected}"]


def show(webhook):
    """Everything of a webhook that both servers should agree on."""
    named(webhook.webhook_id, f"webhook {webhook.name}")
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": sorted(str(event) for event in webhook.events),
        "text": webhook.description or "",
        "status": str(getattr(webhook.status, "value", webhook.status)),
        "times": [bool(webhook.creation_timestamp), webhook.last_updated_timestamp >= webhook.creation_timestamp],
        "secret": getattr(webhook, "secret", None),
    }


@step
def webhooks_are_kept(c):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    c.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    named(c.url, "url")
    client, url = c.client, "http://127.0.0.1:9/hook"
    made = client.create_webhook("kept", url, ["registered_model.created", "model_version_tag.set"], "words", SECRET)
    shown = [show(made), show(client.get_webhook(made.webhook_id))]
    client.create_webhook("quiet", url, ["model_version.created"], status="DISABLED")
    shown.append(sorted((show(each) for each in client.list_webhooks()), key=lambda each: each["name"]))
    page = client.list_webhooks(max_results=1)
    rest = client.list_webhooks(max_results=1, page_token=page.token)
    shown.append([sorted(each.name for each in [*page, *rest]), bool(rest.token)])
    shown.append(show(client.update_webhook(made.webhook_id, description="other", status="DISABLED")))
    shown.append(show(client.update_webhook(made.webhook_id, "changed", events=["model_version_alias.created"])))
    for each in client.list_webhooks():
        client.delete_webhook(each.webhook_id)
    shown.append([len(client.list_webhooks()), error_of(lambda: client.get_webhook(made.webhook_id))])
    return shown


@step
def webhook_errors(c):
    client, url, unknown, created = c.client, c.url, "0" * 36, ["model_version.created"]
    calls = [
        *[lambda bad=bad: client.create_webhook(bad, url, created) for bad in ("", "-a", "a b", "a" * 64)],
        *[lambda bad=bad: client.create_webhook("a", bad, created) for bad in ("", "ftp://127.0.0.1/x", "no address")],
        lambda: client.create_webhook("a", url, []),
        lambda: client.get_webhook(unknown),
        lambda: client.update_webhook(unknown, "x"),
        lambda: client.delete_webhook(unknown),
        lambda: client.test_webhook(unknown),
        lambda: client.list_webhooks(max_results=1001),
    ]
    return [error_of(call) for call in calls]


@step
def deliveries(c):
    client, name = c.client, f"{c.prefix} told"
    named(name, "told")
    events = ["registered_model.created", "model_version.created", "model_version_alias.created"]
    made = client.create_webhook("told", c.url, events, secret=SECRET)
    tried = client.test_webhook(made.webhook_id)
    shown = [[tried.success, tried.response_status, tried.response_body, tried.error_message]]
    shown.append(".".join(told()[:2]) in events)  # which one, each server chooses
    tried = client.test_webhook(made.webhook_id, "model_version_alias.created")
    shown.append([tried.success, told()[:2]])
    client.create_registered_model(name, {"team": "x"}, "words")
    shown.append(told())
    client.create_model_version(name, "s3://bucket/model", tags={"a": "1"})
    shown.append(told())
    client.set_registered_model_alias(name, "champion", "1")
    shown.append(told())
    client.delete_webhook(made.webhook_id)
    return shown


if __name__ == "__main__":
    main()
